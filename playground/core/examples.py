"""A task from outside: texts with their labels, and prompts as messages, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from playground.core.canonical import distinct
from playground.core.prompting import Example
from playground.core.prompts import Unusable, csv_fields, decode, readable_text, sort_out
from playground.errors import N_, BadFile, BadUpload

COLUMNS = ("text", "label")
MAX_TEXT, MAX_LABEL, MAX_CONTENT = 500, 60, 4_000
MIN_TEXTS = 4
MAX_MESSAGES = 40
ROLES = ("system", "user", "assistant")

Message = dict[str, str]
_Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ExampleFile:
    """What a file gave.

    Attributes:
        examples: The usable rows in file order.
        rejected: One error for each row that cannot be used.
        n_beyond_limit: Rows after the limit, not read.
    """

    examples: tuple[Example, ...]
    rejected: tuple[BadUpload, ...]
    n_beyond_limit: int


def read_examples(name: str, data: bytes, *, max_bytes: int = 2**20, max_rows: int = 500) -> ExampleFile:
    r"""Read texts and labels: .csv and .jsonl with the columns `text` and `label`; UTF-8 or CP949.

    Rows are numbered as in `core.prompts`.

    Raises:
        BadFile: The whole file cannot be used: it has fewer than four different texts, or one label only.

    Example:
        >>> rows = "text,label\n좋다,긍정\n싫다,부정\n맛있다,긍정\n춥다,부정\n"
        >>> read_examples("a.csv", rows.encode("cp949")).examples[0].label
        '긍정'
    """
    if len(data) > max_bytes:
        raise BadFile(reason=N_("it is too large."))
    rows = (one for one in _rows(name, decode(data)) if not _is_empty(one[1]))
    examples, rejected, n_beyond_limit = sort_out(rows, lambda row: _checked(*row), max_rows)
    if len(distinct(one.text for one in examples)) < MIN_TEXTS:
        raise BadFile(reason=N_("it has fewer than four different texts with a label."))
    if len(distinct(one.label for one in examples)) < 2:
        raise BadFile(reason=N_("all its texts have the same label."))
    return ExampleFile(examples, rejected, n_beyond_limit)


def _is_empty(row: _Pair | Unusable) -> bool:
    return not isinstance(row, Unusable) and not any(part.strip() for part in row)


def _rows(name: str, text: str) -> Iterator[tuple[int, _Pair | Unusable]]:
    suffix = name.rpartition(".")[2].lower()
    if suffix == "csv":
        return _csv_rows(text)
    if suffix == "jsonl":
        return ((number, _json_row(line)) for number, line in enumerate(text.split("\n"), start=1))
    raise BadFile(reason=N_("only .csv and .jsonl can be read."))


def _csv_rows(text: str) -> Iterator[tuple[int, _Pair | Unusable]]:
    table = enumerate(csv_fields(text), start=1)
    _number, header = next(table, (1, [""]))
    if isinstance(header, Unusable):
        raise BadFile(reason=header.reason)
    names = [field.strip().lower() for field in header]
    if any(column not in names for column in COLUMNS):
        raise BadFile(reason=N_("its first row names no columns `text` and `label`."))
    places = [names.index(column) for column in COLUMNS]
    for number, fields in table:
        if isinstance(fields, Unusable):
            yield number, fields
        elif any(field.strip() for field in fields):
            short = max(places) >= len(fields)
            text, label = ("", "") if short else (fields[place] for place in places)
            yield number, Unusable(N_("it has too few columns.")) if short else (text, label)


def _json_row(line: str) -> _Pair | Unusable:
    if not line.strip():
        return "", ""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return Unusable(N_("it is no valid JSON."))
    if not isinstance(value, dict) or any(not isinstance(value.get(column), str) for column in COLUMNS):
        return Unusable(N_("it is no object with texts in the fields `text` and `label`."))
    return value["text"], value["label"]


def _checked(text: str, label: str) -> Example | Unusable:
    text, label = (part.replace("\r\n", "\n").strip() for part in (text, label))
    if not text:
        return Unusable(N_("its text is empty."))
    if not label:
        return Unusable(N_("its label is empty."))
    if readable_text(text + label)[1]:
        return Unusable(N_("it has characters that are no text."))
    if len(text) > MAX_TEXT or len(label) > MAX_LABEL or "\n" in label:
        return Unusable(N_("it is too long, or its label has a line break."))
    return Example(text, label)


# ---------------------------------------------------------------- prompts as messages


def read_messages(data: bytes, *, max_bytes: int = 2**20, max_rows: int = 50) -> list[list[Message]]:
    """Read prompts in the format that chat models are trained on: a line each, `{"messages": [...]}`.

    Raises:
        BadFile: It is too large or has no line.
        BadUpload: A row is none; its number and why.

    Example:
        >>> read_messages(b'{"messages": [{"role": "user", "content": "Hi"}]}')
        [[{'role': 'user', 'content': 'Hi'}]]
    """
    if len(data) > max_bytes:
        raise BadFile(reason=N_("it is too large."))
    found = []
    for number, line in enumerate(decode(data).split("\n"), start=1):
        if line.strip():
            found.append(_messages(number, line))
        if len(found) > max_rows:
            raise BadFile(reason=N_("it has more than 50 prompts."))
    if not found:
        raise BadFile(reason=N_("it has no row with text."))
    return found


def _messages(number: int, line: str) -> list[Message]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise BadUpload(row=number, reason=N_("it is no valid JSON.")) from None
    said = value.get("messages") if isinstance(value, dict) else None
    if not isinstance(said, list) or not 0 < len(said) <= MAX_MESSAGES or not all(map(_is_message, said)):
        raise BadUpload(
            row=number, reason=N_("it is no object with a list `messages` of roles and contents.")
        )
    return [{"role": one["role"], "content": readable_text(one["content"])[0]} for one in said]


def _is_message(value: object) -> bool:
    if not isinstance(value, dict) or value.get("role") not in ROLES:
        return False
    return isinstance(value.get("content"), str) and len(value["content"]) <= MAX_CONTENT


def written(prompts: list[list[Message]]) -> bytes:
    """The same as a file."""
    lines = [json.dumps({"messages": one}, ensure_ascii=False) for one in prompts]
    return "\n".join([*lines, ""]).encode()
