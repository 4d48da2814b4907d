"""Pairs from outside, row by row: what a network reads, and what it should write."""

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
from playground.core.pairs.pair import Pair
from playground.core.pairs.vocabulary import normal
from playground.errors import BadFile, Message

SUFFIXES = ("csv", "jsonl")
COLUMNS = ("source", "target")
MAX_CHARS = 60  # of a side
MIN_SOURCES = 10  # different ones: a tenth is held out


@dataclass(frozen=True, slots=True)
class PairFile(RowFile):
    """The pairs read from a file.

    Attributes:
        pairs: The usable rows in file order, repeated ones included.
    """

    pairs: tuple[Pair, ...]


def read_pairs(
    name: str, data: bytes, options: ReadOptions = DEFAULTS, *, max_bytes: int = 2**20, max_rows: int = 500
) -> PairFile:
    r"""Read sources and targets: .csv and .jsonl with columns that mean `source` and `target`.

    Rows are numbered as in `core.files.prompts`; spaces around a side are left out.

    Raises:
        BadFile: The whole file cannot be used, or it has fewer than ten different sources; the cause is then
            the error of the first row that was rejected, if there is one.

    Example:
        >>> rows = "source,target\n" + "".join(f"w{n},{n}\n" for n in range(10)) + "w,\n"
        >>> file = read_pairs("a.csv", rows.encode())
        >>> file.pairs[1], str(file.rejected[0])
        (Pair(source='w1', target='1'), 'Row 12 of the file cannot be used: the target is empty.')
    """
    check_file(name, len(data), SUFFIXES, max_bytes)
    table = sheet(name, data, options)
    rows = table.each(_json_row) if suffix_of(name) == "jsonl" else _rows(table, options)
    pairs, rejected, n_beyond_limit = sort_out(rows, _checked, max_rows)
    if len({pair.source for pair in pairs}) < MIN_SOURCES:
        raise BadFile(reason=Message("it has fewer than ten pairs with different sources.")) from next(
            iter(rejected), None
        )
    return PairFile(rejected, n_beyond_limit, pairs)


def columns(table: Sheet) -> tuple[int, ...] | None:
    """Columns of source and target; None if the first row does not name them.

    Example:
        >>> columns(sheet("a.csv", "번호;원문;번역".encode()))
        (1, 2)
    """
    chosen = tuple(column for part in COLUMNS if (column := column_of(part, table.names)) is not None)
    return chosen if len(set(chosen)) == len(COLUMNS) else None


def _rows(table: Sheet, options: ReadOptions) -> Iterator[tuple[int, Pair | Unusable]]:
    chosen = columns(table) if options.columns is None else options.columns
    if chosen is None or max(chosen) >= table.width:
        raise BadFile(reason=Message("its first row names no `source` and `target`."))
    source, target = chosen
    return table.each(lambda row: Pair(row[source], row[target]))


def _json_row(line: Fields) -> Pair | Unusable:
    fields = json_object(line[0])
    if isinstance(fields, Unusable):
        return fields
    texts = {name: text for name, text in fields.items() if isinstance(text, str)}
    names = list(texts)
    places = [column_of(part, names) for part in COLUMNS]
    if None in places or places[0] == places[1]:
        return Unusable(Message("it has no texts `source` and `target`."))
    source, target = (texts[names[place]] for place in places if place is not None)
    return Pair(source, target)


def _checked(pair: Pair) -> Pair | Unusable:
    source, target = (" ".join(normal(side).split()) for side in (pair.source, pair.target))
    if readable_text(source)[1] or readable_text(target)[1]:
        return Unusable(Message("it contains characters that are not text."))
    if not source:
        return Unusable(Message("the source is empty."))
    if not target:
        return Unusable(Message("the target is empty."))
    if max(len(source), len(target)) > MAX_CHARS:
        return Unusable(Message("a side has more than 60 characters."))
    return Pair(source, target)
