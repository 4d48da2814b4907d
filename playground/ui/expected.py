"""What the model expected at a place of a text, named as everywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from playground.core import pieces
from playground.core.predictions import Predictions
from playground.core.tokens import Tokenization
from playground.ui.components.scored_text import Expected, ScoredToken
from playground.ui.sampling.settings import token_labels

N_EXPECTED = 5


def expected(
    model_id: str, token_ids: NDArray[np.int64], probs: NDArray[np.floating], before: bytes
) -> list[Expected]:
    """The most probable tokens of one place.

    Args:
        model_id: Whose tokens.
        token_ids, probs: Of each, best first. Shape [n].
        before: Bytes before them that have begun a character (`pieces.open_bytes`).
    """
    labels = token_labels(model_id, token_ids, before)
    return [
        Expected(token_id, label, p)
        for token_id, label, p in zip(token_ids.tolist(), labels, probs.tolist(), strict=True)
    ]


def scored_tokens(model_id: str, read: Predictions, tokens: Tokenization) -> list[ScoredToken]:
    """Every token of a text with what the model expected in its place.

    Args:
        model_id: Whose tokens.
        read: Of the text.
        tokens: The text as the model reads it.
    """
    probs, bits, ranks = np.exp(read.top_logprobs), read.surprisal_bits.tolist(), (read.ranks + 1).tolist()
    labels, input_ids, before = pieces.labels(tokens), tokens.input_ids, pieces.opened(tokens.token_bytes)
    entropy_bits = read.entropy_bits.tolist()
    return [
        ScoredToken(input_ids[0], labels[0]),
        *(
            ScoredToken(
                input_ids[at + 1],
                labels[at + 1],
                bits[at],
                ranks[at],
                entropy_bits[at],
                expected(model_id, read.top_ids[at], probs[at], before[at + 1]),
            )
            for at in range(len(bits))
        ),
    ]
