"""Words looked up in the vocabulary, the line under a table's pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.core import pieces
from playground.core.canonical import is_same
from playground.core.embeddings import EmbeddingTable
from playground.paths import site_root
from playground.ui import compute, show
from playground.ui.text import _, plain

NARROW = 0.5  # at least as close are all vectors of a model that puts everything close together


@lru_cache
def samples() -> dict[str, Any]:
    """Words, analogies, contexts and sentences to start with."""
    found: dict[str, Any] = json.loads((site_root() / "assets/samples/embeddings.json").read_text("utf-8"))
    return found


def word_token(model: str, word: str) -> int | None:
    """The one token that stands for a word in running text (after a space), else for the bare word.

    None, and one sentence on the page, when the vocabulary has no such token.
    """
    tokenizers = compute.tokenizers()
    for text in (word if word.startswith(" ") else f" {word}", word):
        cut = tokenizers.tokenize(model, text, add_special_tokens=False)
        token = cut.token_bytes[0].decode("utf-8", "replace") if len(cut) == 1 else ""
        if token and is_same(token.strip().lower(), word.strip().lower()):
            return cut.input_ids[0]
    return None


def say_unknown(model: str, words: Iterable[str]) -> None:
    """One sentence for words that are not a single token, with the tokens they are read as."""
    tokenizers = compute.tokenizers()
    for word in words:
        cut = tokenizers.tokenize(model, f" {word}", add_special_tokens=False)
        read = " | ".join(pieces.labels(cut)) or "∅"
        st.warning(
            _(
                "“{word}” is not one token of this model, so the table has no vector for it: "
                "it is read as {pieces}."
            ).format(word=plain(word), pieces=plain(read))
        )


def labels(model: str, token_ids: Iterable[int]) -> dict[int, str]:
    """Token id -> how it is shown."""
    ids = np.array(sorted(set(token_ids)), dtype=np.int64)
    texts = compute.tokenizers().token_texts(model, ids)
    return {token_id: pieces.piece(text).label for token_id, text in zip(ids.tolist(), texts, strict=True)}


def table_provenance(table: EmbeddingTable) -> None:
    """Draw the small line that says where a picture's numbers come from."""
    rows, columns = table.vectors.shape
    words = [
        table.model_id,
        _("revision {hash}").format(hash=table.revision[:12]),
        _("input embedding matrix {rows:,} × {columns:,}").format(rows=rows, columns=columns),
        table.dtype,
        table.device,
    ]
    st.caption(plain(" · ".join(words)))


def cosines_in_words(cosines: NDArray[np.float32]) -> str:
    """One sentence where no two of several vectors are far from each other; else "".

    Args:
        cosines: Cosine of every two. Shape [n, n].
    """
    others = cosines[~np.eye(len(cosines), dtype=bool)]
    if not others.size or others.min() < NARROW:
        return ""
    return _(
        "All these cosines lie between {low:.2f} and {high:.2f}: this model puts everything close together, "
        "so their order says something, their size does not."
    ).format(low=others.min(), high=others.max())


def script(name: str, model: str, **values: object) -> str:
    """The code shown under a picture, reading the model's folder on this machine."""
    return show.code(name, folder=show.model_folder(model), **values)
