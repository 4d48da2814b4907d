"""Rows of a file: every word of it is read, or its row is named."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.files.rows import (
    MAX_COLUMNS,
    NAMES,
    SEPARATORS,
    WHOLE_LINE,
    ReadOptions,
    Unusable,
    WrongCount,
    column_of,
    sheet,
)
from playground.core.files.table import unescape
from playground.errors import BadFile

PRINTABLE = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1).filter(str.strip)


def as_csv(rows: list[list[str]], separator: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator).writerows(rows)
    return out.getvalue().encode("utf-8-sig")


@pytest.mark.parametrize("separator", SEPARATORS[:-1])
@given(st.lists(st.tuples(PRINTABLE, PRINTABLE), min_size=1))
def test_what_a_spreadsheet_writes_comes_back(separator: str, rows: list[tuple[str, str]]) -> None:
    found = sheet("a.csv", as_csv([["text", "label"], *map(list, rows)], separator))
    assert found.separator == separator
    assert found.names == ("text", "label")
    assert [fields for _number, fields in found.rows] == [list(map(unescape, row)) for row in rows]


@given(st.lists(st.text(st.sampled_from("ab,;|'")), min_size=1))
def test_no_word_of_a_file_is_lost(lines: list[str]) -> None:
    found = sheet("a.csv", "\n".join(["no;text", *lines]).encode())
    read = dict(found.rows)
    for number, line in enumerate(lines, start=2):
        row = read.get(number, [])
        if isinstance(row, Unusable):
            assert line.count(";") != 1
        else:
            assert "".join(row) == "".join(map(unescape, line.split(";")))


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf \r\n"])
def test_a_csv_without_a_row_is_refused(data: bytes) -> None:
    with pytest.raises(BadFile, match="it has no row with text"):
        sheet("a.csv", data)


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("no,prompt\n1,a\n", ","),
        ("no;prompt\n1;a, b, c\n2;d, e, f\n", ";"),  # the name decides, not the number of commas
        ("prompt\na,b\nc,d\n", WHOLE_LINE),
        ("a,b\n1,2\n3,4\n", ","),
        ("a\tb\n1,5\t2\n3\t4\n", "\t"),
        ("Once upon a time, in a land\nGood morning\nHello\n", WHOLE_LINE),
        ("Hello, you\n", WHOLE_LINE),
    ],
)
def test_what_separates(text: str, separator: str) -> None:
    assert sheet("a.csv", text.encode()).separator == separator


@pytest.mark.parametrize("line", ['"never closed', '"closed" too early', 'a;"b"c'])
def test_a_broken_quotation_mark_costs_its_own_line(line: str) -> None:
    found = sheet("a.csv", f"no;text\n1;good\n{line}\n2;also good\n3;and\n".encode())
    assert [number for number, row in found.rows if isinstance(row, Unusable)] == [3]
    assert [row for _number, row in found.rows if not isinstance(row, Unusable)] == [
        ["1", "good"], ["2", "also good"], ["3", "and"],
    ]  # fmt: skip


def test_many_quotation_marks_that_are_never_closed_are_read_once() -> None:
    found = sheet("a.csv", ("text\n" + '"a\n' * 300_000).encode())
    assert len(found.rows) >= 150_000


@pytest.mark.parametrize("line", ['x","', '"",x"",,"', 'x"",";"'])
@pytest.mark.parametrize("separator", [",", ";"])
def test_lines_that_each_open_the_next_one_are_read_once(line: str, separator: str) -> None:
    found = sheet("a.csv", (f"text{separator}label\n" + f"{line}\n" * 100_001).encode())
    assert found.separator == separator
    assert len(found.rows) >= 50_000


def test_a_broken_record_costs_no_good_one_behind_it() -> None:
    text = 'text,label\nx,"\nx","\nx","\nend",z"\n"two\nlines",b\nx,"\n"c",d\n'
    assert [row for _number, row in sheet("a.csv", text.encode()).rows if not isinstance(row, Unusable)] == [
        ["two\nlines", "b"], ["c", "d"],
    ]  # fmt: skip


@pytest.mark.parametrize(("line", "got"), [("1;2;3", 3), ("1", 1), ("1;;x", 3)])
def test_a_row_of_another_width_is_refused(line: str, got: int) -> None:
    found = sheet("a.csv", f"no;text\n{line}\n1;2\n".encode())
    assert found.rows == ((2, WrongCount(got=got, expected=2)), (3, ["1", "2"]))


def test_more_columns_than_a_page_can_list_are_refused() -> None:
    names = [f"column {n}" for n in range(MAX_COLUMNS - 1)]
    assert sheet("a.csv", as_csv([["text", *names]], ",")).width == MAX_COLUMNS
    with pytest.raises(BadFile, match=f"more than {MAX_COLUMNS} columns"):
        sheet("a.csv", as_csv([["text", *names, "one more"]], ","))
    with pytest.raises(BadFile):
        sheet("a.csv", b"prompt" + b"," * 10**6)  # a million of them, within a second


def test_empty_fields_too_many_lose_nothing() -> None:
    assert sheet("a.csv", b"no,text\n1,2,, \n,,,\n").rows == ((2, ["1", "2"]),)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_rows_are_numbered_as_a_spreadsheet_does(newline: str) -> None:
    text = newline.join(["text", '"two', 'lines"', "", "last"])
    assert sheet("a.csv", text.encode()).rows == ((2, ["two\nlines"]), (4, ["last"]))


def test_a_file_without_known_names_keeps_its_first_row_where_it_has_one_column() -> None:
    assert [row for _n, row in sheet("a.csv", "안녕\n나는\n".encode()).rows] == [["안녕"], ["나는"]]
    assert sheet("a.csv", "이름,나이\n가,1\n나,2\n".encode()).names == ("이름", "나이")
    options = ReadOptions(has_header=False)
    assert len(sheet("a.csv", "이름,나이\n가,1\n나,2\n".encode(), options).rows) == 3
    assert sheet("a.csv", "안녕\n나는\n".encode(), ReadOptions(has_header=True)).names == ("안녕",)


def test_names_are_known_in_two_languages() -> None:
    for part, names in NAMES.items():
        assert any(name.isascii() for name in names), part
        assert any(not name.isascii() for name in names), part
        for name in names:
            assert column_of(part, ["", f" {name.upper()} "]) == 1
