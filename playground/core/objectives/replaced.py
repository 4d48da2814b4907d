"""Replaced-token detection: a small model writes tokens into a text; the answer is which ones are new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ReplacedText:
    """A text as a discriminator reads it in training.

    Attributes:
        input_ids: Token ids that it reads. Shape [position].
        replaced: The answer at every position: True where another token stands than in the text.
            Shape [position].
        positions: Positions that were written anew, perhaps with the same token. Shape [chosen].
    """

    input_ids: Ids
    replaced: NDArray[np.bool_]
    positions: Ids


def replace_tokens(
    ids: Ids,
    positions: Ids,
    choices: Sequence[Ids],
    probs: Sequence[NDArray[np.floating]],
    rng: np.random.Generator,
) -> ReplacedText:
    """Write a token that a generator thinks possible into each position; its own counts as original.

    Args:
        ids: Token ids of the text. Shape [position].
        positions: Positions to write. Shape [chosen].
        choices: Tokens that the generator proposes at each. Shape [chosen, token].
        probs: Their probabilities, made to sum to 1. Shape [chosen, token].
        rng: Source of the draw.

    Source:
        Clark et al. 2020, "ELECTRA: Pre-training Text Encoders as Discriminators Rather Than Generators".
    """
    input_ids = ids.copy()
    for place, tokens, weights in zip(positions.tolist(), choices, probs, strict=True):
        shares = np.asarray(weights, dtype=np.float64)
        input_ids[place] = rng.choice(tokens, p=shares / shares.sum())
    return ReplacedText(input_ids, input_ids != ids, positions)
