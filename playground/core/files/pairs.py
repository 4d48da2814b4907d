"""Files of minimal pairs: two sentences a row, and a group where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playground.core.files.encoding import readable_text
from playground.core.files.rows import (
    DEFAULTS,
    Fields,
    ReadOptions,
    RowFile,
    Sheet,
    Unusable,
    check_file,
    column_of,
    json_object,
    sheet,
    sort_out,
    suffix_of,
)
from playground.core.minimal_pairs import MinimalPair
from playground.errors import BadFile, Message

SUFFIXES = ("csv", "jsonl")
MAX_CHARS, MAX_GROUP = 200, 40

_Row = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class PairFile(RowFile):
    """The pairs read from a file.

    Attributes:
        pairs: The usable rows in file order.
    """

    pairs: tuple[MinimalPair, ...]


def read_pairs(
    name: str, data: bytes, options: ReadOptions = DEFAULTS, *, max_bytes: int = 2**20, max_rows: int = 500
) -> PairFile:
    r"""Read minimal pairs: .csv and .jsonl with columns `sentence_a`, `sentence_b` and perhaps `group`.

    Rows are numbered as in `core.files.prompts`.

    Raises:
        BadFile: No row can be used; the cause is then the error of the first one.

    Example:
        >>> rows = "종류,문장 A,문장 B\n문법,나는 학교에 간다.,나는 학교를에 간다.\n"
        >>> read_pairs("a.csv", rows.encode()).pairs[0].group
        '문법'
    """
    check_file(name, len(data), SUFFIXES, max_bytes)
    table = sheet(name, data, options)
    rows = table.each(_json_row) if suffix_of(name) == "jsonl" else _rows(table, options)
    pairs, rejected, n_beyond_limit = sort_out(rows, _checked, max_rows)
    if not pairs:
        raise BadFile(reason=Message("it has no row with two different sentences.")) from next(
            iter(rejected), None
        )
    return PairFile(rejected, n_beyond_limit, pairs)


def columns(table: Sheet) -> tuple[int, ...] | None:
    """Columns of group (if there is one) and of both sentences; None if the first row names not both.

    Example:
        >>> columns(sheet("a.csv", b"sentence_a,sentence_b,group")), columns(sheet("a.csv", b"a,b"))
        ((2, 0, 1), (0, 1))
    """
    return _named(table.names)


def _named(names: Fields | tuple[str, ...]) -> tuple[int, ...] | None:
    group, a, b = (column_of(part, names) for part in ("group", "sentence_a", "sentence_b"))
    if a is None or b is None:
        return None
    return (a, b) if group is None else (group, a, b)


def _rows(table: Sheet, options: ReadOptions) -> Iterator[tuple[int, _Row | Unusable]]:
    chosen = columns(table) if options.columns is None else options.columns
    if chosen is None or max(chosen) >= table.width:
        raise BadFile(reason=Message("its first row names no columns `sentence_a` and `sentence_b`."))
    *group, a, b = chosen
    return table.each(lambda row: (row[group[0]] if group else "", row[a], row[b]))


def _json_row(line: Fields) -> _Row | Unusable:
    value = json_object(line[0])
    if isinstance(value, Unusable):
        return value
    names = list(value)
    chosen = _named(tuple(names))
    parts = [value[names[column]] for column in chosen or ()]
    if not parts or not all(isinstance(part, str) for part in parts):
        return Unusable(
            Message("it is not an object with texts in the fields `sentence_a` and `sentence_b`.")
        )
    return ("", *parts) if len(parts) == 2 else tuple(parts)


def _checked(row: _Row) -> MinimalPair | Unusable:
    group, a, b = (part.replace("\r\n", "\n").strip() for part in row)
    if not a or not b:
        return Unusable(Message("one of its sentences is empty."))
    if a == b:
        return Unusable(Message("its two sentences are the same."))
    if readable_text(group + a + b)[1]:
        return Unusable(Message("it contains characters that are not text."))
    if max(len(a), len(b)) > MAX_CHARS or len(group) > MAX_GROUP:
        return Unusable(Message("it is too long."))
    return MinimalPair(group, a, b)
