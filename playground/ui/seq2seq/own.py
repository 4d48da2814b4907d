"""The reader's own pairs: a file, and what of it is trained and held out."""

from __future__ import annotations

import streamlit as st

from playground.core.files import pair_rows
from playground.core.files.pair_rows import PairFile
from playground.core.pairs.pair import Pair
from playground.core.pairs.sets import OWN
from playground.engine.contract.pairs import split
from playground.ui import file_preview, state
from playground.ui.file_preview import ColumnWanted, FileKind
from playground.ui.state import outlives_reload
from playground.ui.text import _, ngettext
from playground.ui.url import put

KEY = "seq_file"
outlives_reload(KEY)


def every_pair() -> tuple[Pair, ...]:
    """The pairs of the reader's file; none while there is none."""
    file: PairFile | None = st.session_state.get(KEY)
    return file.pairs if file else ()


def held_out() -> tuple[Pair, ...]:
    """Those that are never trained on."""
    found = every_pair()
    return split(found)[1] if found else ()


def uploader() -> None:
    """A field for the file, and what came of it."""
    limit = state.settings()
    file_preview.field(
        FileKind(
            "seq_upload",
            _("Your pairs: .csv or .jsonl with `source` and `target`, up to {n} rows").format(
                n=limit.max_upload_rows
            ),
            pair_rows.SUFFIXES,
            lambda name, data, options: pair_rows.read_pairs(
                name, data, options, max_bytes=limit.max_upload_bytes, max_rows=limit.max_upload_rows
            ),
            _count,
            _take,
            _("Use these pairs"),
            parts=(ColumnWanted(_("Column of the sources")), ColumnWanted(_("Column of the targets"))),
            columns=pair_rows.columns,
        )
    )
    file_preview.offer_sample("pairs.csv", key="seq_sample")
    file: PairFile | None = st.session_state.get(KEY)
    if file is not None:
        st.success(_count(file))
        file_preview.say_left_out(file)
        st.button(_("Discard"), key="seq_own_away", icon=":material/close:", on_click=_put_away)


def _count(file: PairFile) -> str:
    n = len(file.pairs)
    aside = len(split(file.pairs)[1])
    told = ngettext("{n} pair was read; {aside} held out.", "{n} pairs were read; {aside} held out.", n)
    return told.format(n=n, aside=aside)


def _take(_name: str, file: PairFile) -> None:
    st.session_state[KEY] = file
    st.session_state[f"seq_source_{OWN}"] = held_out()[0].source  # the browser keeps its empty field
    put("seq_data", OWN)


def _put_away() -> None:
    st.session_state.pop(KEY, None)
