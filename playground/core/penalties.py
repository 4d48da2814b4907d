"""Penalties on tokens that occurred before; they come ahead of temperature and cuts (`core.sampling`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def penalised(
    logits: NDArray[np.floating],
    prompt_ids: Sequence[int],
    new_ids: Sequence[int],
    *,
    repetition: float = 1.0,
    presence: float = 0.0,
    frequency: float = 0.0,
) -> NDArray[np.floating]:
    """Logits after the three penalties; `logits` itself where none is set. Shape [d_vocab].

    Args:
        logits: Logits of the next token, nats. Shape [d_vocab].
        prompt_ids: Tokens of the text.
        new_ids: Tokens generated since.
        repetition: Divides a positive logit and multiplies a negative one, once for every token that is
            anywhere in the text or among the new ones; > 0, 1 = off, > 1 discourages.
        presence: Subtracted from the logit of every token that was generated at least once; 0 = off.
        frequency: Subtracted from it once for each time it was generated; 0 = off.

    Raises:
        ValueError: `repetition` is not above 0.

    Example:
        >>> penalised(np.array([2.0, -2.0, 1.0]), [0, 1], [2, 2], repetition=2.0, presence=0.5, frequency=0.1)
        array([ 1. , -4. , -0.2])

    Source:
        Repetition: Keskar et al. 2019, "CTRL", arXiv:1909.05858, 4.1. Presence and frequency: OpenAI's API,
        in vLLM `model_executor/layers/utils.py`, `apply_penalties`, whose order this is.
    """
    if repetition <= 0:
        raise ValueError(f"repetition is {repetition}, expected more than 0")
    if repetition == 1 and presence == 0 and frequency == 0:
        return logits
    result = logits.copy()
    seen = np.unique(np.array([*prompt_ids, *new_ids], dtype=np.int64))
    result[seen] = np.where(result[seen] < 0, result[seen] * repetition, result[seen] / repetition)
    written, counts = np.unique(np.array(new_ids, dtype=np.int64), return_counts=True)
    result[written] -= frequency * counts + presence
    return result
