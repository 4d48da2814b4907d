"""The numbers of the page on the layers against other ways to compute them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from playground.core import inside as core
from playground.core.residual import Lens
from playground.core.tables import inside as frames
from playground.core.trace import Trace

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 4, size=(6, 50)).astype(np.float32)


def trace(n_layer: int = 3, n: int = 2, d_model: int = 8) -> Trace:
    states = RNG.normal(size=(n_layer + 1, n, d_model)).astype(np.float32)
    writes = RNG.normal(size=(2, n_layer, n, d_model)).astype(np.float32)
    for layer in range(n_layer - 1):
        states[layer + 1] = states[layer] + writes[0, layer] + writes[1, layer]
    return Trace(
        "m", "r", None, "float32", "cpu", np.arange(n), hidden_states=states,
        hidden_layers=tuple(range(n_layer + 1)), attn_out=writes[0], mlp_out=writes[1],
    )  # fmt: skip


def test_the_parts_sum_to_the_last_state_and_the_final_one_is_kept() -> None:
    given_ = trace()
    assert given_.hidden_states is not None
    found = core.residual_stream(given_, 1, pre_norm=True)
    np.testing.assert_allclose(core.parts(found).sum(0), found.states[-1], atol=1e-6)
    np.testing.assert_array_equal(found.final, given_.hidden_states[-1, 1])
    after = core.residual_stream(given_, 1, pre_norm=False)
    np.testing.assert_array_equal(after.states, given_.hidden_states[:, 1])


def test_norms_and_cosines_are_torchs() -> None:
    found = core.residual_stream(trace(), 0, pre_norm=True)
    states = torch.from_numpy(found.states)
    np.testing.assert_allclose(found.norms, torch.linalg.vector_norm(states, dim=-1))
    cosines = torch.nn.functional.cosine_similarity(states, states[-1:], dim=-1)
    np.testing.assert_allclose(found.cosines, cosines)
    assert found.cosines[-1] == pytest.approx(1)


def test_ranks_and_probabilities_are_scipys_and_torchs() -> None:
    tokens = np.array([3, 49, 0])
    expected = rankdata(-LOGITS, axis=1)[:, tokens] - 1
    np.testing.assert_array_equal(core.ranks(LOGITS, tokens), expected)
    np.testing.assert_allclose(
        core.log_probabilities(LOGITS), torch.from_numpy(LOGITS).double().log_softmax(-1), atol=1e-12
    )


@pytest.mark.parametrize("n", [1, 3, 20, 50])
def test_the_best_at_any_layer_have_the_best_ranks(n: int) -> None:
    top = np.argsort(-LOGITS, axis=-1)[:, :n]
    probs = np.exp(core.log_probabilities(LOGITS)).astype(np.float32)
    found = core.best_at_any_layer(top, np.take_along_axis(probs, top, axis=-1), n)
    assert found[0] == LOGITS[-1].argmax()
    assert len(set(found.tolist())) == len(found) == n
    places = rankdata(-LOGITS, axis=1)
    keys = [min(zip(places[:, token], -probs[:, token], strict=True)) for token in range(50)]
    others = sorted(set(range(50)) - {int(found[0])}, key=keys.__getitem__)
    assert [keys[token] for token in found[1:].tolist()] == [keys[token] for token in others[: n - 1]]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_settled_is_the_first_layer_after_which_nothing_else_leads(before: list[int]) -> None:
    ranks = np.array([*before, 0])
    layer = core.settled_layer(ranks)
    assert not ranks[layer:].any()
    assert layer == 0 or ranks[layer - 1] > 0


def test_tables_hold_every_number() -> None:
    lens = Lens((0, 1), np.arange(12).reshape(3, 2, 2), np.full((3, 2, 2), 0.25, np.float32),
                np.full((3, 2), 0.5, np.float32), np.arange(6).reshape(3, 2))  # fmt: skip
    table = frames.lens(lens, ["x", "y"], [{token: str(token) for token in range(12)}] * 2)
    assert table["guess_id"].tolist() == [0, 2, 4, 6, 8, 10]
    assert table["answer"].tolist() == ["8", "10"] * 3
    assert table["answer_rank"].tolist() == [1, 2, 3, 4, 5, 6]
    parts = np.arange(1.0, 9.0)
    for last in (0.0, 8.0):
        made = frames.attribution(np.append(parts[:-1], last))
        assert made["logit"].sum() == pytest.approx(28 + last)
        assert made.loc[made["part"] == "mlp", "layer"].tolist() == [1, 2, 3]
    two = frames.patched(LOGITS[0], LOGITS[1], {4: "a", 9: "b"})
    assert two["when"].tolist() == ["before", "after"] * 2
    strip = frames.tensors({"a": np.arange(3.0), "b": np.arange(2.0)})
    assert strip["dimension"].tolist() == [0, 1, 2, 0, 1]
    np.testing.assert_allclose(strip["scaled"][:3] ** 2 @ np.ones(3), 3)
