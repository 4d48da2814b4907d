import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.metrics.ranking import Ranked, hit_at, ndcg, ranking_figures, reciprocal_rank


@given(
    st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0]), min_size=2, max_size=12).filter(any),
    st.integers(1, 14),
    st.integers(0, 10_000),
)
def test_ndcg_is_that_of_scikit_learn(gains: list[float], k: int, seed: int) -> None:
    from sklearn.metrics import ndcg_score

    order = np.random.default_rng(seed).permutation(len(gains))
    scores = np.empty(len(gains))
    scores[order] = np.arange(len(gains), 0, -1)  # the first of the order is found first
    found = [gains[place] for place in order]
    assert ndcg(found, gains, k) == pytest.approx(ndcg_score([gains], [scores], k=k))


@given(st.lists(st.booleans(), max_size=10), st.integers(1, 12))
def test_hits_and_reciprocal_ranks_are_those_of_a_loop(relevant: list[bool], k: int) -> None:
    rank = 0
    for place in range(len(relevant)):
        if relevant[place]:
            rank = place + 1
            break
    assert hit_at(relevant, k) == (0 < rank <= k)
    assert reciprocal_rank(relevant) == (1 / rank if rank else 0.0)


def test_the_textbook_example_gives_its_mrr() -> None:
    # Wikipedia, "Mean reciprocal rank": the right plural at ranks 3, 2 and 1
    found = [
        Ranked((False, False, True), 1),
        Ranked((False, True, False), 1),
        Ranked((True, False, False), 1),
    ]
    figures = ranking_figures(found, 3)
    assert figures.mrr.value == pytest.approx(11 / 18)
    assert (figures.hit.value, figures.n) == (1.0, 3)
    assert figures.ndcg.value == pytest.approx((1 / 2 + 1 / np.log2(3) + 1) / 3)


def test_intervals_hold_the_mean_and_are_narrower_with_more_questions() -> None:
    some = [Ranked((True, False), 1), Ranked((False, True), 1), Ranked((False, False), 1)] * 4
    few, many = ranking_figures(some, 2), ranking_figures(some * 8, 2)
    for figure, other in zip((few.hit, few.mrr, few.ndcg), (many.hit, many.mrr, many.ndcg), strict=True):
        assert figure.low < figure.value < figure.high
        assert other.value == pytest.approx(figure.value)
        assert other.high - other.low < figure.high - figure.low


def test_what_nothing_can_find_counts_as_missed() -> None:
    figures = ranking_figures([Ranked((False, False), 0), Ranked((True, False), 2)], 2)
    assert figures.hit.value == figures.mrr.value == 0.5
    assert figures.ndcg.value == pytest.approx(0.5 / (1 + 1 / np.log2(3)))
    with pytest.raises(ValueError, match="no question"):
        ranking_figures([], 3)
