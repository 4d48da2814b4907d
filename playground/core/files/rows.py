r"""A text from outside as numbered rows of fields: separators, columns by name, and rows that are refused.

    .txt     each line is a row of one field
    .jsonl   the same; the object of a line is read by the module that knows its fields
    .csv     RFC 4180, separated by comma, semicolon, tab or bar; the first row names the columns

**No word is lost in silence.** A row has as many fields as the first row, or it is refused by its number;
only empty fields may be too many. Where the first row has one field, nothing separates, and a line is kept
whole. A quotation mark that is never closed, or that closes within a field, costs its own line only.
A text that a CSV of ours made harmless (`core.files.table`) is read as it was before.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from playground.core.canonical import canonical
from playground.core.files.column_names import NAMES
from playground.core.files.encoding import Encoding, decode
from playground.core.files.table import unescape
from playground.errors import BadFile, BadUpload, FileTooLarge, Message, WrongFieldCount, WrongFileType

WHOLE_LINE = ""  # nothing separates
SEPARATORS = (",", ";", "\t", "|", WHOLE_LINE)
_NOWHERE = "\x1f"  # a separator that no text has, for `csv.reader`
_LOOKED_AT = 100  # rows, to find the separator
_CONSISTENT = 0.9  # of them have as many fields as the first
MAX_COLUMNS = 100  # a page lists them


@dataclass(frozen=True, slots=True)
class Unusable:
    """A row that cannot be used, and the reason."""

    reason: Message

    def error(self, row: int) -> BadUpload:
        """The error of the row with this number."""
        return BadUpload(row=row, reason=self.reason)


@dataclass(frozen=True, slots=True)
class WrongCount(Unusable):
    """A row with another number of fields than the first row."""

    reason: Message = field(default=Message(WrongFieldCount.msgid), repr=False)
    got: int = 0
    expected: int = 0

    def error(self, row: int) -> BadUpload:
        """The error of the row with this number."""
        return WrongFieldCount(row=row, got=self.got, expected=self.expected)


@dataclass(frozen=True, slots=True)
class RowFile:
    """The rows of a file that were not used, of any kind of file.

    Attributes:
        rejected: One error for each row that cannot be used.
        n_beyond_limit: Rows after the limit, not read.
    """

    rejected: tuple[BadUpload, ...]
    n_beyond_limit: int


Fields = list[str]
Read = TypeVar("Read")
Usable = TypeVar("Usable")


@dataclass(frozen=True, slots=True)
class ReadOptions:
    r"""Options for reading a file; None where the file itself decides.

    Attributes:
        encoding: Encoding of its text.
        separator: One of `SEPARATORS`.
        has_header: True if its first row names the columns.
        columns: The column of each part that is asked for, from 0.
    """

    encoding: Encoding | None = None
    separator: str | None = None
    has_header: bool | None = None
    columns: tuple[int, ...] | None = None


DEFAULTS = ReadOptions()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as rows.

    Attributes:
        separator: Separator of its fields; `WHOLE_LINE` for a file of lines.
        names: Names of its columns; empty where the first row is a row like the others.
        width: Number of columns.
        rows: Number and fields of each row that is not empty; the first row of the file is 1.
    """

    separator: str
    names: tuple[str, ...]
    width: int
    rows: tuple[tuple[int, Fields | Unusable], ...]

    def column(self, part: str) -> int | None:
        """Index of the column of this part of `NAMES`, None if there is none.

        Example:
            >>> sheet("a.csv", "번호;문장".encode()).column("text")
            1
        """
        return column_of(part, self.names)

    def each(self, read: Callable[[Fields], Read | Unusable]) -> Iterator[tuple[int, Read | Unusable]]:
        """Number of each row, and the result of `read` on its fields, or the reason it cannot be used."""
        for number, row in self.rows:
            yield number, row if isinstance(row, Unusable) else read(row)


def column_of(part: str, names: Iterable[str]) -> int | None:
    """Index of the first of these names that means this part; None if none does.

    Example:
        >>> column_of("label", ["No.", " Label "])
        1
    """
    tidy = [_tidy_name(name) for name in names]
    return next((tidy.index(known) for known in NAMES[part] if known in tidy), None)


def sheet(name: str, data: bytes, options: ReadOptions = DEFAULTS) -> Sheet:
    r"""Read a file as rows.

    Args:
        name: File name; its suffix decides whether fields are separated.
        data: The file.
        options: The reader's choices; `columns` is for the callers that look for parts.

    Raises:
        BadFile: The file is not text, has no clear encoding, is a .csv without a row, or has more than
            `MAX_COLUMNS` columns.

    Example:
        >>> sheet("a.csv", b"no;prompt\n1;Good morning\n2;a;b\n").rows
        ((2, ['1', 'Good morning']), (3, WrongCount(got=3, expected=2)))
        >>> sheet("a.csv", b"prompt\nOnce upon a time, in a land\n").rows
        ((2, ['Once upon a time, in a land']),)
    """
    text = decode(data, options.encoding)
    if suffix_of(name) != "csv":
        lines = enumerate(text.split("\n"), start=1)
        return Sheet(WHOLE_LINE, (), 1, tuple((number, [line]) for number, line in lines if line.strip()))
    separator = _separator(text) if options.separator is None else options.separator
    records = enumerate(_records(text, separator), start=1)
    table = [(number, row) for number, row in records if not _empty(row)]
    if not table:
        raise BadFile(reason=Message("it has no row with text."))
    first = table[0][1]
    if isinstance(first, Unusable):
        raise BadFile(reason=first.reason)
    width = len(first)
    if width > MAX_COLUMNS:
        raise BadFile(reason=Message("it has more than 100 columns."))
    has_header = _is_header(first) or width > 1 if options.has_header is None else options.has_header
    rows = tuple((number, _of_width(row, width)) for number, row in table[has_header:])
    return Sheet(separator, tuple(first) if has_header else (), width, rows)


def json_object(line: str) -> dict[str, Any] | Unusable:
    """The object of a line of a .jsonl file; a value that is not an object has no fields.

    Example:
        >>> json_object('{"text": "Hi"}'), json_object("[]"), json_object("{")
        ({'text': 'Hi'}, {}, Unusable(reason=Message(msgid='it is not valid JSON.', params=())))
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return Unusable(Message("it is not valid JSON."))
    return value if isinstance(value, dict) else {}


def suffix_of(name: str) -> str:
    """The suffix of a file name: the text after its last dot, in lower case."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def check_file(name: str, size_bytes: int, suffixes: Sequence[str], max_bytes: int) -> None:
    """Refuse a file of another type, and one that is too large.

    Raises:
        BadFile: `WrongFileType` or `FileTooLarge`.

    Example:
        >>> check_file("a.csv", 9, ("csv", "txt"), 8 * 2**20)
        >>> try:
        ...     check_file("a.xls", 9, ("csv", "txt"), 2**20)
        ... except WrongFileType as error:
        ...     str(error)
        'The file a.xls cannot be read here, only .csv, .txt: save it as one.'
    """
    if suffix_of(name) not in suffixes:
        raise WrongFileType(name=name, allowed=", ".join(f".{suffix}" for suffix in suffixes))
    if size_bytes > max_bytes:
        got_mb = math.ceil(size_bytes / 2**20 * 100) / 100  # never the limit itself
        raise FileTooLarge(name=name, got_mb=got_mb, limit_mb=max_bytes / 2**20)


def sort_out(
    rows: Iterable[tuple[int, Read | Unusable]], check: Callable[[Read], Usable | Unusable], max_rows: int
) -> tuple[tuple[Usable, ...], tuple[BadUpload, ...], int]:
    """Divide the rows of a file into usable, rejected and uncounted ones.

    Args:
        rows: Number and content of each.
        check: Turns a row into its usable form, or gives the reason why it cannot be used.
        max_rows: Rows after this many are counted only.

    Returns:
        The usable rows, an error for each rejected one, the number of rows beyond the limit.
    """
    usable: list[Usable] = []
    rejected: list[BadUpload] = []
    n_beyond_limit = 0
    for number, row in rows:
        if len(usable) + len(rejected) >= max_rows:
            n_beyond_limit += 1
            continue
        result = row if isinstance(row, Unusable) else check(row)
        if isinstance(result, Unusable):
            rejected.append(result.error(number))
        else:
            usable.append(result)
    return tuple(usable), tuple(rejected), n_beyond_limit


def _separator(text: str) -> str:
    """The separator that makes the first row name known columns, otherwise one that most rows share."""
    best, merit = WHOLE_LINE, (False, 0.0, 0)
    for separator in SEPARATORS[:-1]:
        rows = [row for row in islice(_records(text, separator), _LOOKED_AT) if not _empty(row)]
        if not rows or isinstance(rows[0], Unusable) or len(rows[0]) < 2:
            continue
        widths = [0 if isinstance(row, Unusable) else len(row) for row in rows]
        share = widths.count(widths[0]) / len(rows)
        is_named = _is_header(rows[0])
        if (is_named or (share >= _CONSISTENT and len(rows) > 1)) and (is_named, share, widths[0]) > merit:
            best, merit = separator, (is_named, share, widths[0])
    return best


@dataclass(slots=True)
class _Cursor:
    """The state of the reading of lines.

    Attributes:
        at: First line of the record that is read.
        taken: Lines of it so far.
        broken_until: No record before this line is finished that takes more than its own line.
    """

    at: int = 0
    taken: int = 0
    broken_until: int = 0


def _records(text: str, separator: str) -> Iterator[Fields | Unusable]:
    """The records of a CSV. After one with a broken quotation mark, reading goes on in the next line.

    A line that begins within quotation marks ends as badly whoever opened them: none of those that one broken
    record went through is looked at again for another. So a file is read about twice, whatever stands in it.
    """
    lines = text.removesuffix("\n").split("\n")
    cursor = _Cursor()
    while cursor.at < len(lines):
        cursor.taken = 0
        reader = csv.reader(_following(lines, cursor), delimiter=separator or _NOWHERE, strict=True)
        try:
            for fields in reader:
                yield [unescape(field) for field in fields]
                cursor.at += cursor.taken
                cursor.taken = 0
        except csv.Error as error:
            too_long = "field limit" in str(error)
            cursor.broken_until = max(cursor.broken_until, cursor.at + cursor.taken)
            cursor.at += 1
            yield Unusable(
                Message("it is not valid CSV: a field is far too long.")
                if too_long
                else Message("a quotation mark in it is not closed, or closes within a field.")
            )


def _following(lines: Sequence[str], cursor: _Cursor) -> Iterator[str]:
    for number in range(cursor.at, len(lines)):
        if cursor.at < number < cursor.broken_until:
            return
        cursor.taken += 1
        yield lines[number] + "\n"


def _of_width(row: Fields | Unusable, width: int) -> Fields | Unusable:
    if isinstance(row, Unusable):
        return row
    if len(row) < width or any(field.strip() for field in row[width:]):
        return WrongCount(got=len(row), expected=width)
    return row[:width]


def _empty(row: Fields | Unusable) -> bool:
    return not isinstance(row, Unusable) and not any(field.strip() for field in row)


def _is_header(names: Sequence[str]) -> bool:
    known = {name for names_of_part in NAMES.values() for name in names_of_part}
    return not known.isdisjoint(map(_tidy_name, names))


def _tidy_name(name: str) -> str:
    return "".join(canonical(name).casefold().split())
