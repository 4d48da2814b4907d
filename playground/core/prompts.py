"""Texts from outside: what is no text is left out, and prompt files become prompts row by row."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from playground.errors import N_, BadFile, BadUpload

COLUMN = "prompt"
SUFFIXES = ("txt", "csv", "jsonl")


@dataclass(frozen=True, slots=True)
class PromptFile:
    """What a file gave.

    Attributes:
        prompts: The usable rows in file order.
        rejected: One error for each row that cannot be used.
        n_beyond_limit: Rows after the limit, not read.
    """

    prompts: tuple[str, ...]
    rejected: tuple[BadUpload, ...]
    n_beyond_limit: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """A row that cannot be used, and why."""

    reason: str


_Row = str | Unusable
Read = TypeVar("Read")
Usable = TypeVar("Usable")


def readable_text(raw: str) -> tuple[str, int]:
    r"""Leave out what is no text: control characters (but line ends and tabs) and halves of surrogate pairs.

    Returns:
        The text, and how many characters were left out.

    Example:
        >>> readable_text("a\x00b\ud800\n")
        ('ab\n', 2)
    """
    if raw.isprintable():
        return raw, 0
    kept = "".join(c for c in raw if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return kept, len(raw) - len(kept)


def read_prompts(
    name: str, data: bytes, *, max_bytes: int = 2**20, max_rows: int = 500, max_chars: int = 2_000
) -> PromptFile:
    r"""Read prompts: .txt one a line, .csv and .jsonl from the column `prompt`; UTF-8 or CP949.

    Rows are numbered as a spreadsheet or an editor numbers them: the first row of the file is 1. Empty rows
    are skipped. A .csv with a single column needs no header.

    Args:
        name: File name; its suffix says how to read it.
        data: The file.
        max_bytes: Longest file.
        max_rows: Rows after this many are counted, not read.
        max_chars: Longest prompt.

    Raises:
        BadFile: The whole file cannot be used.

    Example:
        >>> read_prompts("a.csv", "no,prompt\n1,안녕\n2,\n".encode("cp949")).prompts
        ('안녕',)
    """
    if len(data) > max_bytes:
        raise BadFile(reason=N_("it is too large."))
    rows = (one for one in _rows(name, decode(data)) if not isinstance(one[1], str) or one[1].strip())
    prompts, rejected, n_beyond_limit = sort_out(rows, lambda row: _checked(row, max_chars), max_rows)
    if not prompts and not rejected:
        raise BadFile(reason=N_("it has no row with text."))
    return PromptFile(prompts, rejected, n_beyond_limit)


def sort_out(
    rows: Iterable[tuple[int, Read | Unusable]], checked: Callable[[Read], Usable | Unusable], max_rows: int
) -> tuple[tuple[Usable, ...], tuple[BadUpload, ...], int]:
    """Part the rows of a file.

    Args:
        rows: Number of each, and what it says.
        checked: Makes of a row what is used, or says why it cannot be.
        max_rows: Rows after this many are counted only.

    Returns:
        What can be used, an error for each other row, how many are beyond the limit.
    """
    usable: list[Usable] = []
    rejected: list[BadUpload] = []
    n_beyond_limit = 0
    for number, row in rows:
        if len(usable) + len(rejected) >= max_rows:
            n_beyond_limit += 1
            continue
        made = row if isinstance(row, Unusable) else checked(row)
        if isinstance(made, Unusable):
            rejected.append(BadUpload(row=number, reason=made.reason))
        else:
            usable.append(made)
    return tuple(usable), tuple(rejected), n_beyond_limit


def decode(data: bytes) -> str:
    """Read a file as UTF-8, which refuses nearly every other text, then as CP949, what Korean Excel saves.

    Raises:
        BadFile: It is neither.
    """
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadFile(reason=N_("it is neither UTF-8 nor CP949 text. Save it again as UTF-8."))


def _rows(name: str, text: str) -> Iterator[tuple[int, _Row]]:
    suffix = name.rpartition(".")[2].lower()
    if suffix == "txt":
        return enumerate(text.split("\n"), start=1)
    if suffix == "csv":
        return _csv_rows(text)
    if suffix == "jsonl":
        return ((number, _json_row(line)) for number, line in enumerate(text.split("\n"), start=1))
    raise BadFile(reason=N_("only .txt, .csv and .jsonl can be read."))


def _csv_rows(text: str) -> Iterator[tuple[int, _Row]]:
    table = enumerate(csv_fields(text), start=1)
    _number, header = next(table, (1, [""]))
    if isinstance(header, Unusable):
        raise BadFile(reason=header.reason)
    names = [field.strip().lower() for field in header]
    if COLUMN in names:
        column = names.index(COLUMN)
    elif len(names) == 1:
        column = 0
        yield 1, header[0]
    else:
        raise BadFile(reason=N_("its first row names no column `prompt`."))
    for number, fields in table:
        if isinstance(fields, Unusable):
            yield number, fields
        elif any(field.strip() for field in fields):
            yield number, fields[column] if column < len(fields) else Unusable(N_("it has too few columns."))


def csv_fields(text: str) -> Iterator[list[str] | Unusable]:
    """The rows of a CSV; a field beyond the reader's own limit (131,072 characters) spoils only its row."""
    reader = csv.reader(io.StringIO(text, newline=""))
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Unusable(N_("it is no valid CSV: a field is far too long."))


def _json_row(line: str) -> _Row:
    if not line.strip():
        return ""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return Unusable(N_("it is no valid JSON."))
    if not isinstance(value, dict) or COLUMN not in value:
        return Unusable(N_("it is no object with a field `prompt`."))
    prompt = value[COLUMN]
    return prompt if isinstance(prompt, str) else Unusable(N_("its `prompt` is no text."))


def _checked(row: str, max_chars: int) -> _Row:
    if readable_text(row.replace("\r\n", "\n").strip())[1]:
        return Unusable(N_("it has characters that are no text."))
    if len(row.strip()) > max_chars:
        return Unusable(N_("it is too long."))
    return row.replace("\r\n", "\n").strip()
