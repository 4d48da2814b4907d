"""Panels of the tokenization page: the live sentence, rows of tokenizers, special tokens around a text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from playground.core.canonical import canonical
from playground.core.tables import tokenization as frames
from playground.core.tokens import Tokenization, TokenizerInfo
from playground.engine.contract.tokenizers import TIKTOKEN, UNIGRAM
from playground.errors import PlaygroundError
from playground.settings import DEFAULT_ENCODER, MULTILINGUAL_ENCODER
from playground.ui import compute, show
from playground.ui.components.token_rows import LINE_BREAK, NamedRow, token_rows
from playground.ui.frame import has_sentence
from playground.ui.state import PageContext, settings
from playground.ui.text import _, ngettext, plain
from playground.ui.url import setting
from playground.ui.waiting import stop_with

DEFAULT = ("r50k_base", "cl100k_base", "o200k_base", UNIGRAM, MULTILINGUAL_ENCODER, DEFAULT_ENCODER)
MAX_ROWS = 7


# ---------------------------------------------------------------- the sentence, live


def live_text(context: PageContext) -> None:
    """A field in which the tokens follow every pause in typing; the sidebar's sentence is the same one."""
    if st.session_state.get("tok_live_of") != context.text or "tok_live" not in st.session_state:
        st.session_state["tok_live"] = context.text.replace("\n", LINE_BREAK)
        st.session_state["tok_live_of"] = context.text
    st.text_input(
        _("Type here: the tokens follow"),
        key="tok_live",
        label_visibility="collapsed",
        placeholder=_("Type here: the tokens follow"),
        max_chars=settings().max_text_chars,
        live="200ms",
        on_change=_take_live,
    )
    composed = len(canonical(context.text))
    if composed < len(context.text):
        told = _(
            "Some characters of this sentence are written in parts (decomposed, as macOS writes file names). "
            "It looks the same, but tokenizers read {n} code points; composed it would be {m}."
        )
        st.caption(told.format(n=len(context.text), m=composed))


def _take_live() -> None:
    typed = st.session_state["tok_live"]
    if LINE_BREAK not in st.session_state["tok_live_of"]:  # else it is a sign of the text itself
        typed = typed.replace(LINE_BREAK, "\n")
    if typed.strip():  # an empty field keeps the last tokens until something is typed
        st.session_state["text"] = st.session_state["tok_live_of"] = typed


# ---------------------------------------------------------------- side by side


def picked(context: PageContext) -> tuple[list[str], bool]:
    """The tokenizers to compare, the chosen model's first; whether marks are read as marks."""
    names = compute.tokenizers().names()
    first = [name for name in DEFAULT if name in names]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        others = st.multiselect(
            _("Compare with"),
            tuple(names),
            first,
            max_selections=MAX_ROWS - 1,
            **setting("tok_with", first),
        )
        read_special = st.toggle(
            _("Read as special tokens"),
            **setting("tok_special", False),
            help=_("Off: `<|endoftext|>` in your text is plain text. On: it is the special token."),
        )
    own = context.model.model_id
    return [own, *(name for name in others if name != own)], read_special


def rows(
    context: PageContext, tokens: Tokenization, tokenizer_ids: Sequence[str], read_special: bool
) -> list[NamedRow]:
    """The chosen model's row, then one for each tokenizer the reader picked.

    Args:
        context: From `frame.page`.
        tokens: The reader's text as the model reads it.
        tokenizer_ids, read_special: From `picked`.
    """
    others = [_row(name, context.text, read_special) for name in tokenizer_ids[1:]]
    if read_special or any(tokens.special):
        return [_row(context.model.model_id, context.text, read_special), *others]
    return [NamedRow(context.model.name, tokens, info(context.model.model_id).special_ids), *others]


def info(tokenizer_id: str) -> TokenizerInfo:
    """Facts about a tokenizer; a sentence and the end of this run when it is not here."""
    try:
        return compute.tokenizers().info(tokenizer_id)
    except PlaygroundError as error:
        stop_with(error)


def _row(tokenizer_id: str, text: str, read_special: bool) -> NamedRow:
    known = info(tokenizer_id)
    return NamedRow(known.name, cut(tokenizer_id, text, read_special), known.special_ids)


@st.cache_resource(max_entries=200, show_spinner=False)
def cut(tokenizer_id: str, text: str, read_special: bool = False) -> Tokenization:
    """The text as a tokenizer cuts it, without a frame around it."""
    return compute.tokenizers().tokenize(
        tokenizer_id, text, add_special_tokens=False, read_special=read_special
    )


def reading(drawn: Sequence[NamedRow]) -> str:
    """The rows in one sentence, Markdown."""
    least, most = (pick(drawn, key=lambda row: len(row.tokens)) for pick in (min, max))
    text = drawn[0].tokens.text
    n_bytes = len(text.encode())
    sizes = [
        ngettext("{n:,} character", "{n:,} characters", len(text)).format(n=len(text)),
        ngettext("{n:,} byte", "{n:,} bytes", n_bytes).format(n=n_bytes),
    ]
    if len(least.tokens) == len(most.tokens):
        n = len(least.tokens)
        told = ngettext("{size}: {n} token in every row.", "{size}: {n} tokens in every row.", n)
        return told.format(size=", ".join(sizes), n=n)
    return ngettext(
        "{size}: **{least}** needs {few} token, **{most}** needs {many}.",
        "{size}: **{least}** needs {few} tokens, **{most}** needs {many}.",
        len(least.tokens),
    ).format(
        size=", ".join(sizes),
        least=plain(least.name),
        few=len(least.tokens),
        most=plain(most.name),
        many=len(most.tokens),
    )


def provenance(tokenizer_ids: Sequence[str]) -> None:
    """The small line that says whose tokens these are."""
    known = [info(tokenizer_id) for tokenizer_id in tokenizer_ids]
    words = [
        _("{name}: {algorithm}, {n:,} tokens, {source}").format(
            name=one.tokenizer_id, algorithm=_algorithm(one), n=one.d_vocab, source=one.source
        )
        for one in known
    ]
    st.caption(plain(" · ".join(words)))


def _algorithm(known: TokenizerInfo) -> str:
    return _("Unigram trained by this page") if known.tokenizer_id == UNIGRAM else known.algorithm


def code(drawn: Sequence[NamedRow]) -> str:
    """The script that gives the tokens of the rows."""
    return show.code("tokenization", text=drawn[0].tokens.text, **sources(ids_of(drawn)))


def ids_of(drawn: Sequence[NamedRow]) -> list[str]:
    """The tokenizer ids of rows."""
    return [row.tokens.model_id for row in drawn]


def sources(tokenizer_ids: Sequence[str]) -> dict[str, Any]:
    """Sources of these tokenizers for the shown code: tiktoken's names and its cache, and files."""
    named = [name for name in tokenizer_ids if name in TIKTOKEN]
    cache_dir = settings().cache_dir
    files = {
        name: compute.tokenizers().info(name).folder or show.model_folder(name)
        for name in tokenizer_ids
        if name not in TIKTOKEN
    }
    return {"encodings": named, "files": files, "tiktoken_cache": str(cache_dir / "tiktoken")}


# ---------------------------------------------------------------- marks around the text


@st.fragment
def frame_panel(context: PageContext, read_special: bool) -> None:
    """The tokens that the model adds around the reader's text: a chat template, or its frame tokens."""
    st.markdown(f"## {_('What stands around your text?')}")
    if not has_sentence(context):
        return
    model = context.model
    known = info(model.model_id)
    if "chat_template" in model.capabilities:
        messages = [{"role": "user", "content": context.text}]
        framed = compute.tokenizers().chat(model.model_id, messages, read_special=read_special)
        script = partial(
            show.code, "chat_template", folder=show.model_folder(model.model_id), text=context.text
        )
    else:
        framed = compute.tokenize(context)
        script = partial(
            show.code, "frame_tokens", folder=show.model_folder(model.model_id), text=context.text
        )
    n_marks = sum(token_id in known.special_ids for token_id in framed.input_ids)
    st.markdown(
        _("The model reads {n} tokens: {own} from your text, {marks} special (dashed), {rest} from the "
          "template.")
        .format(n=len(framed), own=len(cut(model.model_id, context.text)), marks=n_marks,
                rest=max(0, len(framed) - n_marks - len(cut(model.model_id, context.text))))
    )  # fmt: skip
    token_rows([NamedRow(model.name, framed, known.special_ids)], key="tok_frame", height=200)
    provenance([model.model_id])
    show.under_picture("frame_tokens", frame=partial(frames.side_by_side, [framed]), code=script)
