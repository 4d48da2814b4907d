"""The hack that comes with the playground: the same reward with a leash and without one."""

from __future__ import annotations

from collections.abc import Sequence

from playground.core.rewards import TextReward
from playground.ui.components.tilt import Trained

FIRST_PROMPT = "What is the capital of France?"
FIRST_REWARD = TextReward("characters")


def trained(asked: tuple[str, str], reward: TextReward) -> Sequence[Trained]:
    """Policies that were trained with this reward on this prompt."""
    return ()
