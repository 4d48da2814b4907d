"""From random to meaning: the same words before training, as numbers drawn at random, and after it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from playground.charts import embedding_maps as charts
from playground.core.embeddings import EmbeddingTable
from playground.core.projections import cosine_matrix, pca, separation
from playground.core.tables import embeddings as frames
from playground.ui import compute, show
from playground.ui.embeddings.choosing import samples, say_unknown, script, table_provenance, word_token
from playground.ui.number import number_field
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.url import setting

MAX_WORDS = 60
LEARNED = 0.05  # gain of the separation score from which on it is said to be learned


def read_words(text: str) -> tuple[list[str], list[int]]:
    """Words between commas, one group per line; a word twice counts once.

    Returns:
        Words, and the group of each, from 0.

    Example:
        >>> read_words("dog, cat\\n\\nred")
        (['dog', 'cat', 'red'], [0, 0, 1])
    """
    groups: dict[str, int] = {}
    lines = [line for line in text.splitlines() if line.strip()]
    for group, line in enumerate(lines):
        for word in line.split(","):
            if word.strip():
                groups.setdefault(word.strip()[:40], group)
    words = list(groups)[:MAX_WORDS]
    return words, [groups[word] for word in words]


def draw(context: PageContext, table: EmbeddingTable) -> None:
    """The words, the seed, two maps."""
    start = "\n".join(", ".join(group) for group in samples()["words"])
    left, right = st.columns([4, 1])
    text = left.text_area(
        _("Words, one group per line"),
        start,
        **setting("emb_words", start),
        height=140,
        max_chars=600,
    )
    with right:
        seed = number_field(_("Seed"), 0, 2**32 - 1, 0, key="emb_seed")
    words, groups = read_words(text)
    ids = [word_token(context.model.model_id, word) for word in words]
    say_unknown(context.model.model_id, [w for w, i in zip(words, ids, strict=True) if i is None][:5])
    kept = [(w, g, i) for w, g, i in zip(words, groups, ids, strict=True) if i is not None]
    if len(kept) < 3:
        st.info(_("Enter at least three words, each a single token of this model."))
        return
    _pictures(context, table, kept, int(seed))


def _pictures(
    context: PageContext, table: EmbeddingTable, kept: list[tuple[str, int, int]], seed: int
) -> None:
    words = [word for word, _group, _id in kept]
    groups = [group for _word, group, _id in kept]
    ids = [token_id for _word, _group, token_id in kept]
    trained = table.vectors[np.array(ids)]
    random = compute.vectors().untrained_vectors(len(ids), trained.shape[1], seed)
    st.markdown(f"## {_('What did training do to these words?')}")
    frame = frames.maps({"random": pca(random), "trained": pca(trained)}, words, groups)
    alt = _("The same words before and after training, as two maps")
    show.show_chart(_maps(context.language), "emb_training", alt, data=charts.group_points(frame))
    before, after = (separation(cosine_matrix(vectors), groups) for vectors in (random, trained))
    if before is not None and after is not None:
        told = _(
            "Separation of the groups: {before:.3f} before training, {after:.3f} after (1 = perfect, "
            "0 = none, below 0 = mixed: nearer to another group than to their own)."
        ).format(before=before, after=after)
        learned = (
            _("An untrained embedding knows nothing of words: what separates the groups was learned.")
            if after - before >= LEARNED
            else _("For these groups training made no difference that this score shows.")
        )
        st.markdown(f"{told} {learned}")
    else:
        st.markdown(_("Two groups or more, each with two words, give a separation score."))
    table_provenance(table)
    code = script("embeddings_training", table.model_id, words=words, groups=groups, seed=seed)
    show.under_picture("embeddings_training", frame=frame, code=code, picture="emb_training")


@lru_cache
def _maps(language: str) -> dict[str, Any]:
    maps = {"random": _("Untrained: drawn at random"), "trained": _("Trained: from the model")}
    return charts.group_maps(maps, {"group": _("Group")})
