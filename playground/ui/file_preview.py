"""A file before it is used: how it is read, its first rows, what is left out; then a click that uses it.

Nothing that was there before is touched until that click.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from playground.core.files.encoding import Encoding, EncodingGuess, decode, guess_encoding
from playground.core.files.rows import SEPARATORS, ReadOptions, RowFile, Sheet, Unusable, sheet, suffix_of
from playground.errors import BadFile, PlaygroundError, UnclearEncoding
from playground.ui import state, uploads
from playground.ui.text import _, ngettext, plain, sentence
from playground.ui.translations import localized

_SHOWN_ROWS = 5
_SHOWN_ERRORS = 5
_SHOWN_CHARS = 200
_ENCODINGS: dict[Encoding, str] = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp949": "CP949 (EUC-KR)",
    "cp1252": "Windows-1252",
}


@dataclass(frozen=True)
class ColumnWanted:
    """A column that is asked for: its words, and whether there may be none."""

    words: str
    is_optional: bool = False


@dataclass(frozen=True)
class FileKind:
    """One kind of file.

    Attributes:
        key: Key of its field; other keys of the session start with it.
        label: Label of the field: files that may be uploaded, with their limits.
        suffixes: Suffixes of files that are accepted.
        read: Makes of name, bytes and how to read them what is used; raises `BadFile`.
        count: Says how much that is.
        take: Called with the name and what was read, at the click that uses it.
        parts: The columns a .csv must have; () where it is read as it stands.
        columns: Gives the columns of the parts, from the names of the first row.
        use: The words of the click.
        max_rows: Most rows that are read; None for those of the settings.
        max_bytes: Longest file; None for that of the settings.
    """

    key: str
    label: str
    suffixes: Sequence[str]
    read: Callable[[str, bytes, ReadOptions], Any]
    count: Callable[[Any], str]
    take: Callable[[str, Any], None]
    use: str
    parts: tuple[ColumnWanted, ...] = ()
    columns: Callable[[Sheet], tuple[int, ...] | None] = lambda _sheet: None
    max_rows: int | None = None
    max_bytes: int | None = None


@dataclass(frozen=True)
class _Draft:
    """A file that was uploaded and is not used yet; `number` tells it from those before."""

    name: str
    data: bytes
    weighed: EncodingGuess
    number: int

    @property
    def suffix(self) -> str:
        return suffix_of(self.name)


def field(kind: FileKind) -> None:
    """Draw a field for a file of this kind, and the preview of the one that came."""
    limit = kind.max_bytes or state.settings().max_upload_bytes
    uploads.field(kind.key, kind.label, kind.suffixes, limit, _keep, (kind.key,))
    if uploads.is_refused(kind.key):  # a sentence about one file above another file would be read as its own
        _put_away(kind.key)
    draft: _Draft | None = st.session_state.get(f"{kind.key}_draft")
    if draft is not None:
        with st.container(border=True, key=f"{kind.key}_preview"):
            _preview(kind, draft)


def say_left_out(file: RowFile, max_rows: int | None = None) -> None:
    """The rows that cannot be used, by number, and how many are beyond the limit."""
    if file.rejected:
        lines = [sentence(error) for error in file.rejected[:_SHOWN_ERRORS]]
        more = len(file.rejected) - _SHOWN_ERRORS
        if more > 0:
            told = ngettext("{n:,} more row cannot be used.", "{n:,} more rows cannot be used.", more)
            lines.append(told.format(n=more))
        st.warning("\n\n".join(lines))
    if file.n_beyond_limit:
        limit = max_rows or state.settings().max_upload_rows
        told = ngettext(
            "The file is longer than {limit:,} rows: the last one was not read.",
            "The file is longer than {limit:,} rows: the last {n:,} were not read.",
            file.n_beyond_limit,
        )
        st.warning(told.format(limit=limit, n=file.n_beyond_limit))


def _keep(name: str, data: bytes, key: str) -> None:
    """A file that came: weighed, and kept until it is used or put away."""
    number = st.session_state.get(f"{key}_n", 0)
    st.session_state[f"{key}_draft"] = _Draft(name, data, guess_encoding(data), number)


def _preview(kind: FileKind, draft: _Draft) -> None:
    st.markdown(f"**{plain(draft.name)}** · {_size(draft)}")
    file = None
    try:
        options = _chosen_options(kind, draft)
        if options is not None:
            file = kind.read(draft.name, draft.data, options)
    except BadFile as error:
        st.error(sentence(error))
        if isinstance(error.__cause__, PlaygroundError):
            st.warning(sentence(error.__cause__))
    if file is not None:
        if isinstance(file, RowFile):
            say_left_out(file, kind.max_rows)
        st.markdown(kind.count(file))
    with st.container(horizontal=True):
        st.button(
            kind.use, type="primary", key=f"{kind.key}_use", icon=":material/check:", on_click=_use,
            args=(kind.key, kind.take, draft.name, file), disabled=file is None,
        )  # fmt: skip
        st.button(
            _("Discard"), key=f"{kind.key}_away", icon=":material/close:", on_click=_put_away,
            args=(kind.key,),
        )  # fmt: skip


def _size(draft: _Draft) -> str:
    n = len(draft.data)
    return ngettext("{n:,} byte", "{n:,} bytes", n).format(n=n)


def _use(key: str, take: Callable[[str, Any], None], name: str, file: object) -> None:
    _put_away(key)
    take(name, file)


def _put_away(key: str) -> None:
    st.session_state.pop(f"{key}_draft", None)


# ---------------------------------------------------------------- how it is read


def _chosen_options(kind: FileKind, draft: _Draft) -> ReadOptions | None:
    """Draw how the file is read and its first rows; None while the reader must choose first."""
    is_table = bool(kind.parts) and draft.suffix == "csv"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        encoding = _encoding(kind.key, draft)
        if encoding is not None and is_table:
            options, table = _separator(kind.key, draft, encoding)
    if encoding is None:
        _readings(draft)
        return None
    if not is_table:
        _first_rows(sheet("lines.txt", draft.data, ReadOptions(encoding)))
        return ReadOptions(encoding)
    _first_rows(table)
    return _columns(kind, draft, options, table)


def _encoding(key: str, draft: _Draft) -> Encoding | None:
    return st.selectbox(
        _("Encoding"), draft.weighed.encodings, 0 if draft.weighed.is_sure else None,
        key=f"{key}_encoding_{draft.number}", format_func=_ENCODINGS.__getitem__, width=190,
        placeholder=_("Choose"),
    )  # fmt: skip


def _readings(draft: _Draft) -> None:
    """The same line in every way it can be read: only the reader sees which is right."""
    names = ", ".join(_ENCODINGS[one] for one in draft.weighed.encodings)
    st.warning(sentence(UnclearEncoding(encodings=names)))
    at = next(place for place, byte in enumerate(draft.data) if byte > 127)
    start = max(draft.data.rfind(b"\n", 0, at) + 1, draft.data.rfind(b"\r", 0, at) + 1)
    line = draft.data[start:].splitlines()[0]
    rows = [
        {_("Encoding"): _ENCODINGS[one], _("The first such line"): _line(line, one)}
        for one in draft.weighed.encodings
    ]
    st.dataframe(rows, hide_index=True)


def _line(line: bytes, encoding: Encoding) -> str:
    try:
        return decode(line, encoding)[:_SHOWN_CHARS]
    except BadFile:
        return line.decode(encoding, "replace")[:_SHOWN_CHARS]


def _separator(key: str, draft: _Draft, encoding: Encoding) -> tuple[ReadOptions, Sheet]:
    names = {
        ",": _("comma"), ";": _("semicolon"), "\t": _("tab"), "|": _("vertical bar"),
        "": _("nothing: whole lines"),
    }  # fmt: skip
    table = sheet(draft.name, draft.data, ReadOptions(encoding))
    separator = st.selectbox(
        _("Separator"), SEPARATORS, SEPARATORS.index(table.separator),
        key=f"{key}_separator_{draft.number}_{encoding}_{state.language()}", width=190,
        format_func=names.__getitem__,
    )  # fmt: skip
    options = ReadOptions(encoding, separator)
    if separator != table.separator:
        table = sheet(draft.name, draft.data, options)
    has_header = st.checkbox(
        _("The first row names the columns"), bool(table.names),
        key=f"{key}_header_{draft.number}_{_id_of(options)}",
    )  # fmt: skip
    options = ReadOptions(encoding, separator, has_header)
    return options, table if has_header == bool(table.names) else sheet(draft.name, draft.data, options)


def _id_of(options: ReadOptions) -> str:
    """In the key of a field that begins anew when the file is read another way."""
    separator = "" if options.separator is None else SEPARATORS.index(options.separator)
    return f"{options.encoding}_{separator}_{options.has_header}"


def _columns(kind: FileKind, draft: _Draft, options: ReadOptions, table: Sheet) -> ReadOptions | None:
    """Draw a list of columns for each part; known names choose, otherwise the reader does."""
    known = kind.columns(table) or ()
    defaults = [None] * (len(kind.parts) - len(known)) + list(known)  # optional parts come first
    every_column = tuple(range(table.width))
    chosen: list[int] = []
    is_complete = True
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for place, (part, default) in enumerate(zip(kind.parts, defaults, strict=True)):
            column = st.selectbox(
                part.words, every_column, default, format_func=lambda at: _column_name(table, at), width=190,
                key=f"{kind.key}_column_{place}_{draft.number}_{_id_of(options)}_{state.language()}",
                placeholder=_("none") if part.is_optional else _("Choose"),
            )  # fmt: skip
            if column is not None:
                chosen.append(column)
            elif not part.is_optional:
                is_complete = False
    if not is_complete:
        st.info(_("The names of its columns are not known here: choose what each part is."))
        return None
    return ReadOptions(options.encoding, options.separator, options.has_header, tuple(chosen))


def _column_name(table: Sheet, at: int) -> str:
    return f"{at + 1}. {table.names[at].strip()}" if table.names else _("Column {n}").format(n=at + 1)


def _first_rows(table: Sheet) -> None:
    rows = [
        {_("Row"): str(number)}
        | {_column_name(table, at): field[:_SHOWN_CHARS] for at, field in enumerate(fields)}
        for number, fields in table.rows
        if not isinstance(fields, Unusable)
    ][:_SHOWN_ROWS]
    if rows:
        st.dataframe(rows, hide_index=True)


def offer_sample(name: str, *, key: str) -> None:
    """Let the reader download one of our own files, in the reader's language, as an example of its kind.

    Args:
        name: Name of the file in assets/samples/<language>/.
        key: Key of the button.
    """
    data = localized(state.language(), "samples", name).read_bytes()
    st.download_button(
        _("A sample file"), data, name, "text/csv", key=key, on_click="ignore", type="tertiary",
        icon=":material/download:",
    )  # fmt: skip
