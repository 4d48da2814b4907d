"""Predictions from outside, row by row: a text or label that a model gave, and the right one or two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playground.core.canonical import canonical
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
from playground.errors import BadFile, Message

SUFFIXES = ("csv", "jsonl")
COLUMNS = ("reference_2", "reference", "candidate")  # the first may be missing


@dataclass(frozen=True, slots=True)
class Prediction:
    """A row of the file.

    Attributes:
        row: Its number in the file, the first row is 1.
        references: One or more right texts, or one right label.
        candidate: The text or label that is scored; may be empty. Both in their canonical form.
    """

    row: int
    references: tuple[str, ...]
    candidate: str


@dataclass(frozen=True, slots=True)
class PredictionFile(RowFile):
    """The predictions read from a file, in its order."""

    predictions: tuple[Prediction, ...]


def read_predictions(
    name: str,
    data: bytes,
    options: ReadOptions = DEFAULTS,
    *,
    max_bytes: int = 2**20,
    max_rows: int = 1_000,
    max_chars: int = 1_000,
) -> PredictionFile:
    r"""Read candidates and references: .csv with columns that mean `reference` and `candidate`, or .jsonl.

    In .jsonl a `reference` may also be a list of texts. An empty candidate is scored; an empty reference
    makes the row unusable.

    Raises:
        BadFile: The whole file cannot be used, or no row can; the cause is then the error of the first.

    Example:
        >>> file = read_predictions("a.csv", "reference,candidate\nA cat.,The cat.\n,x\nB,\n".encode())
        >>> file.predictions[1], str(file.rejected[0])
        (Prediction(row=4, references=('B',), candidate=''),
         'Row 3 of the file cannot be used: it has no reference.')
    """
    check_file(name, len(data), SUFFIXES, max_bytes)
    table = sheet(name, data, options)
    rows = _json_rows(table) if suffix_of(name) == "jsonl" else _rows(table, options)

    def checked(prediction: Prediction) -> Prediction | Unusable:
        return _checked(prediction, max_chars)

    predictions, rejected, n_beyond_limit = sort_out(rows, checked, max_rows)
    if not predictions:
        raise BadFile(reason=Message("no row has a reference and a candidate.")) from next(
            iter(rejected), None
        )
    return PredictionFile(rejected, n_beyond_limit, predictions)


def columns(table: Sheet) -> tuple[int, ...] | None:
    """Columns of another reference, if there is one, of reference and candidate; None if they have no names.

    Example:
        >>> columns(sheet("a.csv", "번호;정답;예측".encode()))
        (1, 2)
    """
    second, *needed = (column_of(part, table.names) for part in COLUMNS)
    known = [column for column in needed if column is not None]
    if len(set(known)) < len(needed):
        return None
    return (second, *known) if second is not None and second not in known else tuple(known)


def _rows(table: Sheet, options: ReadOptions) -> Iterator[tuple[int, Prediction | Unusable]]:
    chosen = columns(table) if options.columns is None else options.columns
    if chosen is None or max(chosen) >= table.width:
        raise BadFile(reason=Message("its first row names no `reference` and `candidate`."))
    *others, reference, candidate = chosen
    for number, row in table.rows:
        if isinstance(row, Unusable):
            yield number, row
        else:
            texts = tuple(row[at] for at in (reference, *others))
            yield number, Prediction(number, texts, row[candidate])


def _json_rows(table: Sheet) -> Iterator[tuple[int, Prediction | Unusable]]:
    for number, row in table.rows:
        yield number, row if isinstance(row, Unusable) else _json_row(number, row)


def _json_row(number: int, line: Fields) -> Prediction | Unusable:
    fields = json_object(line[0])
    if isinstance(fields, Unusable):
        return fields
    names = list(fields)
    reference, candidate = (column_of(part, names) for part in ("reference", "candidate"))
    if reference is None or candidate is None or reference == candidate:
        return Unusable(Message("it has no texts `reference` and `candidate`."))
    right, given = fields[names[reference]], fields[names[candidate]]
    references = right if isinstance(right, list) else [right]
    if not isinstance(given, str) or not all(isinstance(each, str) for each in references):
        return Unusable(Message("it has no texts `reference` and `candidate`."))
    return Prediction(number, tuple(references), given)


def _checked(prediction: Prediction, max_chars: int) -> Prediction | Unusable:
    texts = (prediction.candidate, *prediction.references)
    if any(readable_text(text)[1] for text in texts):
        return Unusable(Message("it contains characters that are not text."))
    references = tuple(canonical(text.strip()) for text in prediction.references if text.strip())
    if not references:
        return Unusable(Message("it has no reference."))
    if max(map(len, texts)) > max_chars or len(references) > 10:
        return Unusable(Message("a text of it is too long, or it has more than ten references."))
    return Prediction(prediction.row, references, canonical(prediction.candidate.strip()))
