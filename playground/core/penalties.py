"""Penalties on tokens that occurred before; they come ahead of temperature and cuts (`core.sampling`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# what a penalty may be: the least and the most
LIMITS: Mapping[str, tuple[float, float]] = {
    "repetition_penalty": (0.01, 100.0),
    "presence_penalty": (-2.0, 2.0),
    "frequency_penalty": (-2.0, 2.0),
}


@dataclass(frozen=True, slots=True)
class Penalties:
    """Penalties on the logits of tokens that occurred before; none by default.

    A value beside `core.sampling.Sampling`, because it needs the text and not only the logits.

    Attributes:
        repetition_penalty: Divides a positive logit and multiplies a negative one, once for every token that
            is anywhere in the text or among the new ones; > 0, 1 = off, > 1 discourages.
        presence_penalty: Subtracted from the logit of every token that was generated at least once; 0 = off.
        frequency_penalty: Subtracted from it once for each time it was generated; 0 = off.

    Source:
        Repetition: Keskar et al. 2019, "CTRL", arXiv:1909.05858, 4.1. Presence and frequency: OpenAI's API,
        in vLLM `model_executor/layers/utils.py`, `apply_penalties`, whose order this is.
    """

    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0


NO_PENALTIES = Penalties()


def penalised(
    logits: NDArray[np.floating], prompt_ids: Sequence[int], new_ids: Sequence[int], penalties: Penalties
) -> NDArray[np.floating]:
    """Logits after the three penalties; `logits` itself where none is set. Shape [d_vocab].

    Args:
        logits: Logits of the next token, nats. Shape [d_vocab].
        prompt_ids: Tokens of the text.
        new_ids: Tokens generated since.
        penalties: The penalties.

    Raises:
        ValueError: The repetition penalty is not above 0.

    Example:
        >>> penalised(np.array([2.0, -2.0, 1.0]), [0, 1], [2, 2], Penalties(2.0, 0.5, 0.1))
        array([ 1. , -4. , -0.2])
    """
    repetition = penalties.repetition_penalty
    if repetition <= 0:
        raise ValueError(f"repetition_penalty is {repetition}, expected more than 0")
    if penalties == NO_PENALTIES:
        return logits
    result = logits.copy()
    seen = np.unique(np.array([*prompt_ids, *new_ids], dtype=np.int64))
    result[seen] = np.where(result[seen] < 0, result[seen] * repetition, result[seen] / repetition)
    written, counts = np.unique(np.array(new_ids, dtype=np.int64), return_counts=True)
    result[written] -= penalties.frequency_penalty * counts + penalties.presence_penalty
    return result
