"""Head scores find heads made to do one job, and real ones that do it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from playground.core.heads import EVEN, SCORES, Score, head_role, head_scores, kl_bits

IDS = [7, 3, 9, 7, 3, 9, 7]  # 7 3 9, again, and again


def one_hot(targets: list[int]) -> np.ndarray:
    return np.eye(len(targets))[targets][None, None]


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("previous_token", [0, 0, 1, 2, 3, 4, 5]),
        ("first_token", [0] * 7),
        ("induction", [0, 0, 0, 1, 2, 3, 4]),
        ("duplicate_token", [0, 0, 0, 0, 1, 2, 3]),
        ("same_word", [1, 0, 3, 2, 5, 4, 4]),
    ],
)
def test_a_head_made_for_a_job_has_its_full_score(name: Score, targets: list[int]) -> None:
    scores = head_scores(one_hot(targets), IDS, [0, 0, 1, 1, 2, 2, 2])
    assert scores[name].item() == pytest.approx(1)
    assert scores["entropy"].item() == 0
    assert head_role(scores, 0, 0, 4) == name


def test_scores_are_means_over_the_rows_that_can_tell() -> None:
    scores = head_scores(one_hot([0, 1, 2, 1, 2, 0, 0]), IDS)
    assert scores["induction"].item() == pytest.approx(2 / 4)  # rows 3, 4 of 3, 4, 5, 6
    assert scores["distance"].item() == pytest.approx((0 + 0 + 2 + 2 + 5 + 6) / 6)
    assert np.isnan(scores["same_word"]).all()
    unlike = head_scores(one_hot([0, 0, 1]), [1, 2, 3])
    assert np.isnan(unlike["induction"]).all()
    assert np.isnan(unlike["duplicate_token"]).all()
    alone = head_scores(np.ones((2, 3, 1, 1)), [1])
    assert all(np.isnan(alone[name]).all() for name in SCORES)


def test_an_even_head_and_one_without_a_job() -> None:
    n = 8
    even = np.tril(np.ones((n, n)))
    even /= even.sum(-1, keepdims=True)
    scores = head_scores(even[None, None], range(n))
    expected = np.mean(np.log2(np.arange(2, n + 1)))
    assert scores["entropy"].item() == pytest.approx(expected)
    assert head_role(scores, 0, 0, 2**expected) == "even"
    assert head_role(scores, 0, 0, 2 ** (expected / EVEN + 0.1)) == "mixed"


def test_kl_is_torchs_and_zero_for_no_change() -> None:
    rng = np.random.default_rng(1)
    before, after = rng.normal(size=50) * 5, rng.normal(size=(3, 50)) * 5
    theirs = torch.nn.functional.kl_div(
        torch.from_numpy(after).log_softmax(-1),
        torch.from_numpy(before).log_softmax(-1).expand(3, -1),
        log_target=True,
        reduction="none",
    ).sum(-1) / np.log(2)
    np.testing.assert_allclose(kl_bits(before, after), theirs, atol=1e-10)
    assert kl_bits(before, before) == 0


def test_kl_is_scipys_also_where_tokens_cannot_come() -> None:
    rng = np.random.default_rng(2)
    before, after = rng.normal(size=(2, 40)) * 4
    before[:7], after[:5] = -np.inf, -np.inf
    p, q = (np.exp(logits - logits.max()) for logits in (before, after))
    assert float(kl_bits(before, after)) == pytest.approx(entropy(p, q, base=2))
    assert float(kl_bits(before, before + 7)) == pytest.approx(0, abs=1e-12)
    after[20] = -np.inf
    assert float(kl_bits(before, after)) == np.inf
    assert float(kl_bits([0.0, -900.0], [0.0, -np.inf])) == 0, "less than any number"
