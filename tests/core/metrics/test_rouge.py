"""ROUGE: equal to rouge-score, to its paper, and to our own counts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer, lcs_ind
from rouge_score.tokenize import tokenize
from rouge_score.tokenizers import Tokenizer

from playground.core.canonical import canonical
from playground.core.metrics.ngrams import common_subsequence, ngram_matches
from playground.core.metrics.rouge import (
    ROUGE_KINDS,
    ROUGE_TOKENIZERS,
    RougeTokenizer,
    rouge,
    rouge_tokens,
)
from tests.core.metrics.texts import references, sentences, texts

tokenizers = st.sampled_from(ROUGE_TOKENIZERS)


class Same(Tokenizer):  # type: ignore[misc]
    def __init__(self, name: RougeTokenizer) -> None:
        self.name = name

    def tokenize(self, text: str) -> list[str]:
        return [*rouge_tokens(text, self.name)]


@given(texts, references, tokenizers)
def test_it_scores_as_rouge_score(candidate: str, rights: list[str], tokenizer: RougeTokenizer) -> None:
    own = None if tokenizer == "ascii" else Same(tokenizer)
    scorer = RougeScorer([*ROUGE_KINDS], tokenizer=own)
    expected = scorer.score_multi([canonical(each) for each in rights], canonical(candidate))
    for kind, found in rouge(candidate, rights, tokenizer).items():
        assert (found.precision, found.recall, found.f1) == tuple(expected[kind])


@given(sentences, references, tokenizers)
def test_our_counts_give_its_numbers(candidate: str, rights: list[str], tokenizer: RougeTokenizer) -> None:
    for found in rouge(candidate, rights, tokenizer).values():
        own, theirs = (rouge_tokens(each, tokenizer) for each in (candidate, rights[found.reference]))
        if found.kind == "rougeL":
            counts = len(common_subsequence(theirs, own)), len(own), len(theirs)
        else:
            matches = ngram_matches(own, [theirs], int(found.kind[-1]))
            counts = matches.n_matched, matches.n_candidate, matches.n_references[0]
        assert (found.n_matched, found.n_candidate, found.n_reference) == counts
        assert found.precision == found.n_matched / max(found.n_candidate, 1)
        assert found.recall == found.n_matched / max(found.n_reference, 1)


@given(sentences, sentences)
def test_the_common_subsequence_is_rouge_scores(reference: str, candidate: str) -> None:
    theirs, own = reference.split(), candidate.split()
    pairs = common_subsequence(theirs, own)
    assert [at for at, _ in pairs] == lcs_ind(theirs, own)
    assert all(theirs[i] == own[j] for i, j in pairs)
    assert pairs == tuple(sorted(pairs))
    assert len({j for _, j in pairs}) == len(pairs)


@given(st.text(st.characters(max_codepoint=127), max_size=40))
def test_words_of_ascii_texts_are_rouge_scores_own(text: str) -> None:
    assert [*rouge_tokens(text, "words")] == [*rouge_tokens(text, "syllables")] == tokenize(text, None)


def test_the_papers_example_tells_order_from_words() -> None:
    right = "police killed the gunman"
    first, second, third = (
        rouge(each, [right])
        for each in ("police kill the gunman", "the gunman kill police", "the gunman police killed")
    )
    assert (first["rougeL"].recall, second["rougeL"].recall, third["rougeL"].recall) == (0.75, 0.5, 0.5)
    assert first["rouge2"].recall == second["rouge2"].recall == pytest.approx(1 / 3)


def test_korean_scores_nothing_by_rouge_scores_own_tokenizer_and_right_by_ours() -> None:
    right = "서울은 한국의 수도이다."
    library = RougeScorer(["rouge1"]).score(right, right)["rouge1"]
    assert tuple(library) == (0, 0, 0)  # the trap: the very same text
    assert rouge(right, [right], "ascii")["rouge1"].f1 == 0
    for tokenizer in ("words", "syllables"):
        assert rouge(right, [right], tokenizer)["rouge1"].f1 == 1


def test_the_trap_is_worse_where_some_words_are_latin() -> None:
    found = rouge("BTS가 해체했다", ["BTS는 서울에서 공연했다"], "ascii")
    assert found["rouge1"].f1 == 1  # "bts" is all that is left of both


def test_another_particle_matches_by_syllables_only() -> None:
    assert rouge("고양이는", ["고양이가"], "words")["rouge1"].f1 == 0
    assert rouge("고양이는", ["고양이가"], "syllables")["rouge1"].f1 == 0.75


def test_the_form_of_hangul_does_not_matter() -> None:
    decomposed = unicodedata.normalize("NFD", "고양이가 잔다")
    for tokenizer in ("words", "syllables"):
        assert rouge(decomposed, ["고양이가 잔다"], tokenizer)["rougeL"].f1 == 1


def test_texts_without_tokens_score_nothing() -> None:
    for candidate in ("", "😀 !", " \n"):
        found = rouge(candidate, ["a cat"])
        assert {one.f1 for one in found.values()} == {0.0}
        assert found["rougeL"].n_candidate == 0
    with pytest.raises(ValueError, match="reference"):
        rouge("a", [])
