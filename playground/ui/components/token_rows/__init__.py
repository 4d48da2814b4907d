"""Tokenizers beside each other: one row each, cut lines over the same characters of one text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import streamlit as st

from playground.core import pieces, tokenization
from playground.core.tokens import Tokenization
from playground.ui.components import script, style
from playground.ui.components.token_chips import direction, remember_token, selected_token
from playground.ui.text import _, ngettext

LINE_BREAK = "⏎"  # stands for one where a text is on one line
_COMPONENT = st.components.v2.component(
    "playground.token_rows",
    html='<div class="rows"></div><div class="about"></div>',
    css=style("about", "token_rows/token_rows"),
    js=script("token_rows/token_rows"),
)


class NamedRow(NamedTuple):
    """One tokenizer's row.

    Attributes:
        name: Short name for the reader.
        tokens: The text as this tokenizer cuts it.
        special_ids: Ids of the special tokens.
    """

    name: str
    tokens: Tokenization
    special_ids: Collection[int]


def token_rows(rows: Sequence[NamedRow], *, key: str, selects: bool = False, height: int = 560) -> None:
    """Draw the rows; the text stands above them. Pointing at a token shows its characters in every row.

    Args:
        rows: Rows of the same text, at least one.
        key: Widget key.
        selects: True if the first row is the sentence as the chosen model reads it, so that a click on one of
            its tokens selects it on every page.
        height: Largest height in pixels; longer texts scroll inside it.
    """
    selected = selected_token(len(rows[0].tokens)) if selects else None
    _COMPONENT(
        key=key,
        data=rows_data(rows)
        | {"selected": selected, "selects": selects, "height": height, "words": _words()},
        default={"clicked": None},
        on_clicked_change=lambda: remember_token(st.session_state[key]["clicked"]),
    )


def rows_data(rows: Sequence[NamedRow]) -> dict[str, Any]:
    """The data the browser draws, as plain lists.

    Returns:
        `characters` (as shown), `dir`, the direction they are read in, `breaks` (where lines may break), and
        for each row its `name`, `note`, `cells` (start, stop, first, last of `core.tokenization.Cell`),
        `labels`, `ids`, `bytes` (hexadecimal), `spans` (characters as Python counts them), `kinds` of the
        tokens that are not plain text, by position.
    """
    text = rows[0].tokens.text
    characters = [pieces.visible(character) for character in pieces.characters(text)]
    cut = [tokenization.cells(row.tokens) for row in rows]
    return {
        "characters": characters,
        "dir": direction(text),
        "breaks": tokenization.common_cuts(cut, len(characters)),
        "rows": [_row(row, cells) for row, cells in zip(rows, cut, strict=True)],
    }


def _row(row: NamedRow, cells: Sequence[tokenization.Cell]) -> dict[str, Any]:
    tokens = row.tokens
    shown = pieces.pieces(tokens)
    kinds = {
        str(i): "special" if token_id in row.special_ids else piece.kind
        for i, (piece, token_id) in enumerate(zip(shown, tokens.input_ids, strict=True))
        if piece.kind != "text" or token_id in row.special_ids
    }
    n = len(tokens)
    return {
        "name": row.name,
        "note": ngettext("{n:,} token", "{n:,} tokens", n).format(n=n),
        "cells": [[cell.start, cell.stop, cell.first, cell.last] for cell in cells],
        "labels": [piece.bare for piece in shown],
        "ids": list(tokens.input_ids),
        "bytes": [token_bytes.hex(" ").upper() for token_bytes in tokens.token_bytes],
        "spans": [list(span) for span in tokens.offsets],
        "kinds": kinds,
    }


def _words() -> dict[str, str]:
    """The words in the reader's language; the browser fills the braces."""
    return {
        "hint": _(
            "Point at or tap a token, or move with the arrow keys: its characters light up in every row."
        ),
        "rows": _("The text under each tokenizer"),
        "token": _("token {n} of {total}"),
        "id": _("id {id}"),
        "bytes": _("bytes {bytes}"),
        "character": _("character {start}"),
        "characters": _("characters {start}-{stop}"),
        "special": _("a special token: structure, not text"),
    }
