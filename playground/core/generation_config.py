"""Sampling settings as the `generation_config.json` that transformers reads."""

from __future__ import annotations

import json
from typing import Any

from playground.core.penalties import Penalties
from playground.core.sampling import Sampling


def generation_config(sampling: Sampling, penalties: Penalties, *, max_new_tokens: int) -> str:
    """The file's text; every setting is written, because transformers' own top-k is 50.

    `without_place` names the settings that the file has no place for.

    Args:
        sampling: Settings of the draw; temperature 0 becomes `do_sample: false`.
        penalties: Ahead of that.
        max_new_tokens: Most new tokens.
    """
    settings: dict[str, Any] = {"do_sample": sampling.temperature > 0, "max_new_tokens": max_new_tokens}
    settings["repetition_penalty"] = penalties.repetition_penalty
    if sampling.temperature > 0:
        settings |= {
            "temperature": sampling.temperature, "top_k": sampling.top_k, "top_p": sampling.top_p,
            "typical_p": sampling.typical_p,
        }  # fmt: skip
        if sampling.min_p > 0:
            settings["min_p"] = sampling.min_p
    return json.dumps(settings, indent=2) + "\n"


def without_place(sampling: Sampling, penalties: Penalties, *, seed: int) -> dict[str, object]:
    """The settings of a run that make a difference and have no place in the file: name -> value.

    Args:
        sampling, penalties: As in `generation_config`.
        seed: Seed of the draws; without any (temperature 0) it makes no difference.

    Example:
        >>> without_place(Sampling(temperature=0), Penalties(frequency_penalty=0.5), seed=3)
        {'frequency_penalty': 0.5}
    """
    settings: dict[str, object] = {"order": sampling.order} if sampling.order != "transformers" else {}
    own = {
        "presence_penalty": penalties.presence_penalty, "frequency_penalty": penalties.frequency_penalty,
    }  # fmt: skip
    settings |= {name: value for name, value in own.items() if value}
    return settings | ({"seed": seed} if sampling.temperature > 0 else {})
