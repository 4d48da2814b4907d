"""The part of `LocalEngine` that knows preference pairs."""

from __future__ import annotations

from collections.abc import Sequence

from playground.core.preferences.pair import PreferencePair
from playground.engine.adapters.store import AdapterTable
from playground.engine.contract.models import AdapterName
from playground.engine.contract.policies import PromptExample
from playground.engine.contract.preferences import PairExample
from playground.engine.contract.reward_models import RewardHeadInfo, RewardScoreRequest, RewardScores
from playground.engine.contract.waiting import OnWait
from playground.engine.models.named_tokenizers import NamedTokenizers
from playground.engine.training.direct_preferences import most_pair_tokens
from playground.engine.training.preference_texts import PairCutter
from playground.errors import HeadGone
from playground.settings import Settings


class LocalPreferences:
    """The `PreferencePart` of this process.

    Args:
        settings: The limits.
        adapters: Source of the bases.
        tokenizers: Chat templates.
    """

    def __init__(self, settings: Settings, adapters: AdapterTable, tokenizers: NamedTokenizers) -> None:
        self._settings, self._adapters, self._tokenizers = settings, adapters, tokenizers

    def examples(self, model: str, pairs: Sequence[PreferencePair]) -> tuple[PairExample, ...]:
        """Each pair as a decoder reads it."""
        cutter = self._cutter(model)
        return tuple(map(cutter.pair, pairs))

    def prompts(self, model: str, prompts: Sequence[str]) -> tuple[PromptExample, ...]:
        """Each prompt as a decoder reads it before it answers."""
        cutter = self._cutter(model)
        return tuple(map(cutter.prompt, prompts))

    def heads(self, owner: str) -> list[RewardHeadInfo]:
        """The reward models of a session, oldest first."""
        return []

    def info(self, head_id: str) -> RewardHeadInfo:
        """Facts about a reward model."""
        raise HeadGone(head_id=head_id)

    def belongs(self, head_id: str, owner: str) -> bool:
        """True if a session may use the reward model."""
        return False

    def remove(self, head_id: str, owner: str) -> None:
        """Delete a reward model of this session."""

    def score(self, request: RewardScoreRequest, on_wait: OnWait | None = None) -> list[RewardScores]:
        """The rewards of answers, token by token, in their order."""
        raise HeadGone(head_id=request.model)

    def _cutter(self, model: str) -> PairCutter:
        loaded = self._adapters.decoder(AdapterName.of(model).base_id)
        return PairCutter(loaded, self._tokenizers, most_pair_tokens(self._settings, loaded.info))
