"""A task from outside: texts with their labels, and prompts as messages, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from playground.core.canonical import distinct
from playground.core.few_shot import Example
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
from playground.errors import BadFile, BadUpload, Message

SUFFIXES = ("csv", "jsonl")
COLUMNS = ("text", "label")
MAX_TEXT, MAX_LABEL, MAX_CONTENT = 500, 60, 4_000
MIN_TEXTS = 4
MAX_MESSAGES = 40
ROLES = ("system", "user", "assistant")

ChatMessage = dict[str, str]
_Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ExampleFile(RowFile):
    """What a file gave.

    Attributes:
        examples: The usable rows in file order.
    """

    examples: tuple[Example, ...]


def read_examples(
    name: str,
    data: bytes,
    how: How = AS_IT_SAYS,
    *,
    max_bytes: int = 2**20,
    max_rows: int = 500,
) -> ExampleFile:
    r"""Read texts and labels: .csv and .jsonl with columns that mean `text` and `label`.

    Rows are numbered as in `core.files.prompts`.

    Raises:
        BadFile: The whole file cannot be used: it has fewer than four different texts, or one label only;
            its cause is then the error of the first row that was rejected, if there is one.

    Example:
        >>> rows = "문장;라벨\n좋다;긍정\n싫다;부정\n맛있다;긍정\n춥다;부정\n"
        >>> read_examples("a.csv", rows.encode("cp949")).examples[0].label
        '긍정'
    """
    check_file(name, len(data), SUFFIXES, max_bytes)
    found = sheet(name, data, how)
    rows = found.each(_json_row) if suffix_of(name) == "jsonl" else _rows(found, how)
    examples, rejected, n_beyond_limit = sort_out(rows, lambda row: _checked(*row), max_rows)
    first_rejected = next(iter(rejected), None)
    if len(distinct(one.text for one in examples)) < MIN_TEXTS:
        raise BadFile(
            reason=Message("it has fewer than four different texts with a label.")
        ) from first_rejected
    if len(distinct(one.label for one in examples)) < 2:
        raise BadFile(reason=Message("all its texts have the same label.")) from first_rejected
    return ExampleFile(rejected, n_beyond_limit, examples)


def columns(found: Sheet) -> tuple[int, ...] | None:
    """Where texts and labels of a .csv stand; None if its first row does not say both.

    Example:
        >>> columns(sheet("a.csv", "라벨,문장".encode()))
        (1, 0)
    """
    text, label = map(found.place, COLUMNS)
    return None if text is None or label is None else (text, label)


def _rows(found: Sheet, how: How) -> Iterator[tuple[int, _Pair | Unusable]]:
    places = columns(found) if how.columns is None else how.columns
    if places is None or max(places) >= found.width:
        raise BadFile(reason=Message("its first row names no columns `text` and `label`."))
    text, label = places
    return found.each(lambda row: (row[text], row[label]))


def _json_row(line: Fields) -> _Pair | Unusable:
    value = json_object(line[0])
    if isinstance(value, Unusable):
        return value
    names = list(value)
    text, label = (
        value[names[place]] if (place := place_of(part, names)) is not None else None for part in COLUMNS
    )
    if not isinstance(text, str) or not isinstance(label, str):
        return Unusable(Message("it is not an object with texts in the fields `text` and `label`."))
    return text, label


def _checked(text: str, label: str) -> Example | Unusable:
    text, label = (part.replace("\r\n", "\n").strip() for part in (text, label))
    if not text:
        return Unusable(Message("its text is empty."))
    if not label:
        return Unusable(Message("its label is empty."))
    if readable_text(text + label)[1]:
        return Unusable(Message("it contains characters that are not text."))
    if len(text) > MAX_TEXT or len(label) > MAX_LABEL or "\n" in label:
        return Unusable(Message("it is too long, or its label has a line break."))
    return Example(text, label)


# ---------------------------------------------------------------- prompts as messages


def read_messages(
    data: bytes,
    how: How = AS_IT_SAYS,
    *,
    max_bytes: int = 2**20,
    max_rows: int = 50,
) -> list[list[ChatMessage]]:
    """Read prompts in the format that chat models are trained on: a line each, `{"messages": [...]}`.

    Raises:
        BadFile: It is too large or has no line.
        BadUpload: A row is none; its number and why.

    Example:
        >>> read_messages(b'{"messages": [{"role": "user", "content": "Hi"}]}')
        [[{'role': 'user', 'content': 'Hi'}]]
    """
    check_file("prompts.jsonl", len(data), ("jsonl",), max_bytes)
    found = []
    for number, line in enumerate(decode(data, how.encoding).split("\n"), start=1):
        if line.strip():
            found.append(_messages(number, line))
        if len(found) > max_rows:
            raise BadFile(reason=Message("it has more than 50 prompts."))
    if not found:
        raise BadFile(reason=Message("it has no row with text."))
    return found


def _messages(number: int, line: str) -> list[ChatMessage]:
    value = json_object(line)
    if isinstance(value, Unusable):
        raise value.error(number)
    said = value.get("messages")
    if not isinstance(said, list) or not 0 < len(said) <= MAX_MESSAGES or not all(map(_is_message, said)):
        raise BadUpload(
            row=number, reason=Message("it is not an object with a list `messages` of roles and contents.")
        )
    return [{"role": one["role"], "content": readable_text(one["content"])[0]} for one in said]


def _is_message(value: object) -> bool:
    if not isinstance(value, dict) or value.get("role") not in ROLES:
        return False
    return isinstance(value.get("content"), str) and len(value["content"]) <= MAX_CONTENT


def written(prompts: list[list[ChatMessage]]) -> bytes:
    """The same as a file."""
    lines = [json.dumps({"messages": one}, ensure_ascii=False) for one in prompts]
    return "\n".join([*lines, ""]).encode()
