"""BLEU: equal to sacrebleu, to its papers, and to our own counts."""

from __future__ import annotations

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU

from playground.core.canonical import canonical
from playground.core.metrics.bleu import (
    BLEU_TOKENIZERS,
    Bleu,
    BleuTokenizer,
    bleu_interval,
    bleu_tokens,
    brevity_penalty,
    corpus_bleu,
    sentence_bleu,
)
from playground.core.metrics.ngrams import ngram_matches
from tests.core.metrics.texts import references, texts

tokenizers = st.sampled_from(BLEU_TOKENIZERS)


def by_library(
    candidates: list[str], rights: list[list[str]], tokenizer: BleuTokenizer, *, sentence: bool
) -> tuple[object, ...]:
    most = max(map(len, rights))
    streams = [[canonical(right[at]) if at < len(right) else None for right in rights] for at in range(most)]
    metric = BLEU(tokenize=tokenizer, effective_order=sentence)
    score = metric.corpus_score([canonical(each) for each in candidates], streams)  # type: ignore[arg-type]
    return (
        *(score.score, tuple(score.precisions), tuple(score.counts), tuple(score.totals)),
        *(score.bp, score.sys_len, score.ref_len, metric.get_signature().format()),
    )


def fields(found: Bleu) -> tuple[object, ...]:
    return tuple(getattr(found, name) for name in Bleu.__dataclass_fields__)


@given(texts, references, tokenizers)
def test_a_sentence_scores_as_by_sacrebleu(
    candidate: str, rights: list[str], tokenizer: BleuTokenizer
) -> None:
    found = sentence_bleu(candidate, rights, tokenizer)
    assert fields(found) == by_library([candidate], [rights], tokenizer, sentence=True)
    assert (
        found.score
        == BLEU(tokenize=tokenizer, effective_order=True)
        .sentence_score(canonical(candidate), [*map(canonical, rights)])
        .score
    )


@given(st.lists(st.tuples(texts, references), min_size=1, max_size=4), tokenizers)
def test_a_corpus_scores_as_by_sacrebleu(rows: list[tuple[str, list[str]]], tokenizer: BleuTokenizer) -> None:
    candidates, rights = [row[0] for row in rows], [row[1] for row in rows]
    found = corpus_bleu(candidates, rights, tokenizer)
    assert fields(found) == by_library(candidates, rights, tokenizer, sentence=False)


@given(texts, references, tokenizers)
def test_our_counts_and_our_product_are_sacrebleus(
    candidate: str, rights: list[str], tokenizer: BleuTokenizer
) -> None:
    found = sentence_bleu(candidate, rights, tokenizer)
    tokens = bleu_tokens(candidate, tokenizer)
    cut = [bleu_tokens(each, tokenizer) for each in rights]
    each = [ngram_matches(tokens, cut, order) for order in (1, 2, 3, 4)]
    assert tuple(one.n_matched for one in each) == found.n_matched
    assert tuple(one.n_candidate for one in each) == found.n_total
    assert len(tokens) == found.n_candidate
    assert min(abs(len(one) - len(tokens)) for one in cut) == abs(found.n_reference - len(tokens))
    assert brevity_penalty(found.n_candidate, found.n_reference) == pytest.approx(found.brevity_penalty)
    assert found.brevity_penalty * found.mean_precision == pytest.approx(found.score)
    for one in each:
        assert len(one.in_candidate) == one.n_matched
        if len(cut) == 1:
            assert len(one.in_references[0]) == one.n_matched


def test_the_papers_candidate_of_seven_the_matches_two() -> None:
    rights = ["The cat is on the mat.", "There is a cat on the mat."]
    found = sentence_bleu("the the the the the the the", [*map(str.lower, rights)])
    assert (found.n_matched[0], found.n_total[0]) == (2, 7)
    assert found.precisions[0] == pytest.approx(100 * 2 / 7)


def test_the_papers_two_candidates_have_its_precisions() -> None:
    rights = [
        "It is a guide to action that ensures that the military will forever heed Party commands",
        "It is the guiding principle which guarantees the military forces always being under "
        "the command of the Party",
        "It is the practical guide for the army always to heed the directions of the party",
    ]
    first = "It is a guide to action which ensures that the military always obeys the commands of the party"
    second = "It is to insure the troops forever hearing the activity guidebook that party direct"
    lower = [*map(str.lower, rights)]
    better, worse = (sentence_bleu(each.lower(), lower) for each in (first, second))
    assert (better.n_matched[:2], better.n_total[:2]) == ((17, 10), (18, 17))  # section 2.1 and 2.1.1
    assert (worse.n_matched[:2], worse.n_total[:2]) == ((8, 1), (14, 13))


def test_short_candidate_is_penalised_as_in_the_paper() -> None:
    found = sentence_bleu("the cat", ["the cat is on the mat"])
    assert found.brevity_penalty == pytest.approx(math.exp(1 - 6 / 2))
    assert found.precisions[:2] == (100.0, 100.0)
    assert found.score == pytest.approx(100 * math.exp(-2))


def test_an_empty_candidate_scores_nothing() -> None:
    for candidate in ("", "  \n"):
        found = sentence_bleu(candidate, ["the cat"])
        assert (found.score, found.n_candidate, found.brevity_penalty) == (0.0, 0, 0.0)


@pytest.mark.parametrize("rights", [[], [[]], [["a"], ["b"]]])
def test_missing_references_are_refused(rights: list[list[str]]) -> None:
    with pytest.raises(ValueError, match="candidates"):
        corpus_bleu(["a"], rights)


def test_the_form_of_hangul_does_not_matter() -> None:
    right = "고양이가 매트 위에서 잔다"
    found = sentence_bleu(unicodedata.normalize("NFD", right), [right], "char")
    assert found.score == pytest.approx(100)


def test_the_tokenizer_is_named_and_changes_the_score() -> None:
    scores = {
        name: sentence_bleu("고양이는 매트에서 잔다", ["고양이가 매트 위에서 잔다"], name)
        for name in BLEU_TOKENIZERS
    }
    assert all(f"tok:{name}" in found.signature for name, found in scores.items())
    assert scores["char"].score > scores["13a"].score


def test_sacrebleu_remembers_no_text() -> None:
    from sacrebleu.tokenizers import tokenizer_13a, tokenizer_char, tokenizer_intl, tokenizer_re

    kept = [
        tokenizer_13a.Tokenizer13a,
        tokenizer_char.TokenizerChar,
        tokenizer_intl.TokenizerV14International,
        tokenizer_re.TokenizerRegexp,
    ]
    before = [each.__call__.cache_info().currsize for each in kept]  # type: ignore[attr-defined]
    for name in BLEU_TOKENIZERS:
        corpus_bleu(["a text that nobody wrote before"], [["neither did they"]], name)
        bleu_tokens("nor this one", name)
    assert [each.__call__.cache_info().currsize for each in kept] == before  # type: ignore[attr-defined]


def test_the_interval_is_that_of_resampled_corpora() -> None:
    candidates = ["the cat sat on a mat", "a dog ran", "birds sing in the tree", "it rains a lot today"]
    rights = [["the cat sat on the mat"], ["the dog ran home"], ["birds sing in a tree"], ["it rains today"]]
    rows = [sentence_bleu(one, right) for one, right in zip(candidates, rights, strict=True)]
    low, high = bleu_interval(rows)
    assert low < corpus_bleu(candidates, rights).score < high
    assert bleu_interval(rows) == (low, high)
    assert bleu_interval(rows[:1]) == pytest.approx((corpus_bleu(candidates[:1], rights[:1]).score,) * 2)
