"""Rows of the log: filtered, sorted, written and read again."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from playground.core.run_rows import RunRow, before, filtered, jsonl, jsonl_rows, ordered

ROW = RunRow(1, "sampling", "m", "", "A cat", " sat", {"seed": 0}, "length", 2, 3.0, None, 0.0, 0.1, 0.2)


@given(st.text(), st.text(), st.text())
def test_lines_of_json_are_read_again_whatever_the_text(prompt: str, output: str, adapter: str) -> None:
    rows = [replace(ROW, prompt=prompt, output=output, adapter=adapter, number=n) for n in (1, 2)]
    text = jsonl(rows)
    assert text.count("\n") == 2
    assert [json.loads(line)["output"] for line in text.split("\n") if line] == [output, output]
    assert jsonl_rows(text) == rows


def test_filters_are_joined_and_read_any_case_and_form() -> None:
    rows = [
        ROW,
        replace(ROW, number=2, page="prompting", output="서울", thumb="up"),
        replace(ROW, number=3, adapter="x", output="CAFE\u0301", thumb="down"),
    ]

    def found(**wanted: str) -> list[int]:
        return [row.number for row in filtered(rows, **wanted)]

    assert found() == [1, 2, 3]
    assert found(words="CAT") == [1, 2, 3]
    assert found(words="서울".encode().decode()) == [2]
    assert found(words="\u1109\u1165\u110b\u116e\u11af") == [2]  # decomposed
    assert found(words="café") == [3]
    assert found(page="prompting") == [2]
    assert found(model="m") == [1, 2]
    assert found(model="m+x") == [3]
    assert (found(thumb="up"), found(thumb="none")) == ([2], [1])
    assert found(page="prompting", thumb="down") == []


def test_rows_without_a_figure_come_last_in_either_order() -> None:
    rows = [replace(ROW, number=n, metric=metric) for n, metric in ((1, None), (2, 0.2), (3, 0.9), (4, 0.2))]
    assert [row.number for row in ordered(rows, "metric", falling=True)] == [3, 2, 4, 1]
    assert [row.number for row in ordered(rows, "metric", falling=False)] == [2, 4, 3, 1]
    assert [row.number for row in ordered(rows, "number", falling=True)] == [4, 3, 2, 1]


def test_a_run_is_compared_with_what_it_repeats_then_with_the_same_prompt() -> None:
    rows = [replace(ROW, number=n, prompt=prompt) for n, prompt in ((1, "x"), (2, "y"), (3, "x"), (4, "z"))]
    assert before(rows, replace(ROW, number=5, prompt="x", repeats=2)) == rows[1]
    assert before(rows, replace(ROW, number=5, prompt="x")) == rows[2]
    assert before(rows, replace(ROW, number=5, prompt="new")) == rows[3]
    assert before(rows, rows[0]) is None
