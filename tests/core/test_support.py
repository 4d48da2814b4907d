import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.support import sentences, support, words

CHUNK = "The nearest hospital is also in Saltmere, 52 kilometres away. There is no doctor on the island."


@pytest.mark.parametrize(
    ("answer", "overlap", "missing"),
    [
        ("The nearest hospital is 52 kilometres away.", 1.0, ()),
        ("The nearest hospital is 22 kilometres away.", 0.0, ("22",)),  # a wrong number in the right words
        ("It is in Saltmere.", 1.0, ()),
        ("It is in Saltmere, near Dublin.", 1 / 3, ("near", "Dublin")),
        ("The nearest hospital.", None, ()),  # says nothing beyond the question
    ],
)
def test_a_sentence_is_judged_by_what_it_adds_to_the_question(
    answer: str, overlap: float | None, missing: tuple[str, ...]
) -> None:
    question = "How many kilometres away is the nearest hospital?"
    (found,) = support(answer, question, [CHUNK], np.array([[0.95, 0.7]]))
    assert found.overlap == (overlap if overlap is None else pytest.approx(overlap))
    assert found.missing == missing
    assert (found.source, found.cosine) == (0, pytest.approx(0.95))
    assert found.verdict == ("both" if overlap == 1 else "vector")


def test_korean_words_count_with_any_particle() -> None:
    (found,) = support(
        "요리사는 브램 터킷입니다.", "요리사는 누구입니까?", ["요리사 브램 터킷은 일합니다."], None
    )
    assert (found.overlap, found.cosine, found.verdict) == (1.0, None, "words")


def test_without_chunks_nothing_supports_an_answer() -> None:
    (found,) = support("Bram Tuckett.", "Who is the cook?", [], None)
    assert (found.overlap, found.verdict) == (0.0, "neither")


@given(st.text(max_size=80))
def test_sentences_hold_every_character_that_is_no_space(text: str) -> None:
    spans = sentences(text)
    kept = "".join(text[start:end] for start, end in spans)
    assert "".join(kept.split()) == "".join(text.split())
    assert all(text[start:end].strip() == text[start:end] != "" for start, end in spans)
    assert all(word in text for word in words(text).values())
