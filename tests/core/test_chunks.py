"""Chunks: laws that every cut keeps, and cuts that one can count."""

from __future__ import annotations

import random

import pytest

from playground.core.chunks import (
    ENDS,
    MEASURES,
    Boundaries,
    Chunking,
    Span,
    boundaries,
    cut,
    new_part,
)
from playground.errors import BadValue

TEXTS = (
    "One two. Three four. Five.",
    "서울은 한국의 수도입니다. 나는 오늘 학교에 갑니다! 정말? 네.\n\n새 문단입니다 끝",
    "a" * 1_000,
    "  leading space, 3.5 is no end... \t and 😀🎉 emoji.\n\n\n\nend",
    "x",
    " \n ",
    "",
)


def tokens_of(text: str) -> tuple[int, ...]:
    """Ends of pieces of up to 4 characters that keep to words."""
    return tuple(i for i in range(1, len(text) + 1) if i % 4 == 0 or text[i : i + 1].isspace())


def cases() -> list[tuple[str, Boundaries, Chunking]]:
    draw, found = random.Random(7), []
    for text in TEXTS:
        for _ in range(60):
            size = draw.randint(1, 40)
            how = Chunking(draw.choice(MEASURES), size, draw.randrange(size), draw.choice(ENDS))
            found.append((text, boundaries(text, tokens_of(text)), how))
    return found


def n_units(found: Boundaries, how: Chunking, span: Span) -> int:
    ends = {
        "characters": range(1, found.n_chars + 1),
        "tokens": found.tokens,
        "sentences": found.sentences,
    }[how.measure]
    return sum(span[0] < end <= span[1] for end in ends)


def test_chunks_without_their_overlaps_are_the_text() -> None:
    for text, found, how in cases():
        spans = cut(found, how)
        parts = [new_part(spans, place) for place in range(len(spans))]
        assert "".join(text[start:end] for start, end in parts) == text, how
        assert all(start < end for start, end in parts), (text, how, spans)


def test_chunks_have_their_size_and_overlap_at_most() -> None:
    for _text, found, how in cases():
        spans = cut(found, how)
        for at, span in enumerate(spans):
            assert n_units(found, how, span) <= how.size
            if at:
                assert spans[at - 1][0] < span[0] <= spans[at - 1][1]
                assert n_units(found, how, (span[0], spans[at - 1][1])) <= how.overlap


def test_a_chunk_is_full_unless_the_next_unit_would_be_too_much() -> None:
    """No chunk ends where one more word would have fitted."""
    text = TEXTS[1]
    found = boundaries(text)
    for size in range(12, 60):  # every word is shorter
        how = Chunking("characters", size, 3, "words")
        for start, end in cut(found, how)[:-1]:
            after = next(word for word in found.words if word > end)
            assert after - start > size


def test_chunks_end_where_they_may() -> None:
    text = TEXTS[0]
    found = boundaries(text)
    assert [text[a:b] for a, b in cut(found, Chunking("sentences", 2, 1))] == [
        "One two. Three four. ",
        "Three four. Five.",
    ]
    assert [text[a:b] for a, b in cut(found, Chunking("characters", 14, 0, "sentences"))] == [
        "One two. ",
        "Three four. ",
        "Five.",
    ]
    assert [text[a:b] for a, b in cut(found, Chunking("characters", 10, 0, "words"))] == [
        "One two. ",
        "Three ",
        "four. ",
        "Five.",
    ]


def test_a_word_longer_than_a_chunk_is_cut_inside() -> None:
    found = boundaries(TEXTS[2], tokens_of(TEXTS[2]))
    assert cut(found, Chunking("characters", 300, 100))[:3] == ((0, 300), (200, 500), (400, 700))
    assert cut(found, Chunking("tokens", 50, 0))[:2] == ((0, 200), (200, 400))


def test_numbers_and_abbreviations_without_a_space_end_no_sentence() -> None:
    assert boundaries("It is 3.5 km. (Yes.) Go").sentences == (14, 21, 23)


def test_a_long_text_is_cut_quickly_enough() -> None:
    """5 MB of one word, as it would be if no limit stood before it."""
    found = boundaries("a" * 200_000)
    assert len(cut(found, Chunking("characters", 1_000, 100))) == 223


@pytest.mark.parametrize(
    "settings",
    [("words", 9, 1, "words"), ("tokens", 0, 0, "words"), ("tokens", 5, 5, "words"), ("tokens", 5, 1, "x")],
)
def test_settings_that_cannot_be_are_refused(settings: tuple[str, int, int, str]) -> None:
    with pytest.raises(BadValue):
        Chunking(*settings)  # type: ignore[arg-type]
