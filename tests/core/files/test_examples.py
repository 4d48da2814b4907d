"""A reader's own task: every row read, or named."""

from __future__ import annotations

import json

import pytest

from playground.core.files.examples import jsonl_bytes, read_examples, read_messages
from playground.errors import BadFile, BadUpload, Message

ROWS = [("영화가 재미있어요", "긍정"), ("맛이 없어요", "부정"), ("친절해요", "긍정"), ("너무 늦어요", "부정")]
CSV = "text,label\n" + "\n".join(",".join(row) for row in ROWS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_korean_files_as_excel_saves_them(encoding: str) -> None:
    read = read_examples("a.CSV", CSV.encode(encoding))
    assert [(one.text, one.label) for one in read.examples] == ROWS
    assert read.rejected == ()


def test_columns_stand_anywhere_and_lines_break_as_they_like() -> None:
    file = 'no,Label,x,TEXT\r\n1,a,,"one, and ""two"""\r\n2,b,,three\r\n3,a,,four\r\n4,b,,five\r\n,,,\r\n'
    read = read_examples("a.csv", file.encode())
    assert [one.text for one in read.examples] == ['one, and "two"', "three", "four", "five"]


def test_jsonl() -> None:
    lines = [json.dumps({"text": text, "label": label}, ensure_ascii=False) for text, label in ROWS]
    assert len(read_examples("a.jsonl", "\n".join([*lines, "", ""]).encode()).examples) == 4


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",bad", "its text is empty."),
        ("good,", "its label is empty."),
        ("a\x00b,bad", "it contains characters that are not text."),
        ("x" * 501 + ",bad", "it is too long, or its label has a line break."),
        ("ok," + "x" * 61, "it is too long, or its label has a line break."),
    ],
)
def test_a_bad_row_is_named_and_the_rest_is_used(row: str, reason: str) -> None:
    read = read_examples("a.csv", f"{CSV}\n{row}\nmore,긍정".encode())
    assert len(read.examples) == 5
    (error,) = read.rejected
    assert error.params == {"row": 6, "reason": Message(reason)}


@pytest.mark.parametrize("line", ["{", "[]", '{"text": 1, "label": "a"}', '{"text": "a"}', "[" * 100_000])
def test_a_bad_line_is_named(line: str) -> None:
    lines = [json.dumps({"text": text, "label": label}) for text, label in ROWS]
    read = read_examples("a.jsonl", "\n".join([*lines, line]).encode())
    assert [error.params["row"] for error in read.rejected] == [5]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.txt", b"x", "The file a.txt cannot be read here, only .csv, .jsonl: save it as one."),
        ("a.csv", b"", "The file cannot be used: it has no row with text."),
        ("a.csv", b"text;kind\na;b", "names no columns `text` and `label`."),
        ("a.csv", b"text;label\na;b", "it has fewer than four different texts with a label."),
        ("a.csv", b"text,label", "it has fewer than four different texts with a label."),
        ("a.csv", b"text,label\n" + b"same,a\n" * 500, "fewer than four different texts with a label."),
        ("a.csv", b"text,label\na,x\nb,x\nc,x\nd,x", "all its texts have the same label."),
        (
            "a.csv",
            b"\x81\xff\xff",
            "it is not text in UTF-8, UTF-16 with a byte order mark, CP949 or Windows-1252.",
        ),
        ("a.csv", b"x" * (2**20 + 1), "The file a.csv has 1.01 MB and the limit is 1 MB: make it smaller."),
    ],
)
def test_a_file_that_cannot_be_used_says_why(name: str, data: bytes, sentence: str) -> None:
    with pytest.raises(BadFile) as refused:
        read_examples(name, data)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"text,label\na,x\nb,\nc,y", "Row 3 of the file cannot be used: its label is empty."),
        (
            b"text,label\na,x\nb,x\nc,x\nd,x\ne;y",
            "Row 6 of the file does not have as many fields as the first row (1, not 2)",
        ),
    ],
)
def test_a_file_with_too_few_good_rows_says_what_is_wrong_with_the_first_bad_one(
    data: bytes, sentence: str
) -> None:
    with pytest.raises(BadFile) as refused:
        read_examples("a.csv", data)
    assert sentence in str(refused.value.__cause__)


def test_a_row_with_too_many_or_too_few_fields_is_named_and_no_label_is_cut_out_of_a_sentence() -> None:
    rows = "The bus is late, as ever,부정\nonly text\nmore,긍정"
    read = read_examples("a.csv", f"{CSV}\n{rows}".encode())
    assert len(read.examples) == 5
    assert [(error.params["row"], error.params["got"]) for error in read.rejected] == [(6, 3), (7, 1)]


def test_rows_beyond_the_limit_are_counted() -> None:
    rows = "\n".join(f"text {i},{'ab'[i % 2]}" for i in range(20))
    read = read_examples("a.csv", f"text,label\n{rows}".encode(), max_rows=15)
    assert (len(read.examples), read.n_beyond_limit) == (15, 5)


def test_prompts_come_back_as_they_were() -> None:
    prompts = [
        [{"role": "system", "content": "간단히"}, {"role": "user", "content": 'a "b"\n</script>'}],
        [{"role": "user", "content": "x"}, {"role": "assistant", "content": ""}],
    ]
    assert read_messages(jsonl_bytes(prompts)) == prompts


@pytest.mark.parametrize(
    "line",
    ['{"messages": []}', '{"messages": [{"role": "boss", "content": "x"}]}', "{}", "[1]", "{",
     '{"messages": [{"role": "user"}]}', '{"messages": "x"}'],
)  # fmt: skip
def test_a_line_that_is_no_prompt_is_named(line: str) -> None:
    good = '{"messages": [{"role": "user", "content": "x"}]}'
    with pytest.raises(BadUpload) as refused:
        read_messages(f"{good}\n\n{line}".encode())
    assert refused.value.params["row"] == 3
