"""`core.penalties` against transformers' processor and the formula of OpenAI's API."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.generation.logits_process import RepetitionPenaltyLogitsProcessor

from playground.core.penalties import NO_PENALTIES, Penalties, penalised

TOKENS = st.lists(st.integers(0, 19), max_size=12)


@given(prompt=TOKENS, new=TOKENS, penalty=st.floats(0.1, 5), seed=st.integers(0, 99))
def test_repetition_equals_transformers_processor(
    prompt: list[int], new: list[int], penalty: float, seed: int
) -> None:
    logits = np.random.default_rng(seed).normal(scale=5, size=20)
    ids = torch.tensor([[*prompt, *new]], dtype=torch.int64)
    expected = RepetitionPenaltyLogitsProcessor(penalty)(ids, torch.from_numpy(logits)[None].clone())[0]
    np.testing.assert_allclose(penalised(logits, prompt, new, Penalties(penalty)), expected, atol=1e-12)


@given(prompt=TOKENS, new=TOKENS, presence=st.floats(-2, 2), frequency=st.floats(-2, 2))
def test_presence_and_frequency_count_what_was_written_not_the_prompt(
    prompt: list[int], new: list[int], presence: float, frequency: float
) -> None:
    logits = np.linspace(-3, 3, 20)
    found = penalised(logits, prompt, new, Penalties(1.0, presence, frequency))
    for token, n in Counter(new).items():  # mu[j] - c[j] * alpha_frequency - float(c[j] > 0) * alpha_presence
        assert found[token] == pytest.approx(logits[token] - n * frequency - presence, abs=1e-12)
    untouched = [token for token in range(20) if token not in new]
    assert np.array_equal(found[untouched], logits[untouched])


def test_without_penalties_nothing_is_copied_and_a_banned_token_stays_banned() -> None:
    logits = np.array([1.0, -np.inf, 2.0])
    assert penalised(logits, [0, 1], [2], NO_PENALTIES) is logits
    assert penalised(logits, [0, 1], [1], Penalties(1.3, 1.0))[1] == -np.inf


@pytest.mark.parametrize("penalty", [0.0, -1.0])
def test_a_repetition_penalty_of_nothing_or_less_is_refused(penalty: float) -> None:
    with pytest.raises(ValueError, match="repetition"):
        penalised(np.zeros(3), [0], [], Penalties(penalty))
