"""Chosen positions reach the model, limits hold, and a scheme is what the model's own weights say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from playground.core.positions import rotate
from playground.core.projections import pca
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.forward.traces import InputRow, run_traces
from playground.engine.local.engine import LocalEngine
from playground.errors import BadValue, Unsupported
from playground.settings import DEFAULT_DECODER, DEFAULT_ENCODER, Settings
from tests import tiny
from tests.engine.conftest import oracle

IDS = (5, 9, 30, 30, 7, 11)
POSITIONS = [(3, 0, 5, 5, 1, 2), (0,) * 6, (20, 21, 22, 23, 24, 25)]


def request(model: str, position_ids: tuple[int, ...] | None, **more: object) -> TraceRequest:
    wanted = {"hidden_states": "all", "attentions": "float32", **more}
    return TraceRequest(model, input_ids=IDS, position_ids=position_ids, capture=Capture(**wanted))  # type: ignore[arg-type]


@pytest.mark.parametrize("positions", POSITIONS, ids=["jumps", "equal", "shifted"])
@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2, tiny.BERT])
def test_chosen_positions_give_what_the_library_gives(
    model: str, positions: tuple[int, ...], tiny_engine: LocalEngine, tiny_settings: Settings
) -> None:
    trace = tiny_engine.trace(request(model, positions))
    with torch.no_grad():
        expected = oracle(tiny_settings, model)(
            input_ids=torch.tensor([IDS]),
            position_ids=torch.tensor([positions]),
            attention_mask=torch.ones(1, len(IDS), dtype=torch.long),
            output_hidden_states=True,
            output_attentions=True,
        )
    assert trace.hidden_states is not None
    np.testing.assert_allclose(trace.hidden_states, torch.stack(expected.hidden_states)[:, 0], atol=1e-4)
    np.testing.assert_allclose(trace.attentions, torch.stack(expected.attentions)[:, 0], atol=1e-5)


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2, tiny.BERT])
def test_counting_positions_are_the_default_and_another_key(model: str, tiny_engine: LocalEngine) -> None:
    usual = tiny_engine.trace(request(model, None))
    counted = tiny_engine.trace(request(model, tuple(range(6))))
    asked = request(model, (3,) * 6)
    equal = tiny_engine.trace(asked)
    np.testing.assert_allclose(counted.hidden_states, usual.hidden_states, atol=1e-5)
    assert np.abs(equal.hidden_states - usual.hidden_states).max() > 1e-2  # type: ignore[operator]
    assert tiny_engine.trace(asked).cached


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2, tiny.BERT])
def test_chosen_positions_do_not_touch_the_neighbours(model: str, tiny_engine: LocalEngine) -> None:
    loaded = tiny_engine._table.load(model).result(timeout=180)
    rows = [
        InputRow(IDS),
        InputRow(IDS[:4], position_ids=(7, 7, 0, 90)),
        InputRow((*IDS, 3, 4)),
        InputRow((8,), position_ids=(9,)),
    ]
    with torch.no_grad():
        together = run_traces(loaded, rows, Capture(None, "all", None))
        for row, batched in zip(rows, together, strict=True):
            (alone,) = run_traces(loaded, [row], Capture(None, "all", None))
            np.testing.assert_allclose(batched.hidden_states, alone.hidden_states, atol=1e-4)


@pytest.mark.parametrize(
    ("model", "positions", "value"),
    [
        (tiny.BERT, (0, 1, 2, 3, 4, tiny.N_CTX), str(tiny.N_CTX)),
        (tiny.GPT2, (0, 1, 2, 3, 4, tiny.N_CTX), f"0-{tiny.N_CTX - 1}"),
        (tiny.LLAMA, (0, 1, 2, 3, 4, -1), "-1"),
        (tiny.LLAMA, (0, 1, 2, 3, 4, 2**40), "0-1048576"),
        (tiny.LLAMA, (0, 1, 2), "len"),
        (tiny.LLAMA, (), "len"),
    ],
)
def test_positions_a_model_has_not_are_refused(
    model: str, positions: tuple[int, ...], value: str, tiny_engine: LocalEngine
) -> None:
    with pytest.raises(BadValue, match=value):
        tiny_engine.trace(request(model, positions))


def test_relative_biases_have_no_positions_to_choose(tiny_engine: LocalEngine) -> None:
    with pytest.raises(Unsupported):
        tiny_engine.trace(
            TraceRequest(tiny.T5, input_ids=(5, 6), capture=Capture(hidden_states="all"), position_ids=(0, 1))
        )
    tiny_engine._table.load(tiny.T5).result(timeout=180)
    with pytest.raises(Unsupported):
        tiny_engine.inside.positions(tiny.T5)


@pytest.mark.parametrize(
    ("model", "name"), [(tiny.BERT, "embeddings.position_embeddings"), (tiny.GPT2, "wpe")]
)
def test_a_learned_scheme_is_the_model_s_table(
    model: str, name: str, tiny_engine: LocalEngine, tiny_settings: Settings
) -> None:
    scheme = tiny_engine.inside.positions(model)
    weight = oracle(tiny_settings, model).base_model.get_submodule(name).weight.detach().numpy()
    assert (scheme.kind, scheme.n_ctx) == ("learned", tiny.N_CTX)
    np.testing.assert_array_equal(scheme.table, weight)
    with pytest.raises(ValueError, match="read-only"):
        scheme.table[0, 0] = 1  # type: ignore[index]


def check_first_head(engine: LocalEngine, model: str) -> None:
    """softmax of the rotated scores is the attention the model itself computes, also at shifted positions."""
    scheme = engine.inside.positions(model)
    for shift in (0, 17):
        positions = tuple(range(shift, shift + len(IDS)))
        trace = engine.trace(request(model, positions, hidden_states=(0,)))
        assert scheme.head is not None
        assert trace.hidden_states is not None
        assert trace.attentions is not None
        query, key = scheme.head.query_key(trace.hidden_states[0])
        rotated = [rotate(x, positions, scheme.base) for x in (query, key)]
        scores = rotated[0] @ rotated[1].T / np.sqrt(scheme.d_head)
        weights = np.tril(np.exp(scores - scores.max(axis=1, keepdims=True)))
        weights /= weights.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(weights, trace.attentions[0, 0], atol=1e-4)


def test_the_first_head_s_scores_give_the_model_s_attention(tiny_engine: LocalEngine) -> None:
    check_first_head(tiny_engine, tiny.LLAMA)


@pytest.mark.real
def test_the_first_head_of_smollm2(real_engine: LocalEngine) -> None:
    check_first_head(real_engine, DEFAULT_DECODER)
    scheme = real_engine.inside.positions(DEFAULT_DECODER)
    assert (scheme.kind, scheme.base, scheme.d_head, scheme.n_ctx) == ("rotary", 100_000.0, 64, 8192)


@pytest.mark.real
def test_minilm_s_table_and_its_principal_components(real_engine: LocalEngine) -> None:
    from sklearn.decomposition import PCA

    real_engine._table.load(DEFAULT_ENCODER).result(timeout=180)
    table = real_engine.inside.positions(DEFAULT_ENCODER).table
    assert table is not None
    assert table.shape == (512, 384)
    theirs = PCA(3, svd_solver="full").fit(table.astype(np.float64))
    ours = pca(table, 3)
    np.testing.assert_allclose(ours.explained, theirs.explained_variance_ratio_, rtol=1e-9)
    expected = theirs.transform(table.astype(np.float64))
    signs = np.sign((expected * ours.points).sum(axis=0))
    np.testing.assert_allclose(ours.points, expected * signs, atol=1e-6)


@pytest.mark.real
def test_minilm_without_order_gives_the_same_set_of_outputs(real_engine: LocalEngine) -> None:
    """Equal positions: shuffled words come out as the same vectors. Counting positions: they do not."""
    words = "the quick brown fox jumps over the lazy dog"
    ids = real_engine.tokenizers.tokenize(DEFAULT_ENCODER, words, add_special_tokens=True).input_ids
    order = np.r_[0, 1 + np.random.default_rng(3).permutation(len(ids) - 2), len(ids) - 1]
    shuffled = tuple(np.array(ids)[order].tolist())

    def outputs(input_ids: tuple[int, ...], positions: tuple[int, ...] | None) -> np.ndarray:
        asked = TraceRequest(
            DEFAULT_ENCODER, input_ids=input_ids, capture=Capture(hidden_states=(6,)), position_ids=positions
        )
        states = real_engine.trace(asked).hidden_states
        assert states is not None
        return states[0]

    equal = (0,) * len(ids)
    assert np.abs(outputs(shuffled, equal) - outputs(ids, equal)[order]).max() < 1e-4
    assert np.abs(outputs(shuffled, None) - outputs(ids, None)[order]).max() > 0.1
