"""log p(candidate | text): the text is read once, then all candidates in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from transformers.cache_utils import DynamicCache

from playground.engine.base import Scores
from playground.engine.forward import pad

if TYPE_CHECKING:
    from playground.engine.loading import LoadedModel


def score(loaded: LoadedModel, text_ids: Sequence[int], candidates: Sequence[tuple[int, ...]]) -> Scores:
    """Score every candidate as the continuation of one text.

    Args:
        loaded: A decoder; called only from the engine's thread.
        text_ids: Token ids of the text, at least one.
        candidates: Token ids of each candidate, at least one each.

    Returns:
        Natural log-probabilities under the model at temperature 1.
    """
    cache = DynamicCache(config=loaded.model.config)
    ids = torch.tensor([list(text_ids)], device=loaded.device)
    output = loaded.model.base_model(input_ids=ids, past_key_values=cache, use_cache=True)
    head = loaded.model.get_output_embeddings()
    first = torch.log_softmax(head(output.last_hidden_state[:, -1]).float(), dim=-1)[0]
    token_logprobs = [[float(first[candidate[0]])] for candidate in candidates]
    longer = [index for index, candidate in enumerate(candidates) if len(candidate) > 1]
    if longer:
        inputs, mask = pad([candidates[index][:-1] for index in longer], loaded.device)
        cache.batch_repeat_interleave(len(longer))
        if mask is not None:
            mask = torch.cat([mask.new_ones(len(longer), len(text_ids)), mask], dim=1)
        output = loaded.model.base_model(
            input_ids=inputs, attention_mask=mask, past_key_values=cache, use_cache=True
        )
        for row, index in enumerate(longer):
            following = torch.tensor(candidates[index][1:], device=loaded.device)
            states = output.last_hidden_state[row, : len(following)]
            logprobs = torch.log_softmax(head(states).float(), dim=-1)
            token_logprobs[index] += logprobs.gather(1, following[:, None])[:, 0].tolist()
    return Scores(
        input_ids=tuple(candidates),
        token_logprobs=tuple(map(tuple, token_logprobs)),
        logprobs=tuple(map(sum, token_logprobs)),
    )
