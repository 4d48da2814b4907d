"""The sentence map: own sentences as vectors, their neighbours, a search that compares meanings."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import streamlit as st

from playground.core import projections
from playground.core import sentences as core
from playground.core.byte_cache import ByteCache
from playground.core.embeddings import EmbeddingTable
from playground.core.projections import Projection, cosine_matrix
from playground.core.tables import embeddings as frames
from playground.core.tables.sampling import zero_unsigned
from playground.core.trace import Trace
from playground.engine.contract.models import ModelInfo
from playground.ui import compute, frame, roles, show, state, warming
from playground.ui.choose import choose
from playground.ui.components.vector_map import vector_map
from playground.ui.embeddings import upload
from playground.ui.embeddings.choosing import cosines_in_words, samples, script
from playground.ui.embeddings.reading import Read, read_all
from playground.ui.number import number_field
from playground.ui.state import PageContext
from playground.ui.text import N_, _, plain, sentence, strong
from playground.ui.url import setting

N_HITS = 6
Hits = list[tuple[int, float]]
_TOPICS = {
    "weather": N_("weather"),
    "food": N_("food"),
    "sport": N_("sport"),
    "machines": N_("machines"),
    "money": N_("money"),
    "animals": N_("animals"),
}
_arranging = threading.Lock()  # t-SNE of 500 sentences keeps two cores busy for seconds: one at a time


@dataclass(frozen=True, eq=False)
class _Map:
    """A projection that knows its size."""

    projection: Projection

    @property
    def size_bytes(self) -> int:
        """Size of the vectors in bytes."""
        return self.projection.points.nbytes + self.projection.explained.nbytes


_maps: ByteCache[_Map] = ByteCache(8 * 2**20)


def draw(context: PageContext, _table: EmbeddingTable) -> None:
    """Sentences, their map, what is near the clicked one, the search."""
    st.markdown(f"## {_('Which sentences mean something similar?')}")
    method, n_dims, seed = _controls()
    texts, groups = _sentences(context)
    query = st.text_input(
        _("Search by meaning"), max_chars=200, **setting("emb_query", ""),
        placeholder=_("Search by meaning, for example: pets that hunt mice"), label_visibility="collapsed",
    )  # fmt: skip
    model = _encoder(context, texts, query)
    if model is None:
        return
    read = read_all(context, model, texts, groups)
    if read is None:
        return
    projection = _arrange(read.vectors, n_dims, method, seed)
    found = _search(context, model, read, query)
    selected = _selected_sentence(len(read.sentences))
    near = (
        []
        if selected is None
        else core.closest(read.vectors, read.vectors[selected], N_HITS, without=selected)
    )
    _picture(read, projection, selected, near or found)
    _lists(read, selected, near, query, found)
    _say_what_cosines_tell(model, read)
    show.provenance(read.trace, layer=read.trace.hidden_layers[-1])
    shown = frames.sentence_map(projection, read.sentences, read.groups)
    max_tokens = model.max_seq_length or model.n_ctx
    values = {"method": method, "n_dims": n_dims, "seed": seed, "query": query, "max_tokens": max_tokens}
    values |= {"before_text": model.prefixes.text, "before_query": model.prefixes.query}
    code = script("embeddings_sentences", model.model_id, sentences=list(read.sentences), **values)
    show.under_picture("embeddings_sentences", frame=shown, code=code, picture="emb_map")
    _downloads(read)


def _controls() -> tuple[str, int, int]:
    """Method, dimensions, seed; and the button of the upload."""
    method_at, dims_at, seed_at, upload_at = st.columns([4, 7, 5, 5], vertical_alignment="center")
    with method_at:
        method = choose("emb_method", {"pca": "PCA", "tsne": "t-SNE"}, _("Map"))
    with dims_at:
        n_dims = choose("emb_dims", {"2": _("2 dimensions"), "3": _("3 dimensions")}, _("Dimensions"))
    with seed_at.container(horizontal=True, vertical_alignment="center"):
        st.caption(_("Seed"), width="content")
        seed = number_field(
            _("Seed"), 0, 2**32 - 1, 0, key="emb_map_seed",
            disabled=method == "pca", label_visibility="collapsed",
        )  # fmt: skip
    with upload_at:
        upload.button()
    return method, int(n_dims), int(seed)


def _encoder(context: PageContext, texts: tuple[str, ...], query: str) -> ModelInfo | None:
    """The chosen model when it is an encoder, otherwise one that reads the sentences and what is searched.

    None while it is not in memory (says why): until then it is not known how many layers it has.
    """
    if context.model.kind == "encoder":
        return context.model
    of_texts, of_query = (roles.encoder_of(text) for text in (" ".join(texts), query))
    wanted = of_query if of_texts == state.settings().default_encoder else of_texts
    return warming.model_when_ready(frame.models()[wanted])


def _sentences(context: PageContext) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The reader's file, or the sample in the language of the page, with its topics."""
    file = upload.sentences()
    if file is not None:
        return file, ("",) * len(file)
    sample = samples()["sentences"]
    topics = sample.get(context.language, sample["en"])
    pairs = [(text, topic) for topic, texts in topics.items() for text in texts]
    return tuple(text for text, _topic in pairs), tuple(topic for _text, topic in pairs)


def _arrange(vectors: core.Vectors, n_dims: int, method: str, seed: int) -> Projection:
    """The map, from the cache when these very vectors were arranged before."""
    key = (method, n_dims, seed if method == "tsne" else 0, vectors.tobytes())
    known = _maps.get(key)
    if known is None and method == "tsne":
        with st.spinner(_("Arranging the map")), _arranging:
            known = _maps.get(key) or _Map(projections.tsne(vectors, n_dims, seed=seed))
    elif known is None:
        known = _Map(projections.pca(vectors, n_dims))
    _maps.put(key, known)
    return known.projection


def _search(context: PageContext, model: ModelInfo, read: Read, query: str) -> Hits:
    if not query.strip():
        return []
    reads = compute.traces(
        context, model.model_id, [model.prefixes.query + query.strip()], hidden_states=(model.n_layer,),
        max_tokens=model.max_seq_length,
    )  # fmt: skip
    for _row, one in reads:
        if isinstance(one, Trace):
            return core.closest(read.vectors, core.sentence_vector(one), N_HITS)
        st.warning(sentence(one))
    return []


def _selected_sentence(n: int) -> int | None:
    clicked = st.session_state.get("emb_map") or {}
    selected = clicked.get("selected")
    valid = isinstance(selected, int) and not isinstance(selected, bool) and 0 <= selected < n
    return selected if valid else None


def _picture(read: Read, projection: Projection, selected: int | None, near: Hits) -> None:
    topics = list(dict.fromkeys(read.groups))
    vector_map(
        key="emb_map",
        points=projection.points,
        labels=read.sentences,
        groups=[topics.index(topic) for topic in read.groups],
        names=[_(_TOPICS[topic]) if topic else "" for topic in topics],
        selected=selected,
        near=[row for row, _cosine in near],
    )
    if len(projection.explained):
        share = float(projection.explained.sum())
        st.markdown(
            _(
                "The map keeps {share:.1%} of the variance of {d} dimensions: what is close on the map is "
                "not always close in all dimensions; the lists below are exact."
            ).format(share=share, d=read.vectors.shape[1])
        )
    else:
        st.markdown(
            _(
                "t-SNE keeps neighbours together; distances between groups mean nothing. "
                "The lists below are exact."
            )
        )


def _lists(
    read: Read,
    selected: int | None,
    near: Hits,
    query: str,
    found: Hits,
) -> None:
    left, right = st.columns(2)
    with left:
        if selected is None:
            st.caption(_("Click a point: its nearest sentences are listed here."))
        else:
            st.markdown(_("Nearest to: {text}").format(text=strong(read.sentences[selected])))
            _table(near, read.sentences)
    with right:
        if not found:
            st.caption(
                _("Search: the sentences closest in meaning are listed here, whatever words they use.")
            )
        else:
            st.markdown(_("Found for: {text}").format(text=strong(query)))
            _table(found, read.sentences)


def _say_what_cosines_tell(model: ModelInfo, read: Read) -> None:
    """The prefix that the model reads before a sentence, and how far apart the cosines lie."""
    told = []
    before = model.prefixes
    if before.text:
        told.append(
            _(
                "As in its training, {model} reads `{text}` before each sentence and `{query}` before what "
                "is searched."
            ).format(model=plain(model.name), text=before.text.strip(), query=before.query.strip())
        )
    told.append(cosines_in_words(cosine_matrix(read.vectors)))
    st.caption(" ".join(filter(None, told)))


def _table(found: Hits, sentences: tuple[str, ...]) -> None:
    config: dict[str, Any] = {
        "place": None,
        "number": _("No."),
        "cosine": st.column_config.NumberColumn(_("Cosine"), format="%.3f"),
        "sentence": _("Sentence"),
    }
    hits = frames.hits(found, sentences)
    st.dataframe(hits.assign(cosine=zero_unsigned(hits["cosine"], 3)), hide_index=True, column_config=config)


def _downloads(read: Read) -> None:
    """The vectors for elsewhere: NumPy, and the pair of files the embedding projector reads."""
    with st.container(horizontal=True):
        st.download_button(
            _("Vectors (.npy)"), lambda: core.npy_bytes(read.vectors), "vectors.npy",
            key="emb_npy", on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        st.download_button(
            _("Projector vectors (.tsv)"), lambda: core.vectors_tsv(read.vectors), "vectors.tsv",
            key="emb_vectors", on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        st.download_button(
            _("Projector metadata (.tsv)"), lambda: core.metadata_tsv(read.sentences, read.groups),
            "metadata.tsv", key="emb_metadata", on_click="ignore", icon=":material/download:",
        )  # fmt: skip
