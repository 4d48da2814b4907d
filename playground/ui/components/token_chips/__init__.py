"""The token ribbon: the reader's sentence as tokens, the same on every page."""

from __future__ import annotations

import unicodedata
from typing import Any

import streamlit as st

from playground.core import pieces
from playground.core.tokens import Tokenization
from playground.ui.components import script, style
from playground.ui.text import _, ngettext
from playground.ui.url import put

_HTML = """
<div class="ribbon" role="listbox" aria-orientation="horizontal"></div>
<div class="about"></div>
"""
_RIBBON = st.components.v2.component(
    "playground.token_chips",
    html=_HTML,
    css=style("about", "token_chips/token_chips"),
    js=script("token_chips/token_chips"),
)


def token_chips(tokenization: Tokenization, *, height: int = 120) -> int | None:
    """Draw the ribbon and say which token is selected.

    Args:
        tokenization: The sentence as the model reads it.
        height: Largest height of the ribbon in pixels; longer texts scroll inside it.

    Returns:
        Position of the selected token, or None. It stays selected from page to page.
    """
    selected = selected_token(len(tokenization))
    _RIBBON(
        key="token_chips",
        data=ribbon_data(tokenization)
        | {"selected": selected, "height": height, "say": _words(tokenization)},
        default={"selected": None},
        on_selected_change=_remember,
    )
    return selected


def selected_token(n_tokens: int) -> int | None:
    """Position of the token the reader selected, None when there is none in a sentence this long."""
    token = st.session_state.get("token", "")  # a hidden field of the frame, bound to the URL
    is_position = token.isascii() and token.isdigit() and len(token) < 6 and int(token) < n_tokens
    return int(token) if is_position else None


def ribbon_data(tokenization: Tokenization) -> dict[str, Any]:
    """The data the browser draws, as plain lists.

    Returns:
        `labels`, `ids`, `bytes` (hexadecimal), `spans` (characters) for each token; `kinds` of the tokens
        that are not plain text, by position; `groups` (start, stop, text) of tokens that share a character;
        `dir`, the direction the text is read in; `text`, to show where in it a token stands.
    """
    shown = pieces.pieces(tokenization)
    return {
        "labels": [piece.bare for piece in shown],
        "kinds": {str(i): piece.kind for i, piece in enumerate(shown) if piece.kind != "text"},
        "ids": list(tokenization.input_ids),
        "bytes": [token_bytes.hex(" ").upper() for token_bytes in tokenization.token_bytes],
        "spans": [list(span) for span in tokenization.offsets],
        "groups": [[group.start, group.stop, group.text] for group in pieces.groups(tokenization)],
        "dir": direction(tokenization.text),
        "text": tokenization.text,
    }


def _words(tokenization: Tokenization) -> dict[str, str]:
    """The ribbon's words in the reader's language; the browser fills the braces."""
    n_tokens, n_chars = len(tokenization), len(tokenization.text)
    return {
        "ribbon": _("The sentence as tokens"),
        "summary": ", ".join(
            [
                ngettext("{n:,} token", "{n:,} tokens", n_tokens).format(n=n_tokens),
                ngettext("{n:,} character", "{n:,} characters", n_chars).format(n=n_chars),
            ]
        )
        + " · "
        + _("colours go by token id, 12 in all: two tokens may share one"),
        "token": _("token {n} of {total}"),
        "id": _("id {id}"),
        "bytes": _("bytes {bytes}"),
        "character": _("character {start}"),
        "characters": _("characters {start}-{stop}"),
        "special": _("added by the tokenizer"),
    }


def direction(text: str) -> str:
    """Direction of the first strong character, as browsers decide `dir="auto"`."""
    strong = (unicodedata.bidirectional(char) for char in text)
    first = next((kind for kind in strong if kind in {"L", "R", "AL"}), "L")
    return "ltr" if first == "L" else "rtl"


def remember_token(selected: object) -> None:
    """Select the token at a position, or none; call it from a callback, before the frame draws its field."""
    position = isinstance(selected, int) and not isinstance(selected, bool) and selected >= 0
    put("token", str(selected) if position else "")


def _remember() -> None:
    remember_token(st.session_state["token_chips"]["selected"])
