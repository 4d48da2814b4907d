"""BertViz on the reader's own text: head view and model view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.charts import bertviz
from playground.core import pieces
from playground.core.tables import attention as frames
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.ui import compute, show
from playground.ui.choose import choose
from playground.ui.number import slider
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.url import setting

MAX_DECODER_CHARS = 200


class Shown(NamedTuple):
    """One attention of a trace.

    Attributes:
        part: self, encoder, decoder or cross.
        weights: Attention weights of all layers. Shape [layer, head, query, key].
        queries, keys: Labels of the tokens.
    """

    part: str
    weights: NDArray[np.floating]
    queries: tuple[str, ...]
    keys: tuple[str, ...]

    def first(self, n_tokens: int) -> Shown:
        """Only the first tokens."""
        queries, keys = self.queries[:n_tokens], self.keys[:n_tokens]
        return Shown(self.part, self.weights[:, :, : len(queries), : len(keys)], queries, keys)


@st.fragment
def panel(context: PageContext, read: Trace) -> None:
    """Head view or model view of the reader's text, in BertViz's own drawing.

    Args:
        context: From `frame.page`.
        read: The text with its attentions; an encoder-decoder model is asked again, with the decoder's text.
    """
    if read.window is not None:
        told = _("BertViz draws texts of at most {limit} tokens; this one has {n}.")
        st.info(told.format(limit=bertviz.N_TOKENS["head"], n=len(read.input_ids)))
        return
    view = choose("att_bv_view", {"head": _("Head view"), "model": _("Model view")}, "BertViz")
    trace = read
    if context.model.kind == "encoder-decoder":
        given = _decoder_text(context)
        trace = compute.trace(
            context,
            tuple(read.input_ids.tolist()),
            Capture(attentions="float32"),
            decoder_text=given,
            topic="bertviz",
        )
    whole = _part(context, trace)
    shown = whole.first(bertviz.N_TOKENS[view])
    layers = [_layer(len(shown.weights))] if view == "head" else _window(len(shown.weights))
    dark = st.context.theme.type == "dark"
    drawn = _drawn(
        (*_key(trace), *shown.queries, *shown.keys),
        shown.part,
        view,
        tuple(layers),
        context.language,
        dark,
        shown,
    )
    n_all = max(len(whole.queries), len(whole.keys))
    n_drawn = max(len(shown.queries), len(shown.keys))
    st.caption(_how_to_read(view, n_drawn, n_all))
    with st.container(key="att_bv_picture"):
        st.iframe(drawn.html, height=drawn.height, alt=_("Attention weights drawn by BertViz"))
    show.provenance(trace, layer=layers[0] + 1 if view == "head" else None)
    _under(context, trace, view, layers, shown, drawn)


def _decoder_text(context: PageContext) -> str:
    """The text that the decoder reads: the reader's own, otherwise the sentence again."""
    written = st.text_input(
        _("The decoder reads (empty: your sentence again)"),
        **setting("att_bv_decoder", ""),
        max_chars=MAX_DECODER_CHARS,
    )
    return written.strip() or context.text


def _part(context: PageContext, trace: Trace) -> Shown:
    read = pieces.labels(compute.tokenize(context))
    if context.model.kind != "encoder-decoder":
        return Shown("self", _floats(trace.attentions), read, read)
    assert trace.decoder_input_ids is not None
    written = pieces.sequence_labels(compute.token_texts(context, trace.decoder_input_ids))
    names = {"cross": _("Cross-attention"), "encoder": _("Encoder"), "decoder": _("Decoder")}
    part = choose("att_bv_part", names, _("Which attention"))
    if part == "cross":
        return Shown(part, _floats(trace.cross_attentions), written, read)
    if part == "decoder":
        return Shown(part, _floats(trace.decoder_attentions), written, written)
    return Shown(part, _floats(trace.attentions), read, read)


def _floats(captured: NDArray[np.uint8] | NDArray[np.float32] | None) -> NDArray[np.floating]:
    assert captured is not None
    return captured.astype(np.float32, copy=False)


def _layer(n_layers: int) -> int:
    """The chosen layer, counted from 0; the slider counts from 1."""
    if n_layers == 1:
        return 0
    _take_older_link()
    return slider(_("Layer"), range(1, n_layers + 1), 1, key="att_bv_block", width=420) - 1


def _take_older_link() -> None:
    """Links used to say `att_bv_layer`, counted from 0."""
    older = st.query_params.pop("att_bv_layer", "")
    if older.isascii() and older.isdigit() and len(older) < 4:
        st.session_state["att_bv_block"] = int(older) + 1


def _window(n_layers: int) -> list[int]:
    starts = range(0, n_layers, bertviz.N_LAYERS)
    windows = {f"{start}-{min(start + bertviz.N_LAYERS, n_layers) - 1}": start for start in starts}
    names = {
        name: _("Layers {range}").format(range=f"{start + 1}–{min(start + bertviz.N_LAYERS, n_layers)}")
        for name, start in windows.items()
    }
    start = windows[choose("att_bv_layers", names, _("Layers"))] if len(windows) > 1 else 0
    return list(range(start, min(start + bertviz.N_LAYERS, n_layers)))


def _how_to_read(view: str, n_drawn: int, n_all: int) -> str:
    if view == "head":
        told = _(
            "Each line goes from a token to one it looks at; a colour is a head. Double-click a square to "
            "see one head alone, point at or tap a token to see its lines alone."
        )
    else:
        told = _("Columns are heads, rows are layers, at most {n} at a time. Click a picture to enlarge it.")
    limit = _("Only the first {n} of {all} tokens are drawn.") if n_drawn < n_all else ""
    return " ".join([told.format(n=bertviz.N_LAYERS), limit.format(n=n_drawn, all=n_all)]).strip()


@st.cache_resource(max_entries=32, show_spinner=False)  # 0.2 MB each
def _drawn(
    key: tuple[str | bytes | None, ...],
    part: str,
    view: str,
    layers: tuple[int, ...],
    language: str,
    dark: bool,
    _shown: Shown,
) -> bertviz.BertvizView:
    words = {
        "heads": _("Heads"),
        "layers": _("Layers"),
        "layer": _("Layer"),
        "head": _("Head"),
        "missing": _("BertViz needs its libraries from the playground's own server: llm-playground run"),
    }
    if view == "head":
        return bertviz.head_view(*_shown[1:], layer=layers[0], words=words, dark=dark)
    return bertviz.model_view(*_shown[1:], layers=layers, words=words, dark=dark)


def _key(trace: Trace) -> tuple[str | bytes | None, ...]:
    """Key of everything that the weights depend on."""
    decoder = None if trace.decoder_input_ids is None else trace.decoder_input_ids.tobytes()
    return (trace.model_id, trace.revision, trace.adapter, trace.dtype, trace.input_ids.tobytes(), decoder)


def _under(
    context: PageContext,
    trace: Trace,
    view: str,
    layers: Sequence[int],
    shown: Shown,
    drawn: bertviz.BertvizView,
) -> None:
    decoder_ids = trace.decoder_input_ids
    code = show.code(
        "bertviz_view",
        folder=show.model_folder(context.model.model_id),
        input_ids=trace.input_ids.tolist(),
        decoder_ids=[] if decoder_ids is None else decoder_ids.tolist(),
        part=shown.part,
        view=view,
        layers=list(layers),
        queries=list(shown.queries),
        keys=list(shown.keys),
    )
    table = frames.weights(shown.weights, layers, shown.queries, shown.keys)
    show.under_picture("bertviz", frame=table, code=code, picture="att_bv_picture")
    st.download_button(
        _("This view as one HTML file"),
        lambda: bertviz.standalone(drawn.html).encode(),
        "bertviz.html",
        "text/html",
        key="att_bv_html",
        on_click="ignore",
        icon=":material/download:",
    )
