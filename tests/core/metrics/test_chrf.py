"""chrF: equal to sacrebleu, and to a hand-written sum."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from sacrebleu.metrics.chrf import CHRF

from playground.core.canonical import canonical
from playground.core.metrics.chrf import chrf
from tests.core.metrics.texts import references, texts


def by_hand(candidate: str, reference: str) -> float:
    """Popović 2015 with one reference: mean precision and recall over the orders that both texts have."""
    one, other = ("".join(canonical(each).split()) for each in (candidate, reference))
    precisions, recalls = [], []
    for order in range(1, 7):
        own, theirs = (
            Counter(each[at : at + order] for at in range(len(each) - order + 1)) for each in (one, other)
        )
        if own and theirs:
            n = (own & theirs).total()
            precisions.append(n / own.total())
            recalls.append(n / theirs.total())
    p, r = (sum(each) / len(each) if each else 0.0 for each in (precisions, recalls))
    return 100 * 5 * p * r / (4 * p + r) if p + r else 0.0


@given(texts, references)
def test_it_is_sacrebleus(candidate: str, rights: list[str]) -> None:
    found = chrf(candidate, rights)
    assert found == CHRF().sentence_score(canonical(candidate), [*map(canonical, rights)]).score
    assert chrf(candidate, rights[:1]) == pytest.approx(by_hand(candidate, rights[0]))


def test_missing_references_are_refused() -> None:
    with pytest.raises(ValueError, match="reference"):
        chrf("a", [])
    assert chrf("", ["a"]) == 0
