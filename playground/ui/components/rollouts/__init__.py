"""Runs that learn from a reward: what they gain and what they write, rollout by rollout, in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from playground.ui.components import script, style
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.rollouts",
    html='<div class="rollouts"></div>\n',
    css=style("keyboard", "rollouts/rollouts", "touch"),
    js=script("rollouts/rollouts"),
)


@dataclass(frozen=True, slots=True)
class Written:
    """An answer of a rollout.

    Attributes:
        text: The answer.
        reward: Its reward.
    """

    text: str
    reward: float


@dataclass(frozen=True, slots=True)
class DrawnRun:
    """A run as the picture shows it, one entry a rollout.

    Attributes:
        name: Its name in the legend.
        kind: "free", "leashed" or "live": its colour and its signs.
        rewards: Mean reward of the answers of each rollout.
        kl: KL divergence of the policy from the reference at each rollout, nats per answer.
        answers: Some of the answers of each rollout.
    """

    name: str
    kind: str
    rewards: Sequence[float]
    kl: Sequence[float]
    answers: Sequence[Sequence[Written]]


def rollouts(
    runs: Sequence[DrawnRun], *, unit: str, n_rollouts: int, first: int | None = None, key: str, language: str
) -> None:
    """Draw reward and KL of every run over the rollouts, and the answers of the one that the slider is at.

    Args:
        runs: One to three.
        unit: Name of the reward, in the reader's language.
        n_rollouts: Last place of the axis, so that nothing moves while a run goes on.
        first: Place of the slider at first; None follows the last rollout until the reader moves it.
        key: Widget key.
        language: Language of the numbers.
    """
    _COMPONENT(
        key=key,
        data={
            "runs": [
                {
                    "name": one.name,
                    "kind": one.kind,
                    "rewards": list(one.rewards),
                    "kl": list(one.kl),
                    "answers": [[[said.text, said.reward] for said in each] for each in one.answers],
                }
                for one in runs
            ],
            "last": n_rollouts,
            "first": first,
            "language": language,
            "words": {
                "slider": _("Rollout"),
                "reward": unit,
                "kl": _("KL to the reference (nats per answer)"),
                "picture": _("Mean reward and KL divergence of each run, rollout by rollout"),
                "at": _("rollout {n}: reward {reward}, KL in nats {kl}"),
                "none": _("not that far yet"),
                "empty": _("(ends at once)"),
                "worth": _("reward {value}"),
            },
        },
    )
