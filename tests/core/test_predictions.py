"""Numbers about a text read with a model: perplexity at its limits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from playground.core.predictions import Predictions, perplexity
from playground.core.tables.continuations import WrittenText, continuations


def read(logprobs: list[float]) -> Predictions:
    """A text whose tokens after the first have these log-probabilities."""
    n = len(logprobs)
    nothing = np.zeros((n + 1, 0))
    return Predictions(
        nothing.astype(np.int64), nothing.astype(np.float32), np.zeros(n + 1, np.float32),
        np.array(logprobs, np.float32), np.zeros(n, np.int64),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("logprobs", "expected"),
    [
        ([math.log(0.5)] * 4, 2.0),
        ([math.log(0.25), 0.0], 2.0),
        ([-700.0], math.exp(700)),
        ([-1025 * math.log(2)], math.inf),
        ([-1e30, 0.0], math.inf),
        ([-math.inf], math.inf),
        ([], math.nan),
    ],
)
def test_perplexity_is_the_inverse_geometric_mean_however_large(
    logprobs: list[float], expected: float
) -> None:
    assert perplexity(logprobs) == pytest.approx(expected, nan_ok=True)
    assert read(logprobs).perplexity == pytest.approx(expected, rel=1e-4, nan_ok=True)


def test_a_table_of_texts_holds_a_perplexity_beyond_every_number() -> None:
    assert continuations([WrittenText(1.0, 0, [5], [-2_000.0])])["perplexity"].tolist() == [math.inf]
