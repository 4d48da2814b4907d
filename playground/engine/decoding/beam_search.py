"""Beam search on the model thread: one step per turn, so that others get theirs in between."""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import DynamicCache, EncoderDecoderCache

from playground.core.beams import BeamSearch
from playground.engine.contract.beams import BeamsRequest, BeamStep
from playground.engine.forward.two_stacks import (
    Source,
    read_source,
    read_target,
    vocabulary_logits,
)
from playground.engine.models.finite import check_finite
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.targets import never_written, target_start
from playground.engine.scheduling.jobs import More


class BeamsWork:
    """Payload of one search: a step per turn, the cache kept in between.

    Args:
        loaded: A decoder.
        input_ids: Token ids of the text.
        request: Settings of the search.
    """

    n_forwards = 1
    _never: list[int] = []  # noqa: RUF012  (nobody adds to it)

    def __init__(self, loaded: LoadedModel, input_ids: tuple[int, ...], request: BeamsRequest) -> None:
        self.search = BeamSearch(
            request.n_beams,
            max_new_tokens=request.max_new_tokens,
            length_penalty=request.length_penalty,
            eos_ids=loaded.tokenizer.eos_ids,
        )
        self._loaded = loaded
        self._input_ids: Any = torch.tensor([input_ids], device=loaded.device)
        self._cache: Any = self._new_cache()

    def run(self) -> More | BeamStep:
        """One forward of the newest tokens, one step of the search."""
        search = self.search
        logits = vocabulary_logits(self._loaded, self._states()[:, -1])
        check_finite(self._loaded, logits)
        logprobs = torch.log_softmax(logits, -1)
        logprobs[:, self._never] = -torch.inf
        candidates = search.step(logprobs.cpu().numpy())
        step = BeamStep(candidates, search.hypotheses, search.done)
        if search.done:
            return step
        parents = [one.parent for one in candidates if one.fate == "kept"]
        self._cache.reorder_cache(torch.tensor(parents, device=self._loaded.device))
        self._input_ids = torch.tensor([search.last_token_ids], device=self._loaded.device).T
        return More(step, len(search.last_token_ids))

    def _new_cache(self) -> Any:  # noqa: ANN401  (of the library)
        return DynamicCache(config=self._loaded.model.config)

    def _states(self) -> torch.Tensor:
        """Residual stream after the final norm, of the newest tokens. Shape [beam, new, d_model]."""
        output = self._loaded.model.base_model(
            input_ids=self._input_ids, past_key_values=self._cache, use_cache=True
        )
        states: torch.Tensor = output.last_hidden_state
        return states


class TargetBeamsWork(BeamsWork):
    """Payload of a search for the target of a source, which is read in the first turn.

    Args:
        loaded: An encoder-decoder.
        source_ids: Token ids of the source.
        request: Settings of the search.
    """

    def __init__(self, loaded: LoadedModel, source_ids: tuple[int, ...], request: BeamsRequest) -> None:
        super().__init__(loaded, target_start(loaded), request)
        self._never = list(never_written(loaded))
        self._source_ids = torch.tensor([source_ids], device=loaded.device)
        self._source: Source | None = None

    def _new_cache(self) -> EncoderDecoderCache:
        return EncoderDecoderCache(DynamicCache(), DynamicCache())

    def _states(self) -> torch.Tensor:
        if self._source is None:
            self._source = read_source(self._loaded, self._source_ids, None)
        source = Source(self._source.states.expand(len(self._input_ids), -1, -1), None, None)
        output = read_target(
            self._loaded, self._input_ids, source, past_key_values=self._cache, use_cache=True
        )
        states: torch.Tensor = output.last_hidden_state
        return states


def beams_work(loaded: LoadedModel, ids: tuple[int, ...], request: BeamsRequest) -> BeamsWork:
    """The search that continues a text, or that writes the target of a source."""
    make = TargetBeamsWork if loaded.info.kind == "encoder-decoder" else BeamsWork
    return make(loaded, ids, request)
