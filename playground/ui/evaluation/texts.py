"""The text whose perplexity is measured: a passage of ours, the reader's sentence, or a longer text."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from playground.core.files.encoding import decode, readable_text
from playground.errors import BadFile, Message
from playground.ui import state, uploads
from playground.ui.choose import choose
from playground.ui.frame import has_sentence
from playground.ui.roles import reads
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import _, lesson, ngettext
from playground.ui.translations import localized

LONG, FILE = "ev_long_text", "ev_text_file"
outlives_reload(LONG, FILE)
SHIPPED = "tokenization"  # the lesson that is read where the reader gives no longer text


def chosen(context: PageContext) -> PageContext | None:
    """Draw the choice of the text; the context with it, None where there is none (says why).

    Args:
        context: From `frame.page`, with the model that reads the text.
    """
    names = {"en": _("English passage"), "ko": _("Korean passage")}
    first = context.language if context.language in names else "en"
    if not reads(context.model, passage(first)):
        first = "en"
    names = {first: names[first]} | names | {"mine": _("My sentence"), "long": _("A longer text")}
    which = choose("ev_text", names, _("Text"))
    if which == "mine":
        return context if has_sentence(context) else None
    return replace(context, text=_longer() if which == "long" else passage(which), no_text=None)


def passage(language: str) -> str:
    """Our own passage in a language."""
    return localized(language, "samples", "court.txt").read_text("utf-8").strip()


def _longer() -> str:
    """The reader's longer text; the lesson of another page where there is none."""
    most = state.settings().max_prompt_chars
    with st.expander(_("The longer text"), icon=":material/article:"):
        uploads.field(
            "ev_text_upload", _("A text: .txt or .md, up to {n:,} characters are read").format(n=most),
            ("txt", "md"), state.settings().max_upload_bytes, _take_file,
        )  # fmt: skip
        written = st.text_area(
            _("Or paste it here"), key=LONG, max_chars=most, height=120, persist_state="session",
            placeholder=_("Empty: a lesson of this course."),
        )  # fmt: skip
    text, n_left_out = readable_text(written.strip())
    if n_left_out:
        st.caption(
            ngettext(
                "{n} control character in the text is left out: it is not text.",
                "{n} control characters in the text are left out: they are not text.",
                n_left_out,
            ).format(n=n_left_out)
        )
    return text or lesson(SHIPPED).body[:most]


def _take_file(_name: str, data: bytes) -> None:
    """Put the text of a file into the field."""
    text, _n = readable_text(decode(data).strip())
    if not text:
        raise BadFile(reason=Message("it has no row with text."))
    st.session_state[LONG] = text[: state.settings().max_prompt_chars]
