"""Context moves meaning: one word in several sentences, followed through the layers."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from playground.charts import embedding_maps as charts
from playground.core import contexts as core
from playground.core.contexts import Contexts
from playground.core.embeddings import EmbeddingTable
from playground.core.pieces import labels
from playground.core.tables import embeddings as frames
from playground.core.trace import Trace
from playground.engine.contract.models import ModelInfo
from playground.errors import PlaygroundError
from playground.settings import DEFAULT_DECODER
from playground.ui import compute, roles, show
from playground.ui.choose import choose
from playground.ui.embeddings.choosing import cosines_in_words, samples, script
from playground.ui.number import slider
from playground.ui.state import PageContext
from playground.ui.text import _, plain, sentence
from playground.ui.url import setting

MAX_SENTENCES = 24
MAX_CHARS = 200
OWN = "own"
_OWN_TEXT = (
    "In the cave we saw a bat\nAt night flew a hungry bat\n\n"
    "He hit the ball with a bat\nThe player swung her bat"
)


def draw(context: PageContext, _table: EmbeddingTable) -> None:
    """Model, word and sentences; then map, cosines and separation under one layer slider."""
    left, right = st.columns([3, 2])
    with left:
        names = {word: word for word in samples()["contexts"]} | {OWN: _("my own")}
        sample = choose("emb_sample", names, _("Word"))
    word, texts, groups = _own() if sample == OWN else _sample(sample)
    infos = _models(context, " ".join(texts))
    with right:
        model = infos[choose("emb_reader", {i: info.name for i, info in infos.items()}, _("Model"))]
    if not word or not texts:
        st.info(_("Enter a word and at least two sentences that contain it, one per line."))
        return
    found = _read(context, model, word, texts, groups)
    if found is not None:
        kept, trace, folded = found
        _panel(context, model, word, kept, trace, folded)


def _models(context: PageContext, text: str) -> dict[str, ModelInfo]:
    """The chosen model, SmolLM2 and an encoder: those that can be read from, each once.

    First comes the chosen one, or the encoder where only that was trained on the script of the sentences.
    """
    known = {info.model_id: info for info in compute.models()}
    chosen, encoder = context.model.model_id, roles.encoder_of(text)
    foreign = not roles.reads(context.model, text) and roles.reads(known[encoder], text)
    wanted = dict.fromkeys((*([encoder] if foreign else []), chosen, DEFAULT_DECODER, encoder))
    return {
        model: known[model]
        for model in wanted
        if known[model].state != "absent" and known[model].kind != "encoder-decoder"
    }


def _sample(name: str) -> tuple[str, tuple[str, ...], tuple[int, ...]]:
    senses = samples()["contexts"][name]
    pairs = [(text, group) for group, texts in enumerate(senses) for text in texts]
    return name, tuple(text for text, _group in pairs), tuple(group for _text, group in pairs)


def _own() -> tuple[str, tuple[str, ...], tuple[int, ...]]:
    left, right = st.columns([1, 3])
    word = left.text_input(_("The word"), "bat", max_chars=40, **setting("emb_ctx_word", "bat"))
    text = right.text_area(
        _("Sentences, one per line; an empty line starts the next sense"),
        _OWN_TEXT,
        **setting("emb_ctx_text", _OWN_TEXT),
        height=140,
        max_chars=2_000,
    )
    texts, groups = core.grouped(text)
    if len(texts) > MAX_SENTENCES:
        st.warning(_("Only the first {n} sentences are read.").format(n=MAX_SENTENCES))
    return word.strip(), texts[:MAX_SENTENCES], groups[:MAX_SENTENCES]


def _read(
    context: PageContext, model: ModelInfo, word: str, texts: tuple[str, ...], groups: tuple[int, ...]
) -> tuple[Contexts, Trace, tuple[str, ...]] | None:
    """Every sentence that holds the word, at every layer; a sentence of ours for those that do not."""
    places: dict[int, tuple[int, ...]] = {}
    tokens: tuple[str, ...] = ()
    for number, text in enumerate(texts):
        if len(text) > MAX_CHARS:
            st.warning(
                _("Sentence {n} is longer than {limit} characters and is left out.").format(
                    n=number + 1, limit=MAX_CHARS
                )
            )
            continue
        cut = compute.cut(model.model_id, text)
        found = core.positions_of(word, cut)
        if found:
            places[number] = found
            shown = labels(cut)
            tokens = tuple(shown[place] for place in found)
        else:
            st.warning(_("Sentence {n} does not contain the word and is left out.").format(n=number + 1))
    if len(places) < 2:
        st.info(_("Enter a word and at least two sentences that contain it, one per line."))
        return None
    traces: dict[int, Trace] = {}
    wanted = list(places)
    for place, read in compute.traces(
        context, model.model_id, [texts[i] for i in wanted], hidden_states="all"
    ):
        if isinstance(read, PlaygroundError):
            st.warning(sentence(read))
        else:
            traces[wanted[place]] = read
    kept = sorted(traces)
    if len(kept) < 2:
        return None
    vectors = np.stack([core.word_vectors(traces[i], places[i]) for i in kept], axis=1)
    layers = traces[kept[0]].hidden_layers
    compared = core.compare([texts[i] for i in kept], [groups[i] for i in kept], layers, vectors)
    return compared, traces[kept[-1]], tokens


def _panel(
    context: PageContext, model: ModelInfo, word: str, found: Contexts, trace: Trace, tokens: tuple[str, ...]
) -> None:
    """Everything under the layer slider; moving it computes nothing but these small pictures."""

    @st.fragment
    def panel() -> None:
        n_layer = found.layers[-1]
        best = found.best_layer
        layer = slider(
            _("Layer (0 = embedding)"), range(n_layer + 1), n_layer // 3, key=f"emb_layer_{n_layer}"
        )
        st.markdown(f"## {_('Does the sentence change what {word} is?').format(word=plain(word))}")
        left, right = st.columns(2)
        points, cosines = frames.context_map(found, layer), frames.context_cosines(found, layer)
        with left:
            alt = _("The word in each sentence, as points of a map")
            drawn = charts.context_points(points)
            show.show_chart(_map(context.language), "emb_context", alt, data=drawn)
        with right:
            alt = _("Cosine of every two occurrences of the word")
            show.show_chart(_matrix(context.language, _lowest(found)), "emb_cosines", alt, data=cosines)
        st.markdown(_reading(found, layer, best, tokens, model))
        show.provenance(trace, layer=layer)
        values = {"word": word, "sentences": list(found.sentences), "groups": list(found.groups)}
        code = script("embeddings_context", model.model_id, layer=layer, **values)
        left, right = st.columns(2)
        with left:
            show.under_picture("embeddings_context", frame=points, code=code, picture="emb_context")
        with right:
            show.under_picture("embeddings_cosines", frame=cosines, code=code, picture="emb_cosines")
        with st.expander(_("The sentences")):
            st.dataframe(points[["number", "sense", "sentence"]], hide_index=True)

        st.markdown(f"## {_('At which layer do the senses part?')}")
        curve = frames.separations(found, layer)
        alt = _("Separation of the senses at each layer")
        show.show_chart(_curve(context.language), "emb_separation", alt, data=curve)
        show.provenance(trace)
        show.under_picture("embeddings_separation", frame=curve, code=code, picture="emb_separation")

    panel()


def _reading(found: Contexts, layer: int, best: int | None, tokens: tuple[str, ...], model: ModelInfo) -> str:
    told = []
    score = found.scores[found.layers.index(layer)]
    if score is None or best is None:
        told.append(_("Two senses, one with two sentences at least, give a separation score."))
    else:
        told.append(
            _(
                "At layer {layer} the senses separate with {score:.3f} (1 = perfect, 0 = none, "
                "below 0 = mixed: nearer to another sense than to their own), "
                "at best with {best_score:.3f} at layer {best}."
            ).format(layer=layer, score=score, best=best, best_score=found.scores[found.layers.index(best)])
        )
    if len(tokens) > 1:
        told.append(
            _("The word is {n} tokens here ({tokens}); its vector is their average.").format(
                n=len(tokens), tokens=plain(" | ".join(tokens))
            )
        )
    if model.kind == "decoder":
        told.append(_("This model reads from the left: only what stands before the word can move it."))
    else:
        told.append(_("This model reads both sides: words after it move it too."))
    told.append(cosines_in_words(found.cosines[found.layers.index(layer)]))
    return " ".join(filter(None, told))


def _lowest(found: Contexts) -> float:
    """The cosine at which the colours start, the same at every layer."""
    return min(math.floor(float(found.cosines.min()) * 10) / 10, 0.9)


@lru_cache
def _map(language: str) -> dict[str, Any]:
    return charts.context_map({"sense": _("Sense"), "sentence": _("Sentence")})


@lru_cache
def _matrix(language: str, lowest: float) -> dict[str, Any]:
    return charts.cosine_matrix({"cosine": _("Cosine")}, lowest)


@lru_cache
def _curve(language: str) -> dict[str, Any]:
    layer = f"{_('Layer (0 = embedding)')} · {_('large dot: the chosen layer')}"
    return charts.separation_curve({"layer": layer, "separation": _("Separation")})
