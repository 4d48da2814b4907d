"""Prompt files as teachers and students really save them, and files that are no prompt file at all."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.prompts import SUFFIXES, PromptFile, read_prompts, readable_text
from playground.errors import BadFile

TEXTS = ["The capital of England is", "대한민국의 수도는", "def f(x):", "a, b and \"c\""]  # fmt: skip
KOREAN = ["대한민국의 수도는", "나는 오늘 학교에"]


def read(name: str, data: bytes, *, max_rows: int = 500, max_chars: int = 2_000) -> PromptFile:
    return read_prompts(name, data, max_rows=max_rows, max_chars=max_chars)


def as_csv(rows: list[list[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue()


def rejected_rows(file: PromptFile) -> list[object]:
    return [error.params["row"] for error in file.rejected]


FILES = {
    "txt": "\n".join(TEXTS),
    "csv": as_csv([["no", "prompt"], *[[str(i), text] for i, text in enumerate(TEXTS)]]),
    "jsonl": "\n".join(json.dumps({"prompt": text}, ensure_ascii=False) for text in TEXTS),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_all_kinds_and_encodings_give_the_same_prompts(suffix: str, encoding: str) -> None:
    for newline in ("\n", "\r\n"):
        data = FILES[suffix].replace("\r\n", "\n").replace("\n", newline).encode(encoding)
        assert read(f"My file.{suffix.upper()}", data) == PromptFile(tuple(TEXTS), (), 0)


@given(
    st.lists(
        st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1).filter(str.strip), min_size=1
    )
)
def test_a_csv_round_trip_loses_nothing(texts: list[str]) -> None:
    data = as_csv([["prompt", "remark"], *[[text, ""] for text in texts]]).encode("utf-8-sig")
    assert read("a.csv", data).prompts == tuple(text.strip() for text in texts)


@given(st.sampled_from(SUFFIXES), st.binary(max_size=400))
def test_any_bytes_give_prompts_or_one_sentence(suffix: str, data: bytes) -> None:
    with suppress(BadFile):
        file = read(f"a.{suffix}", data)
        assert all(readable_text(prompt) == (prompt, 0) and prompt.strip() for prompt in file.prompts)


@given(st.lists(st.one_of(st.text(), st.none(), st.integers(), st.lists(st.text())), min_size=1))
def test_jsonl_keeps_every_text_and_names_every_other_row(values: list[object]) -> None:
    data = "\n".join(json.dumps({"prompt": value}) for value in values).encode()
    good = [v.strip() for v in values if isinstance(v, str) and v.strip() and not readable_text(v.strip())[1]]
    bad = [i + 1 for i, v in enumerate(values) if not isinstance(v, str) or readable_text(v.strip())[1]]
    if not good and not bad:
        with pytest.raises(BadFile, match="no row"):
            read("a.jsonl", data)
        return
    file = read("a.jsonl", data, max_rows=10_000, max_chars=10_000)
    assert list(file.prompts) == [text.replace("\r\n", "\n") for text in good]
    assert rejected_rows(file) == bad


def test_one_bad_row_is_named_and_the_good_ones_stay() -> None:
    data = as_csv([["prompt"], [KOREAN[0]], ["bad\x00row"], [KOREAN[1]]]).encode("cp949")
    file = read("korean.csv", data)
    assert file.prompts == tuple(KOREAN)
    assert [str(error) for error in file.rejected] == [
        "Row 3 of the file cannot be used: it has characters that are no text."
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"prompt": 3}', "no text"),
        ('{"prompt": null}', "no text"),
        ('{"text": "x"}', "field `prompt`"),
        ('["prompt"]', "field `prompt`"),
        ("{prompt: x}", "JSON"),
        ("[" * 100_000, "JSON"),
        ('{"prompt": ' + "9" * 5_000 + "}", "JSON"),
        ('{"prompt": "\\ud800"}', "characters that are no text"),
        ('{"prompt": "a\\u0000b"}', "characters that are no text"),
        ('{"prompt": "' + "a" * 2_001 + '"}', "too long"),
    ],
)
def test_bad_json_rows_say_why(line: str, reason: str) -> None:
    file = read("a.jsonl", f'{{"prompt": "good"}}\n{line}\n\n{{"prompt": "also good"}}'.encode())
    assert file.prompts == ("good", "also good")
    assert rejected_rows(file) == [2]
    assert reason in str(file.rejected[0])


def test_a_csv_field_beyond_the_readers_limit_spoils_only_its_row() -> None:
    file = read("a.csv", f"prompt\ngood\n{'a' * 200_000}\nalso good\n".encode())
    assert file.prompts == ("good", "also good")
    assert rejected_rows(file) == [3]


def test_a_csv_row_with_too_few_columns_is_named() -> None:
    file = read("a.csv", b"no,prompt\n1,good\n2\n\n3,also good\n")
    assert file.prompts == ("good", "also good")
    assert rejected_rows(file) == [3]


def test_a_single_column_needs_no_header() -> None:
    assert read("a.csv", "안녕\n나는\n".encode()).prompts == ("안녕", "나는")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.csv", b"1,2,3\n4,5,6\n", "no column `prompt`"),
        ("a.csv", b"", "no row"),
        ("a.txt", b" \n\n", "no row"),
        ("a.txt", b"caf\xe9 \xff\xff", "neither UTF-8 nor CP949"),
        ("a.txt", bytes(range(256)), "neither UTF-8 nor CP949"),
        ("a.xlsx", b"PK", "only .txt"),
        ("prompts", b"x", "only .txt"),
        ("a.csv", b"x" * 200_000, "far too long"),
        ("a.txt", b"x" * (2**20 + 1), "too large"),
    ],
)
def test_a_hopeless_file_is_refused_with_a_reason(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(BadFile, match=reason):
        read(name, data)


def test_rows_after_the_limit_are_counted() -> None:
    file = read("a.txt", b"a\n\nb\nc\nd\n", max_rows=2)
    assert file == PromptFile(("a", "b"), (), 2)


@given(st.text(st.characters()))
def test_readable_text_leaves_text_and_nothing_else(raw: str) -> None:
    text, n_left_out = readable_text(raw)
    assert len(text) + n_left_out == len(raw)
    assert readable_text(text) == (text, 0)
    text.encode()  # no half of a surrogate pair is left
    assert not any(ord(c) < 32 and c not in "\n\t" for c in text)
