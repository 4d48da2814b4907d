"""CSV that leaves: marked, harmless, and the same text when it comes back."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.files.rows import sheet
from playground.core.files.table import csv_bytes, escape, unescape

SAMPLES = sorted((Path(__file__).parents[3] / "assets" / "samples").glob("*/*.csv"))
TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1).filter(str.strip)
MARK = b"\xef\xbb\xbf"


def cells(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_as_a_formula_does(beginning: str) -> None:
    text = beginning + 'HYPERLINK("http://a")'
    data = csv_bytes(pd.DataFrame({text: [text, "대한민국의"]}))
    assert data.startswith(MARK)
    assert cells(data) == [["'" + text], ["'" + text], ["대한민국의"]]


def test_numbers_stay_numbers() -> None:
    table = pd.DataFrame({"a": [-1.5, 2.0], "b": [-1, 3], "c": pd.Series([-1.5, "-x"], dtype=object)})
    assert cells(csv_bytes(table)) == [["a", "b", "c"], ["-1.5", "-1", "-1.5"], ["2.0", "3", "'-x"]]


def test_the_table_itself_is_left_as_it_is() -> None:
    table = pd.DataFrame({"=a": ["=b"]})
    csv_bytes(table)
    assert table.equals(pd.DataFrame({"=a": ["=b"]}))


@given(st.text())
def test_the_way_back_is_exact(text: str) -> None:
    assert unescape(str(escape(text))) == text
    assert not str(escape(text)).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(
    st.lists(
        st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1).filter(str.strip), min_size=1
    )
)
def test_a_file_of_ours_comes_back_as_it_was(texts: list[str]) -> None:
    data = csv_bytes(pd.DataFrame({"no": range(len(texts)), "text": texts}))
    assert [row[1] for _number, row in sheet("a.csv", data).rows] == texts  # type: ignore[index]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_samples_are_such_files_too(path: Path) -> None:
    data = path.read_bytes()
    assert data.startswith(MARK)
    assert all(escape(cell) == cell for row in cells(data) for cell in row)
