"""Preference pairs from files: a prompt, the answer that is preferred, and the other one, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playground.core.canonical import is_same
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
from playground.core.preferences.pair import MIN_PROMPTS, PreferencePair
from playground.errors import BadFile, Message

SUFFIXES = ("jsonl", "csv")
COLUMNS = ("prompt", "chosen", "rejected")
MAX_CHARS, MAX_TOPIC = 2_000, 40


@dataclass(frozen=True, slots=True)
class PreferenceFile(RowFile):
    """The pairs read from a file.

    Attributes:
        pairs: The usable rows in file order, repeated ones included.
    """

    pairs: tuple[PreferencePair, ...]


def read_preferences(
    name: str,
    data: bytes,
    options: ReadOptions = DEFAULTS,
    *,
    max_bytes: int = 4 * 2**20,
    max_rows: int = 200,
) -> PreferenceFile:
    r"""Read preference pairs: .jsonl and .csv with `prompt`, `chosen` and `rejected`, and perhaps `topic`.

    In a .jsonl each of the three may also be a list of messages with roles, as trl and datasets write it; the
    last message is the text, and those before it are the prompt again. Rows are numbered as in
    `core.files.prompts`.

    Args:
        name: File name; its suffix gives the format.
        data: The file.
        options: The reader's choices; `columns` are those of `COLUMNS`, and of the topic if there are four.
        max_bytes: Longest file.
        max_rows: Rows after this many are counted, not read.

    Raises:
        BadFile: The whole file cannot be used, or its rows have fewer than two different prompts (one is kept
            to test); the cause is then the error of the first row that was rejected, if there is one.

    Example:
        >>> rows = '{"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"}\n'
        >>> rows += '{"prompt": "Bye", "chosen": "See you.", "rejected": "See you."}\n'
        >>> rows += '{"prompt": "Thanks", "chosen": "Any time.", "rejected": "Whatever."}\n'
        >>> file = read_preferences("a.jsonl", rows.encode())
        >>> [one.chosen for one in file.pairs], str(file.rejected[0])
        (['Hello!', 'Any time.'],
         'Row 2 of the file cannot be used: its chosen and its rejected answer are the same.')
    """
    check_file(name, len(data), SUFFIXES, max_bytes)
    table = sheet(name, data, options)
    rows = table.each(_json_row) if suffix_of(name) == "jsonl" else _rows(table, options)
    pairs, rejected, n_beyond_limit = sort_out(rows, _checked, max_rows)
    first_rejected = next(iter(rejected), None)
    if not pairs and first_rejected:
        raise BadFile(reason=Message("none of its rows can be used.")) from first_rejected
    if len({one.prompt_key for one in pairs}) < MIN_PROMPTS:
        few = Message("it has fewer than two pairs with different prompts.")
        raise BadFile(reason=few) from first_rejected
    return PreferenceFile(rejected, n_beyond_limit, pairs)


def columns(table: Sheet) -> tuple[int, ...] | None:
    """Columns of prompt, chosen and rejected answer, and of the topic if there is one; None if the first row
    does not name the three.

    Example:
        >>> columns(sheet("a.csv", b"no,rejected,prompt,chosen")), columns(sheet("a.csv", b"prompt,chosen"))
        ((2, 3, 1), None)
    """
    return _named(table.names)


def _named(names: Sequence[str]) -> tuple[int, ...] | None:
    chosen = tuple(column for part in COLUMNS if (column := column_of(part, names)) is not None)
    if len(set(chosen)) < len(COLUMNS):
        return None
    topic = column_of("topic", names)
    return chosen if topic is None else (*chosen, topic)


def _rows(table: Sheet, options: ReadOptions) -> Iterator[tuple[int, PreferencePair | Unusable]]:
    chosen = columns(table) if options.columns is None else options.columns
    if chosen is None or max(chosen) >= table.width:
        raise BadFile(reason=Message("its first row names no `prompt`, `chosen` and `rejected`."))
    return table.each(lambda row: PreferencePair(*(row[column] for column in chosen)))


def _json_row(line: Fields) -> PreferencePair | Unusable:
    fields = json_object(line[0])
    if isinstance(fields, Unusable):
        return fields
    names = list(fields)
    chosen = _named(names)
    if chosen is None:
        return Unusable(Message("it has no texts `prompt`, `chosen` and `rejected`."))
    said = [fields[names[column]] for column in chosen]
    prompt = _last(said[0], "")
    first, second = (_last(answer, prompt or "") for answer in said[1:3])
    topic = said[3] if len(said) > 3 else ""
    if prompt is None or first is None or second is None or not isinstance(topic, str):
        return Unusable(Message("it has no texts `prompt`, `chosen` and `rejected`."))
    return PreferencePair(prompt, first, second, topic)


def _last(value: Any, before: str) -> str | None:  # noqa: ANN401  (JSON)
    """The text of a value that is a text, or a list of messages whose last one it is; None if it is neither.

    Args:
        value: Part of a row.
        before: Text of the messages before the last one, which the row has already said.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not 0 < len(value) <= 2:
        return None
    texts = [one.get("content") if isinstance(one, Mapping) else None for one in value]
    *earlier, last = texts
    if not isinstance(last, str) or any(text != before for text in earlier):
        return None
    return last


def _checked(pair: PreferencePair) -> PreferencePair | Unusable:
    texts = [
        part.replace("\r\n", "\n").strip() for part in (pair.prompt, pair.chosen, pair.rejected, pair.topic)
    ]
    prompt, chosen, rejected, topic = texts
    if any(readable_text(text)[1] for text in texts):
        return Unusable(Message("it contains characters that are not text."))
    if not prompt:
        return Unusable(Message("its prompt is empty."))
    if not chosen or not rejected:
        return Unusable(Message("one of its answers is empty."))
    if is_same(chosen, rejected):
        return Unusable(Message("its chosen and its rejected answer are the same."))
    if max(map(len, texts[:3])) > MAX_CHARS:
        return Unusable(Message("one of its texts has more than 2,000 characters."))
    if len(topic) > MAX_TOPIC:
        return Unusable(Message("its topic has more than 40 characters."))
    return PreferencePair(prompt, chosen, rejected, topic)
