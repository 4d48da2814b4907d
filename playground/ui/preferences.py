"""Preference pairs and reward models: the door to the part of the engine that knows them."""

from __future__ import annotations

from collections.abc import Sequence

from playground.core.preferences.pair import PreferencePair
from playground.engine.contract.policies import PromptExample
from playground.engine.contract.preferences import PairExample, PreferencePart
from playground.engine.contract.reward_models import (
    MAX_SCORED_ANSWERS,
    RewardHeadInfo,
    RewardScoreRequest,
    RewardScores,
)
from playground.ui.compute import engine
from playground.ui.state import PageContext
from playground.ui.waiting import WaitingLine


def preferences() -> PreferencePart:
    """The part of the engine that knows preferences."""
    return engine().preferences


def examples(context: PageContext, pairs: Sequence[PreferencePair]) -> tuple[PairExample, ...]:
    """Pairs as the base of the context's model reads them.

    Raises:
        Unsupported: The model is no decoder.
        InputError: As of `PreferencePart.examples`.
    """
    return preferences().examples(context.model.model_id, pairs)


def prompts(context: PageContext, texts: Sequence[str]) -> tuple[PromptExample, ...]:
    """Prompts as the base of the context's model reads them before it answers.

    Raises:
        Unsupported, EmptyText: As of `examples`.
    """
    return preferences().prompts(context.model.model_id, texts)


def heads(context: PageContext) -> list[RewardHeadInfo]:
    """The session's reward models, oldest first."""
    return preferences().heads(context.owner)


def scores(
    context: PageContext, head_id: str, texts: Sequence[tuple[str, str]], *, topic: str = "reward"
) -> list[RewardScores]:
    """Rewards of answers, token by token; waits with a progress line.

    Args:
        context: From `frame.page`.
        head_id: The reward model.
        texts: Prompt and answer of each.
        topic: A newer question of the same topic in this session replaces this one.
    """
    found: list[RewardScores] = []
    for at in range(0, len(texts), MAX_SCORED_ANSWERS):
        some = tuple(texts[at : at + MAX_SCORED_ANSWERS])
        request = RewardScoreRequest(head_id, owner=context.owner, topic=topic, texts=some)
        with WaitingLine(engine(), request) as line:
            found += preferences().score(request, line)
    return found
