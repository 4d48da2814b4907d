"""Prompt files: each row a prompt."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter

from playground.core.files.encoding import decode, readable_text
from playground.core.files.rows import (
    AS_IT_SAYS,
    Fields,
    How,
    RowFile,
    Sheet,
    Unusable,
    check_file,
    json_object,
    place_of,
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
    """What a file gave.

    Attributes:
        prompts: The usable rows in file order.
    """

    prompts: tuple[str, ...]


def read_prompts(
    name: str,
    data: bytes,
    how: How = AS_IT_SAYS,
    *,
    max_bytes: int = 2**20,
    max_rows: int = 500,
    max_chars: int = 2_000,
) -> PromptFile:
    r"""Read prompts: .txt one a line, .csv and .jsonl from the column of `PARTS`.

    Rows are numbered as a spreadsheet or an editor numbers them: the first row of the file is 1. Empty rows
    are skipped. A .csv with a single column needs no header.

    Args:
        name: File name; its suffix says how to read it.
        data: The file.
        how: What the reader chose.
        max_bytes: Longest file.
        max_rows: Rows after this many are counted, not read.
        max_chars: Longest prompt.

    Raises:
        BadFile: The whole file cannot be used; if its rows are to blame, its cause is the first one's error.

    Example:
        >>> read_prompts("a.csv", "no,프롬프트\n1,안녕하세요\n2,\n".encode("cp949")).prompts
        ('안녕하세요',)
    """
    check_file(name, len(data), SUFFIXES, max_bytes)
    found = sheet(name, data, how)
    rows = found.each(_json_row if suffix_of(name) == "jsonl" else itemgetter(_column(found, how)))
    texts = (one for one in rows if not isinstance(one[1], str) or one[1].strip())
    prompts, rejected, n_beyond_limit = sort_out(texts, lambda row: _checked(row, max_chars), max_rows)
    if not prompts and rejected:
        raise BadFile(reason=Message("none of its rows can be used.")) from rejected[0]
    if not prompts:
        raise BadFile(reason=Message("it has no row with text."))
    return PromptFile(rejected, n_beyond_limit, prompts)


def columns(found: Sheet) -> tuple[int, ...] | None:
    r"""Where the prompts of a .csv stand; None if its first row does not say it.

    Example:
        >>> columns(sheet("a.csv", b"no;Prompt"))
        (1,)
    """
    place = next((place for part in PARTS if (place := found.place(part)) is not None), None)
    if place is None:
        return (0,) if found.width == 1 else None
    return (place,)


def read_text(
    name: str,
    data: bytes,
    how: How = AS_IT_SAYS,
    *,
    max_bytes: int = 2**20,
) -> tuple[str, int]:
    """A .txt or .csv file as one text.

    Returns:
        The text, and how many characters of it were no text and are left out.

    Raises:
        BadFile: It is of another type, too large or no text.

    Example:
        >>> read_text("a.txt", "한 줄".encode("utf-16"))
        ('한 줄', 0)
    """
    check_file(name, len(data), ("txt", "csv"), max_bytes)
    return readable_text(decode(data, how.encoding))


def _column(found: Sheet, how: How) -> int:
    places = columns(found) if how.columns is None else how.columns
    if places is None or places[0] >= found.width:
        raise BadFile(reason=Message("its first row names no column `prompt`."))
    return places[0]


def _json_row(line: Fields) -> _Row:
    value = json_object(line[0])
    if isinstance(value, Unusable):
        return value
    names = list(value)
    place = next((place for part in PARTS if (place := place_of(part, names)) is not None), None)
    if place is None:
        return Unusable(Message("it is not an object with a field `prompt`."))
    prompt = value[names[place]]
    return prompt if isinstance(prompt, str) else Unusable(Message("its `prompt` is not text."))


def _checked(row: str, max_chars: int) -> _Row:
    text = row.replace("\r\n", "\n").strip()
    if readable_text(text)[1]:
        return Unusable(Message("it contains characters that are not text."))
    return Unusable(Message("it is too long.")) if len(text) > max_chars else text
