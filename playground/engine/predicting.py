"""Predictions at every position: the vocabulary head in chunks, so that no whole table of logits is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from playground.core.predictions import Predictions

if TYPE_CHECKING:
    from playground.engine.loading import LoadedModel

CHUNK = 64  # positions: 12.6 MB of logits for a vocabulary of 49,152


def predictions(
    loaded: LoadedModel, states: torch.Tensor, input_ids: Sequence[int], n_top: int
) -> Predictions:
    """What the model expects after each token of one text.

    Args:
        loaded: A decoder.
        states: After the final norm. Shape [position, d_model].
        input_ids: Token ids of the text, one a position.
        n_top: How many of the most probable next tokens to keep.
    """
    head = loaded.model.get_output_embeddings()
    following = torch.tensor([*input_ids[1:], 0], device=states.device)  # of the last: not used
    parts = [
        _part(head(states[start : start + CHUNK]).float(), following[start : start + CHUNK], n_top)
        for start in range(0, len(input_ids), CHUNK)
    ]
    ids, top, entropy, logprobs, ranks = (
        np.concatenate([part[place].cpu().numpy() for part in parts]) for place in range(5)
    )
    return Predictions(ids, top, entropy, logprobs[:-1].copy(), ranks[:-1].copy())


def _part(logits: torch.Tensor, following: torch.Tensor, n_top: int) -> tuple[torch.Tensor, ...]:
    logprobs = logits.log_softmax(-1)
    top = logprobs.topk(n_top)
    entropy = -torch.nan_to_num(logprobs.exp() * logprobs, nan=0.0).sum(-1) / np.log(2)
    own = logprobs.gather(1, following[:, None])
    return top.indices, top.values, entropy, own[:, 0], (logprobs > own).sum(-1)
