"""The part of `LocalEngine` that knows preference pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from playground.core.byte_cache import ByteCache
from playground.core.preferences.pair import PreferencePair
from playground.engine.contract.models import AdapterName
from playground.engine.contract.policies import PromptExample
from playground.engine.contract.preferences import PairExample
from playground.engine.contract.reward_models import (
    MAX_SCORED_ANSWERS,
    RewardHeadInfo,
    RewardScoreRequest,
    RewardScores,
)
from playground.engine.contract.waiting import OnWait
from playground.engine.local.ask import Backend
from playground.engine.models.named_tokenizers import NamedTokenizers
from playground.engine.task_heads.rewards import RewardTable, RewardWork
from playground.engine.training.direct_preferences import most_pair_tokens
from playground.engine.training.preference_texts import PairCutter
from playground.errors import BadValue, TextTooLong


class LocalPreferences:
    """The `PreferencePart` of this process.

    Args:
        backend: Asks the bases.
        tokenizers: Chat templates.
        rewards: The reward models.
    """

    def __init__(self, backend: Backend, tokenizers: NamedTokenizers, rewards: RewardTable) -> None:
        self._backend, self._tokenizers, self._rewards = backend, tokenizers, rewards
        self._known: ByteCache[RewardScores] = ByteCache(backend.settings.known_vector_bytes)

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
        return [head.info(one) for one, head in self._rewards.owned.of(owner)]

    def info(self, head_id: str) -> RewardHeadInfo:
        """Facts about a reward model."""
        return self._rewards.get(head_id).info(head_id)

    def belongs(self, head_id: str, owner: str) -> bool:
        """True if a session may use the reward model; it may from now on where all others have left."""
        return self._rewards.owned.belongs(head_id, owner)

    def remove(self, head_id: str, owner: str) -> None:
        """Delete a reward model of this session."""
        self._rewards.owned.remove(head_id, owner)

    def score(self, request: RewardScoreRequest, on_wait: OnWait | None = None) -> list[RewardScores]:
        """The rewards of answers, token by token, in their order."""
        n, head = len(request.texts), self._rewards.get(request.model)
        if not 0 < n <= MAX_SCORED_ANSWERS:
            raise BadValue(name="texts", value=n, allowed=f"1-{MAX_SCORED_ANSWERS}")
        with self._backend.ask(replace(request, model=head.settings.model), "trace", on_wait) as ask:
            cutter = self._cutter(head.settings.model)
            found = []
            for prompt, answer in request.texts:
                self._check_length(prompt, answer)
                ids = cutter.answer(prompt, answer)
                key = ("reward", request.model, *ids)
                scores = self._known.get(key)
                if scores is None:
                    n_tokens = len(ids[0]) + 2 * len(ids[1])
                    scores = ask.compute(RewardWork(head, ask.loaded, *ids), n_tokens, key=key)
                    self._known.put(key, scores)
                found.append(scores)
        return found

    def _check_length(self, *texts: str) -> None:
        limit = self._backend.settings.max_text_chars
        for text in texts:
            if len(text) > limit:
                raise TextTooLong(limit=limit, got=len(text))

    def _cutter(self, model: str) -> PairCutter:
        loaded = self._backend.models.decoder(AdapterName.of(model).base_id)
        most = most_pair_tokens(self._backend.settings, loaded.info)
        return PairCutter(loaded, self._tokenizers, most)
