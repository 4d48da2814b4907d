"""Sampling settings as the `generation_config.json` that transformers reads."""

from __future__ import annotations

import json
from typing import Any


def generation_config(
    *,
    temperature: float,
    top_k: int,
    top_p: float,
    min_p: float,
    typical_p: float,
    repetition_penalty: float,
    max_new_tokens: int,
) -> str:
    """The file's text; every setting is written, because transformers' own top-k is 50.

    `without_place` names the settings that the file has no place for.

    Args:
        temperature, top_k, top_p, min_p, typical_p: As in `core.sampling.distribution`; temperature 0 becomes
            `do_sample: false`.
        repetition_penalty: As in `core.penalties`.
        max_new_tokens: How many tokens at most.
    """
    settings: dict[str, Any] = {"do_sample": temperature > 0, "max_new_tokens": max_new_tokens}
    settings["repetition_penalty"] = repetition_penalty
    if temperature > 0:
        settings |= {"temperature": temperature, "top_k": top_k, "top_p": top_p, "typical_p": typical_p}
        if min_p > 0:
            settings["min_p"] = min_p
    return json.dumps(settings, indent=2) + "\n"


def without_place(
    *, temperature: float, order: str, presence_penalty: float, frequency_penalty: float, seed: int
) -> dict[str, object]:
    """The settings of a run that make a difference and have no place in the file: name -> value.

    Args:
        temperature, order: As in `core.sampling.distribution`.
        presence_penalty, frequency_penalty: As in `core.penalties`; 0 is off.
        seed: Seed of the draws; without any (temperature 0) it makes no difference.

    Example:
        >>> without_place(
        ...     temperature=0, order="transformers", presence_penalty=0, frequency_penalty=0.5, seed=3
        ... )
        {'frequency_penalty': 0.5}
    """
    settings: dict[str, object] = {"order": order} if order != "transformers" else {}
    penalties = {"presence_penalty": presence_penalty, "frequency_penalty": frequency_penalty}
    settings |= {name: value for name, value in penalties.items() if value}
    return settings | ({"seed": seed} if temperature > 0 else {})
