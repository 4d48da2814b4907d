"""The tokens a model expected at a place of a text, labelled as everywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from playground.ui.components.scored_text import Expected
from playground.ui.labels import token_labels

N_EXPECTED = 5


def expected(
    model_id: str, token_ids: NDArray[np.int64], probs: NDArray[np.floating], before: bytes
) -> list[Expected]:
    """The most probable tokens of one place.

    Args:
        model_id: Model of the tokens.
        token_ids, probs: Id and probability of each, best first. Shape [n].
        before: Bytes before them that have begun a character (`pieces.open_bytes`).
    """
    labels = token_labels(model_id, token_ids, before)
    return [
        Expected(token_id, label, p)
        for token_id, label, p in zip(token_ids.tolist(), labels, probs.tolist(), strict=True)
    ]
