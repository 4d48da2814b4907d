"""Prompt files as teachers and students really save them, and files that are no prompt file at all."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.files.encoding import readable_text
from playground.core.files.prompts import SUFFIXES, PromptFile, read_prompts
from playground.core.files.rows import ReadOptions
from playground.errors import BadFile, UnclearEncoding

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
        assert read(f"My file.{suffix.upper()}", data) == PromptFile((), 0, tuple(TEXTS))


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
    if not good:
        with pytest.raises(BadFile, match="none of its rows" if bad else "no row"):
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
        "Row 3 of the file cannot be used: it contains characters that are not text."
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"prompt": 3}', "not text"),
        ('{"prompt": null}', "not text"),
        ('{"no": "x"}', "field `prompt`"),
        ('["prompt"]', "field `prompt`"),
        ("{prompt: x}", "JSON"),
        ("[" * 100_000, "JSON"),
        ('{"prompt": ' + "9" * 5_000 + "}", "JSON"),
        ('{"prompt": "\\ud800"}', "characters that are not text"),
        ('{"prompt": "a\\u0000b"}', "characters that are not text"),
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


def test_a_sentence_with_a_comma_is_kept_whole_where_one_column_is_named() -> None:
    file = read("a.csv", b"prompt\nOnce upon a time, in a land\nGood morning\n")
    assert file == PromptFile((), 0, ("Once upon a time, in a land", "Good morning"))


def test_a_sentence_with_a_comma_among_columns_is_refused_by_its_number() -> None:
    file = read("a.csv", b"no,prompt\n1,Once upon a time, in a land\n2,Good morning\n")
    assert file.prompts == ("Good morning",)
    assert [str(error) for error in file.rejected] == [
        "Row 2 of the file does not have as many fields as the first row (3, not 2): a text that holds the "
        "separator needs quotation marks around it."
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["prompt", "Prompt ", "프롬프트", "문 장", "텍스트", "글", "SENTENCE"])
def test_prompts_are_found_by_separator_and_name(separator: str, name: str) -> None:
    data = f"no{separator}{name}\n1{separator}Good morning\n2{separator}안녕".encode("utf-16")
    assert read("a.csv", data).prompts == ("Good morning", "안녕")


def test_a_decomposed_column_name_is_the_same_name() -> None:
    data = unicodedata.normalize("NFD", "번호,프롬프트\n1,") + "안녕"
    assert read("a.csv", data.encode()).prompts == ("안녕",)


def test_the_reader_says_how_a_file_is_read() -> None:
    data = "ÀÉ;x\n1;2\n".encode("cp1252")
    with pytest.raises(UnclearEncoding, match="possible are CP949, CP1252"):
        read("a.csv", data)
    options = ReadOptions("cp1252", ";", has_header=False, columns=(0,))
    assert read_prompts("a.csv", data, options).prompts == ("ÀÉ", "1")


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
        (
            "a.txt",
            b"caf\x81 \xff\xff",
            "not text in UTF-8, UTF-16 with a byte order mark, CP949 or Windows-1252",
        ),
        (
            "a.txt",
            bytes(range(256)),
            "not text in UTF-8, UTF-16 with a byte order mark, CP949 or Windows-1252",
        ),
        ("a.txt", b"\xef\xbb\xbfcaf\xe9", "not text in UTF-8"),
        ("a.txt", b"\xff\xfea", "not text in UTF-8"),
        ("a.xlsx", b"PK", "a.xlsx cannot be read here, only .txt"),
        ("prompts", b"x", "prompts cannot be read here, only .txt"),
        ("a.csv", b"x" * 200_000, "far too long"),
        ("a.txt", b"x" * (2**20 + 1), "has 1.01 MB and the limit is 1 MB"),
    ],
)
def test_a_hopeless_file_is_refused_with_a_reason(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(BadFile, match=reason):
        read(name, data)


def test_rows_after_the_limit_are_counted() -> None:
    file = read("a.txt", b"a\n\nb\nc\nd\n", max_rows=2)
    assert file == PromptFile((), 2, ("a", "b"))
