"""Pairs from files: rows by number, sides that cannot be used, columns by name."""

from __future__ import annotations

import json

import pytest

from playground.core.files.pair_rows import MAX_CHARS, read_pairs
from playground.core.files.rows import ReadOptions
from playground.core.pairs.pair import Pair
from playground.errors import BadFile
from playground.paths import site_root

TEN = [(f"w{n}", str(n)) for n in range(10)]


def csv(*rows: tuple[str, str], head: str = "source,target") -> bytes:
    return "\n".join([head, *(",".join(row) for row in (*TEN, *rows))]).encode()


def test_csv_and_jsonl_give_the_same_pairs() -> None:
    lines = [json.dumps({"target": target, "source": source}) for source, target in TEN]
    assert read_pairs("a.jsonl", "\n".join(lines).encode()).pairs == read_pairs("a.csv", csv()).pairs
    assert read_pairs("a.csv", csv(head="원문,번역")).pairs[0] == Pair("w0", "0")
    chosen = read_pairs("a.csv", csv(head="x,y"), ReadOptions(columns=(1, 0)))
    assert chosen.pairs[0] == Pair("0", "w0")


@pytest.mark.parametrize(
    ("row", "reason"),
    [(("", "x"), "the source is empty."), (("x", "  "), "the target is empty."),
     (("x" * (MAX_CHARS + 1), "y"), "a side has more than 60 characters."),
     (("a\x00b", "y"), "it contains characters that are not text.")],
)  # fmt: skip
def test_a_row_that_cannot_be_used_is_told_by_its_number(row: tuple[str, str], reason: str) -> None:
    file = read_pairs("a.csv", csv(row))
    assert [str(error) for error in file.rejected] == [f"Row 12 of the file cannot be used: {reason}"]
    assert len(file.pairs) == 10


def test_hangul_typed_in_parts_and_spaces_are_made_one() -> None:
    assert read_pairs("a.csv", csv(("\u1112\u1161\u11ab", " a   b "))).pairs[-1] == Pair("한", "a b")


def test_a_file_without_ten_sources_or_columns_is_refused() -> None:
    with pytest.raises(BadFile, match="fewer than ten pairs"):
        read_pairs("a.csv", b"source,target\n" + b"a,b\n" * 30)
    with pytest.raises(BadFile, match="names no `source` and `target`"):
        read_pairs("a.csv", csv(head="x,y"))
    file = read_pairs("a.csv", csv(*TEN), max_rows=12)
    assert (len(file.pairs), file.n_beyond_limit) == (12, 8)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_our_sample_is_read_whole(language: str) -> None:
    file = read_pairs("pairs.csv", (site_root() / f"assets/samples/{language}/pairs.csv").read_bytes())
    assert not file.rejected
    assert len({one.source for one in file.pairs}) == len(file.pairs) > 60
