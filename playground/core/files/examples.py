"""A task from outside: texts with their labels, and prompts as messages, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from playground.core.canonical import distinct
from playground.core.few_shot import Example
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
    """The examples read from a file.

    Attributes:
        examples: The usable rows in file order.
    """

    examples: tuple[Example, ...]


def read_examples(
    name: str,
    data: bytes,
    options: ReadOptions = DEFAULTS,
    *,
    max_bytes: int = 2**20,
    max_rows: int = 500,
) -> ExampleFile:
    r"""Read texts and labels: .csv and .jsonl with columns that mean `text` and `label`.

    Rows are numbered as in `core.files.prompts`.

    Raises:
        BadFile: The whole file cannot be used: it has fewer than four different texts, or one label only;
            the cause is then the error of the first row that was rejected, if there is one.

    Example:
        >>> rows = "문장;라벨\n좋다;긍정\n싫다;부정\n맛있다;긍정\n춥다;부정\n"
        >>> read_examples("a.csv", rows.encode("cp949")).examples[0].label
        '긍정'
    """
    check_file(name, len(data), SUFFIXES, max_bytes)
    table = sheet(name, data, options)
    rows = table.each(_json_row) if suffix_of(name) == "jsonl" else _rows(table, options)
    examples, rejected, n_beyond_limit = sort_out(rows, lambda row: _checked(*row), max_rows)
    first_rejected = next(iter(rejected), None)
    if len(distinct(example.text for example in examples)) < MIN_TEXTS:
        raise BadFile(
            reason=Message("it has fewer than four different texts with a label.")
        ) from first_rejected
    if len(distinct(example.label for example in examples)) < 2:
        raise BadFile(reason=Message("all its texts have the same label.")) from first_rejected
    return ExampleFile(rejected, n_beyond_limit, examples)


def columns(table: Sheet) -> tuple[int, ...] | None:
    """Columns of texts and labels of a .csv; None if its first row does not name both.

    Example:
        >>> columns(sheet("a.csv", "라벨,문장".encode()))
        (1, 0)
    """
    text, label = map(table.column, COLUMNS)
    return None if text is None or label is None else (text, label)


def _rows(table: Sheet, options: ReadOptions) -> Iterator[tuple[int, _Pair | Unusable]]:
    chosen = columns(table) if options.columns is None else options.columns
    if chosen is None or max(chosen) >= table.width:
        raise BadFile(reason=Message("its first row names no columns `text` and `label`."))
    text, label = chosen
    return table.each(lambda row: (row[text], row[label]))


def _json_row(line: Fields) -> _Pair | Unusable:
    value = json_object(line[0])
    if isinstance(value, Unusable):
        return value
    names = list(value)
    text, label = (
        value[names[column]] if (column := column_of(part, names)) is not None else None for part in COLUMNS
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
    options: ReadOptions = DEFAULTS,
    *,
    max_bytes: int = 2**20,
    max_rows: int = 50,
) -> list[list[ChatMessage]]:
    """Read prompts in the format that chat models are trained on: one per line, `{"messages": [...]}`.

    Raises:
        BadFile: The file is too large, too long or has no line.
        BadUpload: A row is not a prompt; the error names the row and the reason.

    Example:
        >>> read_messages(b'{"messages": [{"role": "user", "content": "Hi"}]}')
        [[{'role': 'user', 'content': 'Hi'}]]
    """
    check_file("prompts.jsonl", len(data), ("jsonl",), max_bytes)
    prompts = []
    for number, line in enumerate(decode(data, options.encoding).split("\n"), start=1):
        if line.strip():
            prompts.append(_messages(number, line))
        if len(prompts) > max_rows:
            raise BadFile(reason=Message("it has more than 50 prompts."))
    if not prompts:
        raise BadFile(reason=Message("it has no row with text."))
    return prompts


def _messages(number: int, line: str) -> list[ChatMessage]:
    value = json_object(line)
    if isinstance(value, Unusable):
        raise value.error(number)
    turns = value.get("messages")
    if not isinstance(turns, list) or not 0 < len(turns) <= MAX_MESSAGES or not all(map(_is_message, turns)):
        raise BadUpload(
            row=number, reason=Message("it is not an object with a list `messages` of roles and contents.")
        )
    return [{"role": turn["role"], "content": readable_text(turn["content"])[0]} for turn in turns]


def _is_message(value: object) -> bool:
    if not isinstance(value, dict) or value.get("role") not in ROLES:
        return False
    return isinstance(value.get("content"), str) and len(value["content"]) <= MAX_CONTENT


def jsonl_bytes(prompts: list[list[ChatMessage]]) -> bytes:
    """Prompts as the .jsonl file that `read_messages` reads."""
    lines = [json.dumps({"messages": messages}, ensure_ascii=False) for messages in prompts]
    return "\n".join([*lines, ""]).encode()
