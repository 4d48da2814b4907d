"""Summaries of logits: of a step, and of every position, with the vocabulary head in chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from playground.core.predictions import Predictions
from playground.core.ranking import ZERO_WEIGHT
from playground.engine.forward.head import logits_of
from playground.engine.models.finite import check_finite
from playground.engine.models.loaded import LoadedModel

CHUNK = 64  # positions: 12.6 MB of logits for a vocabulary of 49,152


@dataclass(frozen=True)
class Summary:
    """Summary of logits, for all rows at once. First axis: row."""

    top_ids: NDArray[np.int64]
    top_logits: NDArray[np.float32]
    log_sum_exp: NDArray[np.float32]
    entropy_bits: NDArray[np.float32]


def summarise(logits: torch.Tensor, n_top: int) -> Summary:
    """Top tokens, log-sum-exp and entropy of each row.

    Args:
        logits: Shape [row, d_vocab], float32, nats.

    Example:
        >>> round(float(summarise(torch.zeros(1, 8), 2).entropy_bits[0]), 6)
        3.0
    """
    top = torch.topk(logits, min(n_top, logits.shape[-1]), dim=-1)
    largest = top.values[:, :1]
    below = (logits - largest).clamp_(min=ZERO_WEIGHT)
    weights = below.exp()
    total = weights.sum(-1)
    log_total = total.log()
    log_sum_exp = largest[:, 0] + log_total
    mean_below = torch.linalg.vecdot(weights, below) / total
    entropy = (log_total - mean_below) / np.log(2)  # -sum of p log p, with log p = below - log_total
    return Summary(
        top_ids=top.indices.cpu().numpy(),
        top_logits=top.values.cpu().numpy(),
        log_sum_exp=log_sum_exp.cpu().numpy(),
        entropy_bits=entropy.cpu().numpy(),
    )


def predictions(
    loaded: LoadedModel, states: torch.Tensor, input_ids: Sequence[int], n_top: int
) -> Predictions:
    """The model's predictions after each token of one text.

    Args:
        loaded: A decoder.
        states: Residual stream after the final norm. Shape [position, d_model].
        input_ids: Token ids of the text, one per position.
        n_top: Number of the most probable next tokens to keep.

    Raises:
        NotFinite: The logits are not finite.
    """
    following = torch.tensor([*input_ids[1:], 0], device=states.device)  # of the last: not used
    parts = []
    for start in range(0, len(input_ids), CHUNK):
        logits = logits_of(loaded.model, states[start : start + CHUNK])
        check_finite(loaded, logits)
        parts.append(_part(logits, following[start : start + CHUNK], n_top))
    ids, top, entropy, logprobs, ranks = map(np.concatenate, zip(*parts, strict=True))
    return Predictions(ids, top, entropy, logprobs[:-1].copy(), ranks[:-1].copy())


def _part(logits: torch.Tensor, following: torch.Tensor, n_top: int) -> tuple[NDArray[Any], ...]:
    summary = summarise(logits, n_top)
    own = logits.gather(1, following[:, None])
    ranks = (logits > own).sum(-1).cpu().numpy()
    top_logprobs = summary.top_logits - summary.log_sum_exp[:, None]
    return (
        summary.top_ids,
        top_logprobs,
        summary.entropy_bits,
        own[:, 0].cpu().numpy() - summary.log_sum_exp,
        ranks,
    )
