"""A text token by token, each with what the model expected in its place."""

from __future__ import annotations

import numpy as np

from playground.core import pieces
from playground.core.predictions import Predictions
from playground.core.tokens import Tokenization
from playground.ui.components.scored_text import ScoredToken
from playground.ui.expected import expected


def scored_tokens(model_id: str, read: Predictions, tokens: Tokenization) -> list[ScoredToken]:
    """Every token of a text with what the model expected in its place.

    Args:
        model_id: Model of the tokens.
        read: Predictions of the text.
        tokens: The text as the model reads it.
    """
    probs, bits, ranks = np.exp(read.top_logprobs), read.surprisal_bits.tolist(), (read.ranks + 1).tolist()
    labels, input_ids, before = (
        pieces.labels(tokens),
        tokens.input_ids,
        pieces.begun_bytes(tokens.token_bytes),
    )
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
