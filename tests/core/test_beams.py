"""Beam search over a table of probabilities, against trying every text."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.beams import BeamSearch, Hypothesis


def table(seed: int, d_vocab: int) -> np.ndarray:
    """log p(next | last), one row a last token and one, the last, for the start."""
    logits = np.random.default_rng(seed).normal(scale=2.0, size=(d_vocab + 1, d_vocab))
    logprobs: np.ndarray = (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)
    return logprobs


def search(logprobs: np.ndarray, n_beams: int, n_steps: int, **settings: float) -> tuple[Hypothesis, ...]:
    beams = BeamSearch(n_beams, max_new_tokens=n_steps, eos_ids=[0], **settings)
    beams.step(logprobs[-1:])
    while not beams.done:
        beams.step(logprobs[beams.last_token_ids])
    return beams.hypotheses


def every_text(logprobs: np.ndarray, n_steps: int) -> dict[tuple[int, ...], float]:
    """The log-probability of each text that ends with token 0 or has all its tokens."""
    found = {}
    for tokens in product(range(logprobs.shape[1]), repeat=n_steps):
        text = tokens[: tokens.index(0) + 1] if 0 in tokens else tokens
        places = (-1, *text[:-1])
        found[text] = float(sum(logprobs[place, token] for place, token in zip(places, text, strict=True)))
    return found


@given(st.integers(0, 10_000))
def test_beams_enough_for_every_text_find_the_most_probable_one(seed: int) -> None:
    logprobs = table(seed, 3)
    best = max(every_text(logprobs, 3).values())
    assert search(logprobs, 27, 3, length_penalty=0.0)[0].logprob == pytest.approx(best, abs=1e-5)


@given(st.integers(0, 10_000), st.integers(1, 4), st.sampled_from([-1.0, 0.0, 1.0, 2.0]))
def test_what_ended_has_its_own_probability_and_is_ranked_by_its_score(
    seed: int, n_beams: int, length_penalty: float
) -> None:
    logprobs = table(seed, 5)
    known = every_text(logprobs, 4)
    found = search(logprobs, n_beams, 4, length_penalty=length_penalty)
    assert 0 < len(found) <= n_beams
    for one in found:
        assert one.logprob == pytest.approx(known[one.token_ids], abs=1e-5)
        assert one.score == pytest.approx(one.logprob / len(one.token_ids) ** length_penalty, abs=1e-5)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_one_beam_is_greedy() -> None:
    logprobs = table(3, 6)
    logprobs[:, 0] = -np.inf  # nothing ends early
    found = search(logprobs, 1, 5)[0].token_ids
    place = -1
    for token in found:
        assert token == logprobs[place].argmax()
        place = token


def test_a_candidate_names_the_beam_it_goes_on_from() -> None:
    logprobs = table(5, 6)
    beams = BeamSearch(3, max_new_tokens=4, eos_ids=[0])
    steps = [beams.step(logprobs[-1:])]
    while not beams.done:
        steps.append(beams.step(logprobs[beams.last_token_ids]))
    for before, step in pairwise(steps):
        kept = [one for one in before if one.fate == "kept"]
        for one in step:
            parent = kept[one.parent]
            assert one.logprob == pytest.approx(parent.logprob + one.token_logprob, abs=1e-5)
            assert one.token_logprob == pytest.approx(logprobs[parent.token_id, one.token_id])
    for hypothesis in beams.hypotheses:
        walked = [step[place] for step, place in zip(steps, hypothesis.path, strict=False)]
        assert tuple(one.token_id for one in walked) == hypothesis.token_ids
        assert walked[-1].fate == ("cut" if hypothesis.is_cut else "ended")
        assert hypothesis.is_cut == (hypothesis.token_ids[-1] != 0), "0 ends a text"


def test_what_stops_at_the_length_is_cut_and_what_ends_there_is_not() -> None:
    search = BeamSearch(2, max_new_tokens=1, eos_ids=[0])
    found = search.step(np.log([[0.5, 0.4, 0.1]]))
    assert [(one.token_id, one.fate) for one in found] == [(0, "ended"), (1, "cut"), (2, "dropped")]
    assert [one.is_cut for one in search.hypotheses] == [False, True]
