"""Prompt files: one prompt per row."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter

from playground.core.files.encoding import decode, readable_text
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
from playground.errors import BadFile, Message

SUFFIXES = ("txt", "csv", "jsonl")
PARTS = ("prompt", "text", "question", "instruction")  # what a prompt's column may mean, best first

_Row = str | Unusable


@dataclass(frozen=True, slots=True)
class PromptFile(RowFile):
    """The prompts read from a file.

    Attributes:
        prompts: The usable rows in file order.
    """

    prompts: tuple[str, ...]


def read_prompts(
    name: str,
    data: bytes,
    options: ReadOptions = DEFAULTS,
    *,
    max_bytes: int = 2**20,
    max_rows: int = 500,
    max_chars: int = 2_000,
) -> PromptFile:
    r"""Read prompts: .txt one per line, .csv and .jsonl from the column of `PARTS`.

    Rows are numbered as a spreadsheet or an editor numbers them: the first row of the file is 1. Empty rows
    are skipped. A .csv with a single column needs no header.

    Args:
        name: File name; its suffix gives the format.
        data: The file.
        options: The reader's choices.
        max_bytes: Longest file.
        max_rows: Rows after this many are counted, not read.
        max_chars: Longest prompt.

    Raises:
        BadFile: The whole file cannot be used; if its rows are to blame, the cause is the first one's error.

    Example:
        >>> read_prompts("a.csv", "no,프롬프트\n1,안녕하세요\n2,\n".encode("cp949")).prompts
        ('안녕하세요',)
    """
    check_file(name, len(data), SUFFIXES, max_bytes)
    table = sheet(name, data, options)
    rows = table.each(_json_row if suffix_of(name) == "jsonl" else itemgetter(_column(table, options)))
    texts = (row for row in rows if not isinstance(row[1], str) or row[1].strip())
    prompts, rejected, n_beyond_limit = sort_out(texts, lambda row: _checked(row, max_chars), max_rows)
    if not prompts and rejected:
        raise BadFile(reason=Message("none of its rows can be used.")) from rejected[0]
    if not prompts:
        raise BadFile(reason=Message("it has no row with text."))
    return PromptFile(rejected, n_beyond_limit, prompts)


def columns(table: Sheet) -> tuple[int, ...] | None:
    r"""Column of the prompts of a .csv; None if its first row does not name it.

    Example:
        >>> columns(sheet("a.csv", b"no;Prompt"))
        (1,)
    """
    column = next((column for part in PARTS if (column := table.column(part)) is not None), None)
    if column is None:
        return (0,) if table.width == 1 else None
    return (column,)


def read_text(
    name: str,
    data: bytes,
    options: ReadOptions = DEFAULTS,
    *,
    max_bytes: int = 2**20,
) -> tuple[str, int]:
    """A .txt or .csv file as one text.

    Returns:
        The text, and the number of unreadable characters left out.

    Raises:
        BadFile: The file is of another type, too large or not text.

    Example:
        >>> read_text("a.txt", "한 줄".encode("utf-16"))
        ('한 줄', 0)
    """
    check_file(name, len(data), ("txt", "csv"), max_bytes)
    return readable_text(decode(data, options.encoding))


def _column(table: Sheet, options: ReadOptions) -> int:
    chosen = columns(table) if options.columns is None else options.columns
    if chosen is None or chosen[0] >= table.width:
        raise BadFile(reason=Message("its first row names no column `prompt`."))
    return chosen[0]


def _json_row(line: Fields) -> _Row:
    value = json_object(line[0])
    if isinstance(value, Unusable):
        return value
    names = list(value)
    column = next((column for part in PARTS if (column := column_of(part, names)) is not None), None)
    if column is None:
        return Unusable(Message("it is not an object with a field `prompt`."))
    prompt = value[names[column]]
    return prompt if isinstance(prompt, str) else Unusable(Message("its `prompt` is not text."))


def _checked(row: str, max_chars: int) -> _Row:
    text = row.replace("\r\n", "\n").strip()
    if readable_text(text)[1]:
        return Unusable(Message("it contains characters that are not text."))
    return Unusable(Message("it is too long.")) if len(text) > max_chars else text
