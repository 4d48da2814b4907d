"""What a model is trained on: every row read or named, and none on both sides."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.files.encoding import readable_text
from playground.core.files.rows import ReadOptions
from playground.core.files.training_rows import (
    COLUMNS,
    TrainingFile,
    TrainingRow,
    duplicates,
    pairs,
    read_training,
)
from playground.errors import BadFile, BadUpload, Message, WrongFieldCount

PAIRS = [("대한민국의 수도는?", "서울입니다."), ('Say "hi", please', "Ahoy,\nmatey!"), ("1 + 1", "2")]


CONVERSATIONS = tuple(TrainingRow((("user", asked), ("assistant", said))) for asked, said in PAIRS)


NAMED_PAIRS = [columns for columns in COLUMNS if len(columns) == 2]


GOOD = ['{"text": "one"}', '{"text": "two"}']


def as_csv(*rows: tuple[str, ...]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue()


def as_jsonl(*rows: object) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def refused(name: str, data: bytes) -> BadFile:
    with pytest.raises(BadFile) as caught:
        read_training(name, data)
    return caught.value


def rejections(file: TrainingFile) -> list[tuple[object, object]]:
    return [
        (error.params["row"], str(error.params["reason"]) if "reason" in error.params else type(error))
        for error in file.rejected
    ]


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
@pytest.mark.parametrize("columns", NAMED_PAIRS)
def test_both_kinds_of_pairs_and_all_encodings_give_the_same_rows(
    columns: tuple[str, ...], encoding: str
) -> None:
    header = ("no", columns[1].upper(), f" {columns[0].title()} ")
    table = as_csv(header, *(("1", said, asked) for asked, said in PAIRS))
    lines = as_jsonl(*(dict(zip(columns, pair, strict=True)) for pair in PAIRS)).decode()
    assert read_training("My file.CSV", table.encode(encoding)) == TrainingFile((), 0, CONVERSATIONS)
    assert read_training("a.jsonl", lines.encode(encoding)) == TrainingFile((), 0, CONVERSATIONS)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_same_lines_in_a_txt_a_csv_and_a_jsonl(newline: str) -> None:
    lines = ["옛날 옛적에", "", "a b"]
    txt = newline.join(lines).encode("cp949")
    table = newline.join(["Text", *lines]).encode("cp949")
    jsonl = newline.join(json.dumps({"text": line}) if line else "" for line in lines).encode("utf-8-sig")
    expected = TrainingFile((), 0, (TrainingRow(text="옛날 옛적에"), TrainingRow(text="a b")))
    assert read_training("a.txt", txt) == expected
    assert read_training("a.csv", table) == expected
    assert read_training("a.jsonl", jsonl) == expected


def test_rows_of_a_jsonl_may_be_of_different_kinds() -> None:
    system, user, answer = ("system", ""), ("user", "안녕?"), ("assistant", "안녕!")
    said = [{"role": role, "content": content} for role, content in (system, user, answer)]
    rows = [
        {"messages": said},
        {"instruction": "안녕?", "response": " 안녕!\r\n", "no": 3},
        {"messages": None, "prompt": None, "completion": None, "text": "안녕"},
    ]
    file = read_training("a.jsonl", as_jsonl(*rows))
    assert [row.messages for row in file.rows] == [(system, user, answer), (user, answer), ()]
    assert [row.text for row in file.rows] == ["", "", "안녕"]
    assert file.rows[1:2] == pairs([{"instruction": "안녕?", "response": "안녕!"}])


@given(
    st.lists(
        st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1).filter(str.strip),
        min_size=2,
        unique_by=str.strip,
    )
)
def test_conversations_come_back_as_they_were(contents: list[str]) -> None:
    written = [[{"role": "user", "content": one}, {"role": "assistant", "content": one}] for one in contents]
    file = read_training("a.jsonl", as_jsonl(*({"messages": one} for one in written)))
    assert [row.messages for row in file.rows] == [
        (("user", one.strip()), ("assistant", one.strip())) for one in contents
    ]


@given(st.sampled_from(["txt", "csv", "jsonl"]), st.one_of(st.binary(max_size=400), st.text(max_size=200)))
def test_any_file_gives_rows_or_one_sentence(suffix: str, raw: bytes | str) -> None:
    with suppress(BadFile):
        file = read_training(f"a.{suffix}", raw if isinstance(raw, bytes) else raw.encode("utf-8", "replace"))
        assert len({row.key for row in file.rows}) >= 2
        assert not any(row.messages and row.text for row in file.rows)


SHORT = st.text(max_size=9)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | SHORT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SHORT, inner, max_size=3),
)


MESSAGE = st.fixed_dictionaries(
    {},
    optional={"role": st.sampled_from(["system", "user", "assistant"]) | JSON, "content": st.text() | JSON},
)


ROW = st.fixed_dictionaries(
    {}, optional={"messages": st.lists(MESSAGE) | JSON, **dict.fromkeys(sum(COLUMNS, ()), st.text() | JSON)}
)


@given(st.lists(ROW | JSON, max_size=6))
def test_every_row_of_a_jsonl_is_used_or_named(values: list[object]) -> None:
    lines = [*GOOD, *map(json.dumps, values)]
    file = read_training("a.jsonl", "\n".join(lines).encode())
    assert len(file.rows) + len(file.rejected) == len(lines)
    for row in file.rows:
        contents = [content for _role, content in row.messages] or [row.text]
        assert any(said for role, said in row.messages if role == "assistant") or row.text
        assert all(readable_text(one) == (one, 0) and len(one) <= 4_000 for one in contents)


# ---------------------------------------------------------------- bad rows and bad files


def test_bad_json_on_line_7_is_row_7() -> None:
    lines = [f'{{"text": "{n}"}}' for n in range(10)]
    lines[2], lines[6] = "", '{"text": "7"'
    file = read_training("a.jsonl", "\n".join(lines).encode())
    assert len(file.rows) == 8
    assert [str(error) for error in file.rejected] == [
        "Row 7 of the file cannot be used: it is not valid JSON."
    ]


def messages(*said: object) -> str:
    return json.dumps({"messages": said})


def message(role: object, content: object) -> dict[str, object]:
    return {"role": role, "content": content}


NO_FORM = "it has neither `messages`, nor `instruction` and `response`, nor `text`."


NO_MESSAGES = "it is not an object with a list `messages` of roles and contents."


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "it is not valid JSON."),
        ("[" * 100_000, "it is not valid JSON."),
        ('{"text": ' + "9" * 5_000 + "}", "it is not valid JSON."),
        ('["text"]', NO_FORM),
        ("3", NO_FORM),
        ('{"text": 3}', NO_FORM),
        ('{"instruction": "x", "completion": "y"}', NO_FORM),
        ('{"prompt": [], "completion": []}', NO_FORM),
        ('{"text": " "}', "its text is empty."),
        ('{"question": "x", "answer": " \\n"}', "its answer is empty."),
        ('{"question": "", "answer": "x"}', "its instruction is empty."),
        ('{"text": "a\\u0000b"}', "it contains characters that are not text."),
        ('{"prompt": "\\ud800", "completion": "x"}', "it contains characters that are not text."),
        (json.dumps({"text": "a" * 4_001}), "one of its texts has more than 4,000 characters."),
        (
            messages(message("user", "a" * 4_001), message("assistant", "x")),
            "one of its texts has more than 4,000 characters.",
        ),
        ('{"messages": "x"}', NO_MESSAGES),
        ('{"messages": {}}', NO_MESSAGES),
        (messages("x"), NO_MESSAGES),
        (messages(message("boss", "x"), message("assistant", "x")), NO_MESSAGES),
        (messages(message(["user"], "x"), message("assistant", "x")), NO_MESSAGES),
        (messages(message("user", "x"), message("assistant", None)), NO_MESSAGES),
        (messages(), "it has no message of the assistant."),
        (messages(message("system", "x"), message("user", "x")), "it has no message of the assistant."),
        (messages(message("user", "x"), message("assistant", "")), "its answer is empty."),
        (messages(message("user", ""), message("assistant", "x")), "its instruction is empty."),
        (messages(*[message("assistant", "x")] * 41), "it has more than 40 messages."),
    ],
)
def test_a_bad_row_is_named_and_the_rest_is_used(line: str, reason: str) -> None:
    file = read_training("a.jsonl", "\n".join([GOOD[0], "", line, GOOD[1]]).encode())
    assert [row.text for row in file.rows] == ["one", "two"]
    assert rejections(file) == [(3, reason)]


def test_the_longest_row_is_used() -> None:
    longest = messages(*[message("user", "a" * 4_000), message("assistant", "b" * 4_000)] * 20)
    assert rejections(read_training("a.jsonl", "\n".join([*GOOD, longest]).encode())) == []


def test_one_answer_of_several_may_be_empty() -> None:
    line = messages(message("assistant", ""), message("user", "x"), message("assistant", "y"))
    assert rejections(read_training("a.jsonl", "\n".join([*GOOD, line]).encode())) == []


def test_lines_within_a_row_end_in_one_way() -> None:
    table = 'text\r\n"one\r\ntwo"\r\n"one\ntwo"\r\nthree'
    file = read_training("a.csv", table.encode())
    assert [row.text for row in file.rows] == ["one\ntwo", "one\ntwo", "three"]
    assert (duplicates(file.rows), file.rejected) == (1, ())


def test_bad_rows_of_a_csv_are_named() -> None:
    rows = [
        ("a", "b"),
        ("", ""),
        ("only a question",),
        ("a", " "),
        ("", "b"),
        ("a" * 200_000, "b"),
        ("c", "d"),
    ]
    file = read_training("a.csv", as_csv(("prompt", "completion"), *rows).encode())
    assert file.rows == pairs([{"instruction": a, "response": b} for a, b in (("a", "b"), ("c", "d"))])
    assert rejections(file) == [
        (4, WrongFieldCount),
        (5, "its answer is empty."),
        (6, "its instruction is empty."),
        (7, "it is not valid CSV: a field is far too long."),
    ]


NO_COLUMNS = "its first row names no `instruction` and `response`, and no `text`."


FEWER_THAN_TWO = "it has fewer than two different rows to train on."


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.csv", b"", "it has no row with text."),
        ("a.csv", b"a\nb\nc", NO_COLUMNS),
        ("a.csv", b"instruction,answer\na,b\nc,d", NO_COLUMNS),
        ("a.csv", b"instruction;answer\na;b\nc;d", NO_COLUMNS),
        ("a.csv", b"x" * 200_000, "it is not valid CSV: a field is far too long."),
        ("a.csv", b"text\n", "it has no row with text."),
        ("a.txt", b" \n\n", "it has no row with text."),
        ("a.jsonl", b"", "it has no row with text."),
        ("a.jsonl", b"{}\n[]", "none of its rows can be used."),
        ("a.txt", b"one", FEWER_THAN_TWO),
        ("a.txt", b"one\n one\r\none", FEWER_THAN_TWO),
    ],
)
def test_a_file_that_cannot_be_used_says_why(name: str, data: bytes, reason: str) -> None:
    assert refused(name, data).params == {"reason": Message(reason)}


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.txt", b"a\n" * 2**20, "The file a.txt has 2.00 MB and the limit is 1 MB: make it smaller."),
        ("a.xlsx", b"PK", "The file a.xlsx cannot be read here, only .jsonl, .csv, .txt: save it as one."),
        ("rows", b"a\nb", "The file rows cannot be read here, only .jsonl, .csv, .txt: save it as one."),
    ],
)
def test_a_file_of_another_type_or_size_is_named(name: str, data: bytes, sentence: str) -> None:
    assert str(refused(name, data)) == sentence


@pytest.mark.parametrize("header", ["질문;답변", "번호\t물음\t대답", "지시문|응답", "Input,OUTPUT"])
def test_columns_are_known_by_their_korean_names_too(header: str) -> None:
    separator = next(one for one in ";\t|," if one in header)
    lines = [header, *(separator.join(["1", "왜?", "그냥"][-header.count(separator) - 1 :]) for _ in "ab")]
    file = read_training("a.csv", "\n".join([*lines, lines[-1].replace("왜", "뭐")]).encode("cp949"))
    assert [row.messages for row in file.rows[1:]] == [
        (("user", "왜?"), ("assistant", "그냥")),
        (("user", "뭐?"), ("assistant", "그냥")),
    ]


def test_the_reader_says_which_columns_are_meant() -> None:
    data = "날짜,가,나\n1,묻다,답하다\n2,또,그래\n".encode()
    assert refused("a.csv", data).params == {"reason": Message(NO_COLUMNS)}
    pair = read_training("a.csv", data, ReadOptions(columns=(1, 2))).rows
    assert pair[0].messages == (("user", "묻다"), ("assistant", "답하다"))
    assert read_training("a.csv", data, ReadOptions(columns=(2,))).rows[1].text == "그래"


@pytest.mark.parametrize("n_good", [0, 1])
def test_a_file_without_enough_rows_keeps_the_reason_of_its_first_bad_row(n_good: int) -> None:
    lines = [*GOOD[:n_good], "{", '{"text": ""}']
    error = refused("a.jsonl", "\n".join(lines).encode())
    assert isinstance(error.__cause__, BadUpload)
    assert error.__cause__.params == {"row": n_good + 1, "reason": Message("it is not valid JSON.")}


def test_two_rows_are_enough_and_those_beyond_the_limit_are_counted() -> None:
    assert len(read_training("a.txt", b"a\nb").rows) == 2
    file = read_training("a.txt", b"a\n\nb\n\x00\nc\nd", max_rows=3)
    assert (len(file.rows), len(file.rejected), file.n_beyond_limit) == (2, 1, 2)
