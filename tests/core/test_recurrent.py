"""Cells and attention in NumPy against PyTorch's own layers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from playground.core.recurrent import additive_scores, attend, dot_scores, gru_cell, lstm_cell, read, rnn_cell

LAYERS = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
N, D_INPUT, D_HIDDEN = 12, 5, 7


@pytest.fixture(params=LAYERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def layer_of(kind: str) -> tuple[torch.nn.RNNBase, dict[str, np.ndarray]]:
    layer, drawn = LAYERS[kind](D_INPUT, D_HIDDEN, batch_first=True), torch.Generator().manual_seed(3)
    with torch.no_grad():
        for value in layer.parameters():
            value.normal_(generator=drawn)
    return layer, {f"encoder.{name}": value.detach().numpy() for name, value in layer.named_parameters()}


@torch.no_grad()
def test_cells_are_those_of_pytorch(kind: str) -> None:
    layer, weights = layer_of(kind)
    inputs = torch.randn(1, N, D_INPUT, generator=torch.Generator().manual_seed(4))
    expected, last = layer(inputs)
    h = c = np.zeros(D_HIDDEN, np.float32)
    for place in range(N):
        x = inputs[0, place].numpy()
        if kind == "lstm":
            h, c = lstm_cell("encoder", x, h, c, weights)
        else:
            h = {"rnn": rnn_cell, "gru": gru_cell}[kind]("encoder", x, h, weights)
        np.testing.assert_allclose(h, expected[0, place].numpy(), atol=1e-5)
    if kind == "lstm":
        np.testing.assert_allclose(c, last[1][0, 0].numpy(), atol=1e-5)


@torch.no_grad()
def test_reading_ids_is_reading_their_embeddings(kind: str) -> None:
    layer, weights = layer_of(kind)
    embedding = torch.randn(9, D_INPUT, generator=torch.Generator().manual_seed(5))
    ids = [3, 8, 3, 0]
    reading = read(kind, ids, weights | {"source_embedding.weight": embedding.numpy()})
    np.testing.assert_allclose(reading.states, layer(embedding[ids][None])[0][0].numpy(), atol=1e-5)
    assert (reading.cells is None) == (kind != "lstm")


def test_dot_attention_is_that_of_pytorch() -> None:
    random = np.random.default_rng(1)
    states, query = random.normal(size=(N, 8)).astype(np.float32), random.normal(size=8).astype(np.float32)
    weights, context = attend(dot_scores(states, query), states)
    read_back = torch.nn.functional.scaled_dot_product_attention(
        *(torch.tensor(one)[None] for one in (query[None], states, states)), scale=1.0
    )
    np.testing.assert_allclose(context, read_back[0, 0].numpy(), atol=1e-5)
    assert weights.sum() == pytest.approx(1, abs=1e-6)


def test_additive_scores_are_the_formula_written_out() -> None:
    random = np.random.default_rng(2)
    states, query = random.normal(size=(4, 3)), random.normal(size=3)
    W, U, v = random.normal(size=(2, 3)), random.normal(size=(2, 3)), random.normal(size=2)
    weights = {"query.weight": W, "key.weight": U, "fit.weight": v[None]}
    by_hand = [
        sum(
            v[i] * np.tanh(sum(W[i, j] * query[j] for j in range(3)) + sum(U[i, j] * s[j] for j in range(3)))
            for i in range(2)
        )
        for s in states
    ]
    np.testing.assert_allclose(additive_scores(states, query, weights), by_hand, rtol=1e-9)
