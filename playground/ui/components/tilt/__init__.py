"""A reference tilted by a reward: a slider for the leash, answered in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from playground.core.policy.outcomes import Outcomes
from playground.ui.components import script, style
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.tilt",
    html='<div class="tilt"></div>\n',
    css=style("keyboard", "tilt/tilt", "touch"),
    js=script("tilt/tilt"),
)
BETAS = (0.02, 20.0)  # ends of the slider


@dataclass(frozen=True, slots=True)
class Trained:
    """A policy that was trained, beside the best ones.

    Attributes:
        name: Its name in the legend.
        points: KL divergence (nats) and reward after each rollout.
    """

    name: str
    points: Sequence[tuple[float, float]]


def tilt(
    choice: Outcomes,
    labels: Sequence[str],
    *,
    beta: float,
    unit: str,
    trained: Sequence[Trained] = (),
    key: str,
    language: str,
) -> None:
    """Draw the outcomes before and after the tilt, and every leash's reward against its KL divergence.

    Args:
        choice: Outcomes and rewards.
        labels: Words of each named outcome.
        beta: Leash at first.
        unit: Name of the reward, in the reader's language.
        trained: Policies that were trained with the same reward.
        key: Widget key.
        language: Language of the numbers.
    """
    _COMPONENT(
        key=key,
        data={
            "labels": list(labels),
            "probs": choice.probs.tolist(),
            "rewards": choice.rewards.tolist(),
            "rest": [choice.rest_probs.tolist(), choice.rest_rewards.tolist()],
            "beta": beta,
            "ends": list(BETAS),
            "trained": [{"name": one.name, "points": list(map(list, one.points))} for one in trained],
            "language": language,
            "words": _words(unit),
        },
    )


def _words(unit: str) -> dict[str, str]:
    return {
        "slider": _("β: reward that a nat of KL costs"),
        "short": _("long leash: the reward rules"),
        "long": _("short leash: the reference stays"),
        "before": _("reference"),
        "after": _("tilted"),
        "rest": _("all others"),
        "reward": _("reward {value}"),
        "bars": _("Probability of each outcome by the reference and after the tilt"),
        "curve": _("Expected reward of the best policy against its KL divergence from the reference"),
        "x": _("KL to the reference (nats)"),
        "y": unit,
        "best": _("best policy of each leash"),
        "now": _("this leash"),
        "said": _(
            "β = {beta}: expected reward {before} → {after}, KL in nats {kl}; reward less β · KL: {left}."
        ),
    }
