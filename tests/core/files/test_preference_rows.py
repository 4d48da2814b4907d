"""Preference pairs from files: rows by number, answers that cannot be used, messages as others write them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playground.core.files.preference_rows import MAX_CHARS, columns, read_preferences
from playground.core.files.rows import ReadOptions, sheet
from playground.core.preferences.pair import PreferencePair
from playground.errors import BadFile, FileTooLarge, WrongFileType

TWO = [{"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"},
       {"prompt": "Bye", "chosen": "See you.", "rejected": "Go."}]  # fmt: skip

SAME = "its chosen and its rejected answer are the same."


def lines(*rows: Any) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in (*TWO, *rows)).encode()


def test_jsonl_and_csv_give_the_same_pairs_in_any_encoding() -> None:
    head = "주제,비선호,선호,프롬프트\n"
    csv = head + "예의,뭐?,안녕하세요!,안녕?\n예의,가.,잘 가요.,잘 있어.\n"
    rows = [{"prompt": "안녕?", "chosen": "안녕하세요!", "rejected": "뭐?", "topic": "예의"},
            {"prompt": "잘 있어.", "chosen": "잘 가요.", "rejected": "가.", "topic": "예의"}]  # fmt: skip
    jsonl = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    expected = (
        PreferencePair("안녕?", "안녕하세요!", "뭐?", "예의"),
        PreferencePair("잘 있어.", "잘 가요.", "가.", "예의"),
    )
    for encoding in ("utf-8", "utf-16", "cp949"):
        assert read_preferences("a.jsonl", jsonl.encode(encoding)).pairs == expected
        assert read_preferences("a.csv", csv.encode(encoding)).pairs == expected


@pytest.mark.parametrize(
    ("row", "reason"),
    [({"prompt": "x", "chosen": "한", "rejected": "\u1112\u1161\u11ab"}, SAME),
     ({"prompt": "x", "chosen": "same ", "rejected": "same"}, SAME),
     ({"prompt": " ", "chosen": "a", "rejected": "b"}, "its prompt is empty."),
     ({"prompt": "x", "chosen": "a", "rejected": ""}, "one of its answers is empty."),
     ({"prompt": "x", "chosen": "a" * (MAX_CHARS + 1), "rejected": "b"},
      "one of its texts has more than 2,000 characters."),
     ({"prompt": "x", "chosen": "a\x00b", "rejected": "b"}, "it contains characters that are not text."),
     ({"prompt": "x", "chosen": "a", "rejected": "b", "topic": "t" * 41},
      "its topic has more than 40 characters."),
     ({"prompt": "x", "chosen": "a"}, "it has no texts `prompt`, `chosen` and `rejected`."),
     ({"prompt": "x", "chosen": "a", "rejected": 3}, "it has no texts `prompt`, `chosen` and `rejected`."),
     (["x", "a", "b"], "it has no texts `prompt`, `chosen` and `rejected`.")],
)  # fmt: skip
def test_a_row_that_cannot_be_used_is_told_by_its_number(row: Any, reason: str) -> None:
    file = read_preferences("a.jsonl", lines(row))
    assert [str(error) for error in file.rejected] == [f"Row 3 of the file cannot be used: {reason}"]
    assert len(file.pairs) == 2


def said(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def test_messages_are_read_as_trl_and_datasets_write_them() -> None:
    asked, good, bad = said("user", "x"), said("assistant", "a"), said("assistant", "b")
    expected = PreferencePair("x", "a", "b")
    for row in (
        {"prompt": [asked], "chosen": [good], "rejected": [bad]},
        {"prompt": "x", "chosen": [asked, good], "rejected": [asked, bad]},
    ):
        assert read_preferences("a.jsonl", lines(row)).pairs[-1] == expected
    other = [said("user", "something else"), good]
    for broken in (other, [], [asked, good, good], [said("assistant", None)], ["a"]):
        file = read_preferences("a.jsonl", lines({"prompt": "x", "chosen": broken, "rejected": [bad]}))
        assert len(file.rejected) == 1, broken


def test_two_hundred_rows_of_two_thousand_characters_are_read_and_more_are_counted() -> None:
    same = {"chosen": "나" * MAX_CHARS, "rejected": "다" * MAX_CHARS}
    long = [{"prompt": f"{n:03}" + "가" * (MAX_CHARS - 3)} | same for n in range(201)]
    data = "\n".join(json.dumps(row, ensure_ascii=False) for row in long).encode()
    file = read_preferences("a.jsonl", data)
    assert (len(file.pairs), file.n_beyond_limit) == (200, 1)
    with pytest.raises(FileTooLarge):
        read_preferences("a.jsonl", data, max_bytes=2**20)


def test_a_file_that_cannot_be_used_says_why() -> None:
    with pytest.raises(BadFile, match="fewer than two pairs with different prompts"):
        read_preferences("a.jsonl", json.dumps(TWO[0]).encode())
    with pytest.raises(BadFile, match="none of its rows") as caught:
        read_preferences("a.jsonl", b'{"prompt": "x"}\n{')
    assert "Row 1" in str(caught.value.__cause__)
    with pytest.raises(BadFile, match="names no `prompt`, `chosen` and `rejected`"):
        read_preferences("a.csv", b"prompt,chosen\nx,a\n")
    with pytest.raises(WrongFileType):
        read_preferences("a.txt", b"x")


def test_columns_by_name_and_by_choice() -> None:
    table = sheet("a.csv", b"id;rejected;topic;chosen;prompt\n1;b;t;a;x\n")
    assert columns(table) == (4, 3, 1, 2)
    file = read_preferences("a.csv", b"w,x,y\n1,a,b\n2,a,b\n", ReadOptions(columns=(0, 2, 1)))
    assert file.pairs[0] == PreferencePair("1", "b", "a")
