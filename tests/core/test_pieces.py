"""What a reader sees of tokens: everything visible, and pieces of a character kept together."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core import pieces
from playground.core.tokens import Tokenization, readable

MIXED = st.text(
    st.one_of(st.characters(), st.sampled_from("안녕하세요 é\u0301\u200d👨👩👧🇰🇷\n\t \u202e\u0000")),
    max_size=40,
)


def cut(text: str, sizes: list[int]) -> Tokenization:
    """`text` cut into pieces of so many bytes, as a byte-level tokenizer might."""
    raw = text.encode()
    parts: list[bytes] = []
    at = 0
    while at < len(raw):
        size = sizes[len(parts) % len(sizes)]
        parts.append(raw[at : at + size])
        at += size
    char_of_byte = [i for i, char in enumerate(text) for _ in char.encode()]
    offsets, at = [], 0
    for part in parts:
        offsets.append((char_of_byte[at], char_of_byte[at + len(part) - 1] + 1))
        at += len(part)
    names = tuple(map(readable, parts))
    return Tokenization(
        "m", text, tuple(range(len(parts))), names, tuple(parts), tuple(offsets), (False,) * len(parts)
    )


def writable(text: str) -> bool:
    return not any(unicodedata.category(char) == "Cs" for char in text)


@given(st.text())
def test_visible_text_has_nothing_unseen(text: str) -> None:
    for cluster in pieces.characters(pieces.visible(text)):
        assert len(cluster) > 1 or unicodedata.category(cluster) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert len(pieces.visible(text)) >= len(pieces.characters(text))


@given(MIXED.filter(writable), st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_groups_are_the_tokens_that_share_a_character(text: str, sizes: list[int]) -> None:
    tokenization = cut(text, sizes)
    found = pieces.groups(tokenization)
    clusters = [i for i, cluster in enumerate(pieces.characters(text)) for _ in cluster]
    touched = [{clusters[i] for i in range(*span)} for span in tokenization.offsets]
    joined = {i for group in found for i in range(group.start, group.stop - 1)}  # i is tied to i + 1
    for i, (here, there) in enumerate(itertools.pairwise(touched)):
        assert (i in joined) == bool(here & there)
    assert all(group.stop - group.start >= 2 and group.text for group in found)


def touched(tokenization: Tokenization, position: int) -> str:
    """Every character of the text that has a byte in the token, by counting bytes."""
    stop = len(b"".join(tokenization.token_bytes[: position + 1]))
    start = stop - len(tokenization.token_bytes[position])
    found, at = "", 0
    for character in pieces.characters(tokenization.text):
        size = len(character.encode())
        found += character if at < stop and at + size > start else ""
        at += size
    return pieces.visible(found)


@given(MIXED.filter(writable), st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_labels_give_the_text_or_the_bytes(text: str, sizes: list[int]) -> None:
    tokenization = cut(text, sizes)
    for position, (piece, part) in enumerate(
        zip(pieces.pieces(tokenization), tokenization.token_bytes, strict=True)
    ):
        if piece.kind == "bytes":
            assert bytes.fromhex(piece.bare) == part
            assert piece.label == f"{piece.bare} ({touched(tokenization, position)})"
            assert " ".join(piece.lines) == piece.label
            assert piece.lines[0] == piece.bare
        else:
            assert piece.label == pieces.visible(part.decode())


def test_korean_syllable_of_three_byte_tokens_is_one_group() -> None:
    assert pieces.groups(cut("a안녕", [1, 2, 1, 3])) == [pieces.Group(1, 3, "안")]


def test_emoji_family_and_combining_mark_stay_whole() -> None:
    family = "👨\u200d👩\u200d👧"
    assert [group.text for group in pieces.groups(cut(f"{family}e\u0301", [4]))] == [f"{family}e\u0301"]
    assert pieces.visible(f"{family}e\u0301") == f"{family}e\u0301"


@pytest.mark.parametrize(
    ("token", "label"),
    [
        (" London", "·London"),
        ("<0A EC>", "0A EC (⏎…)"),
        ("<EC 95>", "EC 95 …"),
        ("<88>", "… 88"),
        ("<FF>", "FF (�)"),
        ("<b>", "<b>"),
    ],
)
def test_predicted_token_is_labelled_from_its_readable_form(token: str, label: str) -> None:
    assert pieces.piece(token).label == label


def test_special_tokens_keep_their_name() -> None:
    tokenization = Tokenization(
        "m",
        "a b",
        (1, 2, 3),
        ("[CLS]", "a", "b"),
        (b"", b"a", b"b"),
        ((0, 0), (0, 1), (2, 3)),
        (True, False, False),
    )
    assert [piece.kind for piece in pieces.pieces(tokenization)] == ["special", "text", "text"]
    assert pieces.groups(tokenization) == []


@pytest.mark.parametrize(
    ("before", "token", "label"),
    [
        ("", "<EC>", "EC …"),
        ("EC", "<95>", "95 (EC 95 …)"),
        ("EC 95", "<88 EC>", "88 EC (안…)"),
        ("EC", "a", "a"),
    ],
)
def test_predicted_token_goes_on_with_what_the_text_has_begun(before: str, token: str, label: str) -> None:
    assert pieces.piece(token, bytes.fromhex(before)).label == label


@given(MIXED.filter(writable), st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_written_tokens_are_labelled_as_those_of_a_whole_text(text: str, sizes: list[int]) -> None:
    tokenization = cut(text, sizes)
    assert pieces.sequence_labels(tokenization.tokens) == pieces.labels(tokenization)


def test_a_character_that_is_not_finished_yet_is_named_once_it_is() -> None:
    tokens = cut("수도", [4, 1]).tokens  # EC 88 98 EB, 8F, 84
    assert pieces.sequence_labels(tokens[:1]) == ("EC 88 98 EB (수…)",)
    assert pieces.sequence_labels(tokens[:2]) == ("EC 88 98 EB (수…)", "8F (EB 8F …)")
    assert pieces.sequence_labels(tokens) == ("EC 88 98 EB (수도)", "8F (도)", "84 (도)")


@given(st.lists(st.binary(min_size=1, max_size=5)))
def test_every_token_has_a_label_also_where_bytes_are_no_text(parts: list[bytes]) -> None:
    made = pieces.sequence_labels([readable(part) for part in parts])
    assert len(made) == len(parts)
    assert all(made)
