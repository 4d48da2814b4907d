"""Training rows: conversations or plain texts, read row by row, and some kept aside to test.

    file.jsonl | .csv | .txt  --read_training-->  rows  --split-->  train     the loss that falls by itself
                                                             +-->  held out  the loss that shows if it learned

A row lies on one side only, however often it stands in the file and wherever: its content decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from playground.core.canonical import canonical
from playground.core.files.encoding import readable_text
from playground.core.files.examples import MAX_CONTENT, MAX_MESSAGES, ROLES
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

COLUMNS = (("instruction", "response"), ("prompt", "completion"), ("question", "answer"), ("text",))
MIN_ROWS = 2
SUFFIXES = ("jsonl", "csv", "txt")

ChatMessage = tuple[str, str]


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """A conversation, trained on the assistant's words, or a plain text, trained on all of it.

    Attributes:
        messages: Role (system, user, assistant) and content of each; at least one of the assistant has text.
        text: The plain text; then there are no messages.

    Example:
        >>> TrainingRow((("user", "Hi"), ("assistant", "Ahoy!"))).messages[-1]
        ('assistant', 'Ahoy!')
        >>> TrainingRow(text="Once upon a time").text
        'Once upon a time'
    """

    messages: tuple[ChatMessage, ...] = ()
    text: str = ""

    @property
    def key(self) -> str:
        """Identifier of the row: SHA-256 of its content as JSON without spaces, 64 hexadecimal digits.

        Rows whose texts are canonically equal are one row.

        Example:
            >>> TrainingRow(text="a").key == sha256(b'[[],"a"]').hexdigest()
            True
        """
        turns = [(role, canonical(content)) for role, content in self.messages]
        content = json.dumps([turns, canonical(self.text)], separators=(",", ":"))
        return sha256(content.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class TrainingFile(RowFile):
    """The training rows read from a file.

    Attributes:
        rows: The usable rows in file order, repeated ones included.
    """

    rows: tuple[TrainingRow, ...]


def read_training(
    name: str,
    data: bytes,
    options: ReadOptions = DEFAULTS,
    *,
    max_bytes: int = 2**20,
    max_rows: int = 500,
) -> TrainingFile:
    r"""Read training rows. Rows are numbered as in `core.files.prompts`, empty ones skipped.

    | file   | a row is                                                                                 |
    |--------|------------------------------------------------------------------------------------------|
    | .jsonl | `{"messages": [{"role": ..., "content": ...}, ...]}`, or an object with one of `COLUMNS` |
    | .csv   | the fields of the first of `COLUMNS` that its first row names, in any case and order     |
    | .txt   | a line                                                                                   |

    Args:
        name: File name; its suffix gives the format.
        data: The file.
        options: The reader's choices; one column is plain text, two are question and answer.
        max_bytes: Longest file.
        max_rows: Rows after this many are counted, not read.

    Raises:
        BadFile: The whole file cannot be used, or fewer than two different rows of it (one is kept to test);
            the cause is then the error of the first row that was rejected, if there is one.

    Example:
        >>> file = read_training("a.csv", "Question,Answer\n안녕?,안녕!\n뭐해?,\n누구?,나!\n".encode("cp949"))
        >>> file.rows[1].messages
        (('user', '누구?'), ('assistant', '나!'))
        >>> [str(error) for error in file.rejected]
        ['Row 3 of the file cannot be used: its answer is empty.']
    """
    check_file(name, len(data), SUFFIXES, max_bytes)
    table = sheet(name, data, options)
    rows, rejected, n_beyond_limit = sort_out(_rows(suffix_of(name), table, options), _checked, max_rows)
    first_rejected = next(iter(rejected), None)
    if not rows and first_rejected:
        raise BadFile(reason=Message("none of its rows can be used.")) from first_rejected
    if not rows:
        raise BadFile(reason=Message("it has no row with text."))
    if len(rows) - duplicates(rows) < MIN_ROWS:
        raise BadFile(reason=Message("it has fewer than two different rows to train on.")) from first_rejected
    return TrainingFile(rejected, n_beyond_limit, rows)


def pairs(rows: Sequence[Mapping[str, str]]) -> tuple[TrainingRow, ...]:
    """Conversations of one question and one answer, as `read_training` reads them.

    Args:
        rows: Each with `instruction` and `response`.

    Raises:
        KeyError: A row lacks one of them.

    Example:
        >>> pairs([{"instruction": "Hi", "response": " Ahoy!"}])[0].messages
        (('user', 'Hi'), ('assistant', 'Ahoy!'))
    """
    return tuple(_row([_tidy(row[column]) for column in COLUMNS[0]]) for row in rows)


def duplicates(rows: Sequence[TrainingRow]) -> int:
    """Number of rows that repeat an earlier one.

    Example:
        >>> a, b = TrainingRow(text="a"), TrainingRow(text="b")
        >>> duplicates([a, b, a, a])
        2
    """
    return len(rows) - len({row.key for row in rows})


def split(
    rows: Sequence[TrainingRow], *, fraction: float = 0.15, max_held_out: int = 12
) -> tuple[tuple[TrainingRow, ...], tuple[TrainingRow, ...]]:
    """Hold out the rows whose keys come first, so that content decides and not the place in the file.

    Args:
        rows: Rows of a file, at least two different ones.
        fraction: Share of the different rows that is held out, rounded; at least one row stays on each side.
        max_held_out: Most rows held out.

    Returns:
        Rows to train on, in their order and with their repetitions, and rows held out, each once, by key.

    Raises:
        ValueError: Fewer than two rows differ.

    Example:
        >>> train, held_out = split([TrainingRow(text=letter) for letter in "aabcdefghijkl"])
        >>> "".join(row.text for row in train), "".join(row.text for row in held_out)
        ('aabcdegijkl', 'hf')
    """
    by_key = {row.key: row for row in rows}
    if len(by_key) < MIN_ROWS:
        raise ValueError(f"to train and to test needs two different rows, got {len(by_key)}")
    n = max(1, min(round(fraction * len(by_key)), max_held_out, len(by_key) - 1))
    kept_aside = sorted(by_key)[:n]
    train = tuple(row for row in rows if row.key not in kept_aside)
    return train, tuple(by_key[key] for key in kept_aside)


# ---------------------------------------------------------------- rows of a file


def columns(table: Sheet) -> tuple[int, ...] | None:
    """Columns of question and answer of a .csv, or of its text; None if its first row does not name them.

    Example:
        >>> columns(sheet("a.csv", "번호;질문;답변".encode()))
        (1, 2)
    """
    return _columns(table.names)


def _rows(suffix: str, table: Sheet, options: ReadOptions) -> Iterator[tuple[int, TrainingRow | Unusable]]:
    if suffix == "jsonl":
        return table.each(_json_row)
    if suffix == "txt":
        return table.each(_row)
    chosen = columns(table) if options.columns is None else options.columns
    if chosen is None or max(chosen) >= table.width:
        raise BadFile(reason=Message("its first row names no `instruction` and `response`, and no `text`."))
    return table.each(lambda row: _row([row[column] for column in chosen]))


def _columns(names: Sequence[str]) -> tuple[int, ...] | None:
    """Columns of the first of `COLUMNS` all of whose parts have one."""
    for parts in COLUMNS:
        chosen = tuple(column for part in parts if (column := column_of(part, names)) is not None)
        if len(chosen) == len(parts) == len(set(chosen)):
            return chosen
    return None


def _row(parts: Sequence[str]) -> TrainingRow:
    if len(parts) == 1:
        return TrainingRow(text=parts[0])
    return TrainingRow(tuple(zip(("user", "assistant"), parts, strict=True)))


def _json_row(line: Fields) -> TrainingRow | Unusable:
    fields = json_object(line[0])
    if isinstance(fields, Unusable):
        return fields
    if fields.get("messages") is not None:
        return _conversation(fields["messages"])
    texts = {name: part for name, part in fields.items() if isinstance(part, str)}
    chosen = _columns(list(texts))
    if chosen is None:
        return Unusable(Message("it has neither `messages`, nor `instruction` and `response`, nor `text`."))
    return _row([list(texts.values())[column] for column in chosen])


def _conversation(turns: object) -> TrainingRow | Unusable:
    if not isinstance(turns, list) or not all(map(_is_message, turns)):
        return Unusable(Message("it is not an object with a list `messages` of roles and contents."))
    if len(turns) > MAX_MESSAGES:
        return Unusable(Message("it has more than 40 messages."))
    if not turns:
        return Unusable(Message("it has no message of the assistant."))
    return TrainingRow(tuple((turn["role"], turn["content"]) for turn in turns))


def _is_message(value: object) -> bool:
    return isinstance(value, dict) and value.get("role") in ROLES and isinstance(value.get("content"), str)


def _tidy(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _checked(row: TrainingRow) -> TrainingRow | Unusable:
    row = TrainingRow(tuple((role, _tidy(content)) for role, content in row.messages), _tidy(row.text))
    contents = [row.text, *(content for _role, content in row.messages)]
    if any(readable_text(content)[1] for content in contents):
        return Unusable(Message("it contains characters that are not text."))
    if max(map(len, contents)) > MAX_CONTENT:
        return Unusable(Message("one of its texts has more than 4,000 characters."))
    if not row.messages:
        return row if row.text else Unusable(Message("its text is empty."))
    if any(role == "user" and not content for role, content in row.messages):
        return Unusable(Message("its instruction is empty."))
    answers = [content for role, content in row.messages if role == "assistant"]
    if not answers:
        return Unusable(Message("it has no message of the assistant."))
    return row if any(answers) else Unusable(Message("its answer is empty."))
