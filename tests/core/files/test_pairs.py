"""Files of minimal pairs: columns by name, groups, what is refused."""

from __future__ import annotations

import pytest

from playground.core.files.pairs import read_pairs
from playground.core.files.rows import ReadOptions
from playground.core.minimal_pairs import MinimalPair
from playground.errors import BadFile, BadUpload


def test_rows_of_csv_and_jsonl_are_the_same_pairs() -> None:
    pairs = (MinimalPair("g", "One.", "Two."), MinimalPair("", "Three, four.", "Five."))
    csv = b'group;sentence_a;sentence_b\ng;One.;Two.\n;"Three, four.";Five.\n'
    lines = b'{"group": "g", "a": "One.", "b": "Two."}\n{"sentence_a": "Three, four.", "b": "Five."}\n'
    assert read_pairs("p.csv", csv).pairs == read_pairs("p.jsonl", lines).pairs == pairs


def test_chosen_columns_need_no_names() -> None:
    options = ReadOptions(separator=",", has_header=False, columns=(1, 0))
    assert read_pairs("p.csv", b"x,y\nu,v\n", options).pairs == (
        MinimalPair("", "y", "x"), MinimalPair("", "v", "u"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A.,", "empty"), ("A.,A.", "the same"), (f"A.,{'b' * 201}", "too long"), ("A.,b\x00", "not text"),
    ],
)  # fmt: skip
def test_a_row_that_is_no_pair_is_refused_by_number(row: str, reason: str) -> None:
    file = read_pairs("p.csv", f"a,b\nOne.,Two.\n{row}\n".encode())
    assert len(file.pairs) == 1
    (error,) = file.rejected
    assert isinstance(error, BadUpload)
    assert "3" in str(error)
    assert reason in str(error)


def test_a_file_without_a_pair_is_refused() -> None:
    for data in (b"a,b\nSame.,Same.\n", b"x,y\n1,2\n", b"[1]\n"):
        with pytest.raises(BadFile):
            read_pairs("p.csv", data)
    with pytest.raises(BadFile):
        read_pairs("p.jsonl", b'{"a": 1, "b": "x"}\n')


def test_rows_past_the_limit_are_counted() -> None:
    data = b"a,b\n" + b"One.,Two.\n" * 5
    file = read_pairs("p.csv", data, max_rows=3)
    assert (len(file.pairs), file.n_beyond_limit) == (3, 2)
