"""Beam search on the model thread: one step per turn, so that others get theirs in between."""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import DynamicCache

from playground.core.beams import BeamSearch
from playground.engine.contract.beams import BeamsRequest, BeamStep
from playground.engine.forward.head import logits_of
from playground.engine.models.finite import check_finite
from playground.engine.models.loaded import LoadedModel
from playground.engine.scheduling.jobs import More


class BeamsWork:
    """Payload of one search: a step per turn, the cache kept in between.

    Args:
        loaded: A decoder.
        input_ids: Token ids of the text.
        request: Settings of the search.
    """

    n_forwards = 1

    def __init__(self, loaded: LoadedModel, input_ids: tuple[int, ...], request: BeamsRequest) -> None:
        self.search = BeamSearch(
            request.n_beams,
            max_new_tokens=request.max_new_tokens,
            length_penalty=request.length_penalty,
            eos_ids=loaded.tokenizer.eos_ids,
        )
        self._loaded = loaded
        self._input_ids: Any = torch.tensor([input_ids], device=loaded.device)
        self._cache = DynamicCache(config=loaded.model.config)

    def run(self) -> More | BeamStep:
        """One forward of the newest tokens, one step of the search."""
        model, search = self._loaded.model, self.search
        output = model.base_model(input_ids=self._input_ids, past_key_values=self._cache, use_cache=True)
        logits = logits_of(model, output.last_hidden_state[:, -1])
        check_finite(self._loaded, logits)
        candidates = search.step(torch.log_softmax(logits, -1).cpu().numpy())
        step = BeamStep(candidates, search.hypotheses, search.done)
        if search.done:
            return step
        parents = [one.parent for one in candidates if one.fate == "kept"]
        self._cache.reorder_cache(torch.tensor(parents, device=self._loaded.device))
        self._input_ids = torch.tensor([search.last_token_ids], device=self._loaded.device).T
        return More(step, len(search.last_token_ids))
