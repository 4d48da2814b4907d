"""The BPE lab of the tokenization page: what is trained on, the training step by step, and its use."""

from __future__ import annotations

import inspect
from functools import lru_cache, partial
from typing import Any

import pandas as pd
import streamlit as st

from playground.charts import tokenization as charts
from playground.core import bpe
from playground.core.files.prompts import read_text
from playground.core.pieces import visible
from playground.core.tables import tokenization as frames
from playground.core.tokens import Tokenization, readable, spans_of_bytes
from playground.ui import file_preview, show
from playground.ui.choose import choose
from playground.ui.components.bpe_lab import N_STEPS, bpe_lab, watched_word
from playground.ui.components.token_rows import NamedRow, token_rows
from playground.ui.file_preview import FileKind
from playground.ui.frame import has_sentence
from playground.ui.number import slider
from playground.ui.state import PageContext, outlives_reload, settings
from playground.ui.text import N_, _, ngettext, plain
from playground.ui.tokenization.granularity import corpus
from playground.ui.url import setting

N_MERGES = 1_000
TEXTBOOK = "aaabdaaabac"
KEY = "tok_text"
outlives_reload(KEY)
_SOURCES = {
    "en": N_("English story"),  # the first is the default
    "ko": N_("Korean story"),
    "textbook": N_("Textbook: aaabdaaabac"),
    "sentence": N_("Your sentence"),
    "file": N_("Your file"),
}


@st.fragment
def lab_panel(context: PageContext) -> None:
    """Train byte pair encoding, watch it merge, and use it."""
    st.markdown(f"## {_('How is a vocabulary built? The BPE lab')}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width="content", gap="xxsmall"):
            st.caption(_("Training text"))
            names = {name: _(msgid) for name, msgid in _SOURCES.items()}
            source = choose("tok_source", names, _("Training text"))
        word = st.text_input(
            _("Word to watch"), max_chars=40, width=200, live="200ms", **setting("tok_word", "")
        )
    if source == "sentence" and not has_sentence(context):
        return
    text = _training_text(source, context)
    if not text.strip():
        st.info(_("Upload a text file, and the training starts."))
        return
    trained = train(text)
    watched = watched_word(word, text)
    if watched:
        st.caption(
            _("Watched: {word}, cut as in the training text (· is a space). One word is watched at a time.")
            .format(word=plain(visible(watched)))
        )  # fmt: skip
    with st.container(key="tok_lab"):
        bpe_lab(trained, text, watched, key="bpe_lab")
    if len(trained.steps) > N_STEPS:
        st.caption(
            _("The first {n:,} of the {total:,} merges are shown step by step; the curve below has them all.")
            .format(n=N_STEPS, total=len(trained.steps))
        )  # fmt: skip
    _provenance(trained, text)
    script = partial(shown_code, text, len(trained.steps))
    show.under_picture("bpe", frame=partial(_merges, text), code=script, picture="tok_lab")
    _use(trained, text, context)


def _use(trained: bpe.BytePairEncoding, text: str, context: PageContext) -> None:
    """The vocabulary-size slider, the curve, and the encoding of a new text."""
    st.markdown(f"### {_('How large a vocabulary?')}")
    most = len(trained.steps)
    if not most:
        st.caption(_("This text has no pair to merge: it is one character."))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = min(most, 300)
        wanted = slider(_("Merges"), range(N_MERGES + 1), first, key="tok_merges")
        fresh = st.text_input(
            _("Cut a new text with it"),
            **setting("tok_fresh", ""),
            max_chars=500,
            live="200ms",
            placeholder=context.text[:500],
        )
    fresh = fresh or context.text[:500]
    n_merges = min(wanted, most)
    here = trained.first(n_merges)
    curve = _curve(text)
    at = curve["n_merges"] == n_merges
    label = _("{n:,} tokens in the vocabulary, {per_word:.2f} per word").format(
        n=int(curve.loc[at, "d_vocab"].iloc[0]), per_word=float(curve.loc[at, "tokens_per_word"].iloc[0])
    )
    drawn = curve.assign(now=at, label=label)
    alt = _("Tokens per word against vocabulary size")
    show.show_chart(_curve_picture(context.language), "tok_curve", alt, data=drawn)
    st.markdown(label)
    _provenance(trained, text)
    script = partial(shown_code, text, most)
    show.under_picture("vocabulary", frame=curve, code=script, picture="tok_curve")
    found = tokenized(here, fresh)
    token_rows([NamedRow(_("BPE, {n} merges").format(n=n_merges), found, ())], key="tok_encoded", height=150)
    _provenance(here, text)
    script = partial(shown_code, text, n_merges, fresh)
    show.under_picture("encoded", frame=partial(frames.side_by_side, [found]), code=script)
    with st.container(horizontal=True):
        for name, label, data in (
            ("merges.txt", _("Download the merges"), here.merges_txt),
            ("vocab.json", _("Download the vocabulary"), here.vocab_json),
        ):
            st.download_button(
                label, data, name, on_click="ignore", icon=":material/download:", key=f"tok_{name[:5]}"
            )


def tokenized(trained: bpe.BytePairEncoding, text: str) -> Tokenization:
    """A text as the trained encoding cuts it."""
    ids = trained.encode(text)
    pieces = tuple(trained.vocab[token_id] for token_id in ids)
    text = trained.decode(ids)
    spans = spans_of_bytes(text, pieces)
    return Tokenization("bpe", text, ids, tuple(map(readable, pieces)), pieces, spans, (False,) * len(ids))


@st.cache_resource(max_entries=24, show_spinner=False)
def train(text: str) -> bpe.BytePairEncoding:
    """The training on a text, shared by everybody who trains on it."""
    return bpe.train(text, N_MERGES)


@st.cache_resource(max_entries=24, show_spinner=False)
def _merges(text: str) -> pd.DataFrame:
    return frames.merges(train(text))


@st.cache_resource(max_entries=24, show_spinner=False)
def _curve(text: str) -> pd.DataFrame:
    return frames.vocabulary_curve(train(text))


def shown_code(text: str, n_merges: int, new_text: str = "") -> str:
    """`core.bpe` itself, and three lines that use it on this text."""
    use = show.code("bpe", text=text, n_merges=n_merges, new_text=new_text)
    source = inspect.getsource(bpe)
    return (
        source
        + "\n\n"
        + "".join(line for line in use.splitlines(keepends=True) if not line.startswith("from playground"))
    )


def _training_text(source: str, context: PageContext) -> str:
    """The chosen text, as long as may be trained on; says what was left out."""
    if source == "textbook":
        return TEXTBOOK
    if source in ("en", "ko"):
        return corpus(source)
    text = context.text if source == "sentence" else _uploaded()
    limit = settings().max_training_chars
    if len(text) > limit:
        left_out = len(text) - limit
        st.warning(
            ngettext(
                "The text is longer than {limit:,} characters: the last one is left out.",
                "The text is longer than {limit:,} characters: the last {n:,} are left out.",
                left_out,
            ).format(limit=limit, n=left_out)
        )
    return text[:limit]


def _uploaded() -> str:
    """The text of the reader's file."""
    limit = settings().max_upload_bytes
    file_preview.field(
        FileKind(
            "tok_upload",
            _("A text, .txt or .csv, up to 1 MB"),
            ("txt", "csv"),
            lambda name, data, options: read_text(name, data, options, max_bytes=limit),
            lambda read: _count(read[0]),
            _take,
            _("Train on this text"),
        )
    )
    text, n_left_out = st.session_state.get(KEY, ("", 0))
    if text:
        st.success(_count(text))
    if n_left_out:
        st.warning(
            ngettext(
                "{n} control character in the text is left out: it is not text.",
                "{n} control characters in the text are left out: they are not text.",
                n_left_out,
            ).format(n=n_left_out)
        )
    return str(text)


def _take(_name: str, read: tuple[str, int]) -> None:
    st.session_state[KEY] = read


def _count(text: str) -> str:
    n = len(text)
    return ngettext("{n:,} character was read.", "{n:,} characters were read.", n).format(n=n)


def _provenance(trained: bpe.BytePairEncoding, text: str) -> None:
    words = [
        "playground.core.bpe",
        ngettext("{n:,} character", "{n:,} characters", len(text)).format(n=len(text)),
        ngettext("{n:,} word", "{n:,} words", trained.n_words).format(n=trained.n_words),
        ngettext("{n:,} merge", "{n:,} merges", len(trained.steps)).format(n=len(trained.steps)),
    ]
    st.caption(" · ".join(words))


@lru_cache
def _curve_picture(language: str) -> dict[str, Any]:
    return charts.vocabulary_curve({"d_vocab": _("Vocabulary size"), "per_word": _("Tokens per word")})
