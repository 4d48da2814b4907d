"""Labels of tokens that are not part of a text on the page: ids of the vocabulary."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from playground.core import pieces
from playground.ui import compute


def token_labels(model_id: str, token_ids: NDArray[np.int64], before: bytes = b"") -> tuple[str, ...]:
    """Labels of tokens that may come next: `·London`, `EC …`.

    Args:
        model_id: Model of the tokens.
        token_ids: Ids of the tokens.
        before: Bytes before them that have begun a character; none after a whole text.
    """
    texts = compute.tokenizers().token_texts(model_id, token_ids)
    return tuple(pieces.piece(text, before).label for text in texts)
