"""Two jobs with few labels: no text in both parts, the same letters forwards and backwards."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from playground.core.labelled_sets import LabelledSet, read_labelled_set
from playground.core.pretraining_run import LANGUAGES, shipped_text
from playground.core.transfer_set import JOBS, N_LABELS, Job, backwards, labelled_texts, points
from playground.paths import site_root

RNG = np.random.default_rng(1)


@pytest.fixture(scope="module")
def reviews() -> LabelledSet:
    return read_labelled_set((site_root() / "assets/samples/jobs/classification.json").read_text("utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("job", JOBS)
def test_both_parts_have_both_labels_and_share_no_text(job: Job, language: str, reviews: LabelledSet) -> None:
    drawn, asked = labelled_texts(reviews, language, job)
    assert not {one.text for one in drawn} & {one.text for one in asked}
    for part in (drawn, asked):
        assert len({one.label for one in part}) == 2
        assert min(Counter(one.label for one in part).values()) >= len(part) / 3
    assert len(drawn) >= N_LABELS[-1]
    text = shipped_text(language)
    assert not [one.text for one in (*drawn, *asked) if one.text in text], "no body has read them"


def test_a_text_backwards_has_the_same_letters_and_is_its_own_way_back() -> None:
    text = "The sea is calm."
    assert Counter(backwards(text)) == Counter(text)
    assert backwards(backwards(text)) == text
    assert backwards(text) != text


def test_vectors_that_hold_the_label_are_told_right_and_noise_is_not(reviews: LabelledSet) -> None:
    drawn, asked = labelled_texts(reviews, "en", "backwards")
    truth = np.array([[one.label == "backwards"] for one in (*drawn, *asked)], np.float32)
    knows = points(np.hstack([truth, RNG.normal(size=truth.shape)]).astype(np.float32), drawn, asked)
    guesses = points(RNG.normal(size=(len(truth), 8)).astype(np.float32), drawn, asked)
    assert knows[-1][1] == 1
    assert abs(guesses[-1][1] - 0.5) < 0.2
    assert [n for n, _share, _asked in knows] == list(N_LABELS)
