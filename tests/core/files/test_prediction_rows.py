"""Predictions from a file: every row is used or refused by its number."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.files.prediction_rows import Prediction, columns, read_predictions
from playground.core.files.rows import ReadOptions, sheet
from playground.errors import BadFile, PlaygroundError


def test_names_of_columns_in_both_languages_are_known() -> None:
    for head in ("reference,candidate", "정답,예측", "ref;hyp", "label,predicted"):
        file = read_predictions("a.csv", f"{head}\nx{head[3] if ';' in head else ','}y\n".encode())
        assert file.predictions == (Prediction(2, ("x",), "y"),)


def test_another_reference_may_be_missing_or_empty() -> None:
    text = "reference_2,candidate,reference\nB,c,A\n,d,A\n"
    assert columns(sheet("a.csv", text.encode())) == (0, 2, 1)
    file = read_predictions("a.csv", text.encode())
    assert [one.references for one in file.predictions] == [("A", "B"), ("A",)]
    chosen = read_predictions("a.csv", b"one,two\nA,c\n", ReadOptions(has_header=True, columns=(0, 1)))
    assert chosen.predictions == (Prediction(2, ("A",), "c"),)


def test_json_lines_may_have_several_references() -> None:
    lines = [
        {"reference": ["A", "B"], "candidate": "c"},
        {"candidate": "c"},
        {"reference": "A", "candidate": 3},
        {"정답": "A", "예측": ""},
        {"reference": ["A", 1], "candidate": "c"},
    ]
    file = read_predictions("a.jsonl", "\n".join(map(json.dumps, lines)).encode() + b"\n{")
    assert [(one.row, one.references) for one in file.predictions] == [(1, ("A", "B")), (4, ("A",))]
    assert [error.params["row"] for error in file.rejected] == [2, 3, 5, 6]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b",c", "it has no reference"),
        (b'" ",c', "it has no reference"),
        (b"A\x00,c", "not text"),
        (b"A," + b"c" * 1_001, "too long"),
        (b"A", "fields"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_number(row: bytes, reason: str) -> None:
    file = read_predictions("a.csv", b"reference,candidate\nA,c\n" + row + b"\nB,\n")
    assert [one.row for one in file.predictions] == [2, 4]
    (error,) = file.rejected
    assert error.params["row"] == 3
    assert reason in str(error)


def test_a_file_without_a_usable_row_is_refused_with_the_first_reason() -> None:
    with pytest.raises(BadFile, match="no row has") as caught:
        read_predictions("a.csv", b"reference,candidate\n,c\n")
    assert "Row 2" in str(caught.value.__cause__)
    with pytest.raises(BadFile, match="names no"):
        read_predictions("a.csv", b"one,two\nA,c\n")
    with pytest.raises(BadFile):
        read_predictions("a.txt", b"reference,candidate\nA,c\n")


def test_a_thousand_rows_are_read_and_the_rest_is_counted() -> None:
    rows = "".join(f"reference {n},nonsense {n}\n" for n in range(1_003))
    file = read_predictions("a.csv", f"reference,candidate\n{rows}".encode())
    assert (len(file.predictions), file.n_beyond_limit) == (1_000, 3)


def test_texts_are_compared_in_one_form() -> None:
    decomposed = unicodedata.normalize("NFD", "고양이")
    file = read_predictions("a.csv", f"reference,candidate\n고양이,{decomposed}\n".encode())
    assert file.predictions[0].candidate == file.predictions[0].references[0]


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.sampled_from(["a.csv", "a.jsonl"]))
def test_any_bytes_are_read_or_refused(data: bytes, name: str) -> None:
    for head in (b"", b"reference,candidate\n"):
        try:
            file = read_predictions(name, head + data)
        except PlaygroundError:
            continue
        assert all(one.references and all(one.references) for one in file.predictions)
