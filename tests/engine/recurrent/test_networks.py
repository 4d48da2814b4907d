"""Networks in torch against NumPy, against PyTorch's own layers, and against themselves in other batches."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from playground.core import recurrent
from playground.core.pairs.vocabulary import END, N_MARKS, START
from playground.engine.contract.pairs import ATTENTIONS, KINDS, NetworkConfig, PairExample
from playground.engine.recurrent.building import AnyNetwork, batch_of, new_network, padded
from playground.engine.recurrent.network import Memory, RecurrentNetwork, joined
from playground.engine.recurrent.transformer import N_HEADS, Attention, TransformerNetwork, positions
from playground.engine.recurrent.unrolling import input_gradients, step_cost, unrolled
from playground.engine.recurrent.writing import beams, greedy, n_right

CONFIGS = [
    NetworkConfig(kind, attention, 16, 8)
    for kind in KINDS
    for attention in (ATTENTIONS if kind != "transformer" else ("dot",))
]
SOURCES = [(4, 5, 6, 3, 3), (7,), (3, 9, 8, 4, 5, 6, 7, 3, 4, 4, 5), (6, 6)]


def name_of(config: NetworkConfig) -> str:
    return f"{config.kind}-{config.attention}"


@pytest.fixture(params=CONFIGS, ids=name_of)
def network(request: pytest.FixtureRequest) -> AnyNetwork:
    return new_network(request.param, 8, 6, seed=5)


def read(network: AnyNetwork, sources: Sequence[Sequence[int]]) -> Memory:
    ids, lengths = padded(sources)
    return network.read(network.embed(ids), lengths)


@torch.no_grad()
def test_what_fills_a_batch_up_changes_no_result(network: AnyNetwork) -> None:
    ids = torch.tensor([[START, 3, 4, 5]])
    together = network.forced(ids.expand(len(SOURCES), -1), read(network, SOURCES))
    for row, source in enumerate(SOURCES):
        alone = network.forced(ids, read(network, [source]))
        torch.testing.assert_close(together.logits[row], alone.logits[0], atol=1e-5, rtol=1e-5)
        if together.weights is not None:
            assert bool((together.weights[row, :, len(source) :] == 0).all())


@torch.no_grad()
def test_all_steps_at_once_are_the_steps_one_after_another(network: AnyNetwork) -> None:
    ids, memory = torch.tensor([[START, 3, 4, 5, 3, 8]] * len(SOURCES)), read(network, SOURCES)
    state, steps = memory.first, []
    for column in ids.unbind(1):
        step, state = network.step(column, state, memory)
        steps.append(step)
    one_by_one, at_once = joined(steps), network.forced(ids, memory)
    for name in ("logits", "hidden", "context", "scores", "weights"):
        mine, theirs = getattr(one_by_one, name), getattr(at_once, name)
        assert (mine is None) == (theirs is None)
        if mine is not None:
            torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("config", [one for one in CONFIGS if one.kind != "transformer"], ids=name_of)
def test_the_arithmetic_in_numpy_gives_what_the_network_says_of_itself(config: NetworkConfig) -> None:
    network = new_network(config, 8, 6, seed=7)
    told = unrolled(network, SOURCES[2], (3, 4, 8), 1, 9)
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    reading = recurrent.read(config.kind, SOURCES[2], weights)
    writing = recurrent.write(config.kind, config.attention, reading, told.input_ids.tolist(), weights)
    np.testing.assert_allclose(reading.states, told.encoder_states, atol=1e-5)
    np.testing.assert_allclose(writing.states, told.decoder_states, atol=1e-5)
    assert told.contexts is not None
    np.testing.assert_allclose(writing.contexts, told.contexts, atol=1e-5)
    if config.attention == "none":
        assert told.weights is writing.weights is None
        assert (told.contexts == told.encoder_states[-1]).all(), "the one context vector, at every step"
    else:
        assert told.weights is not None
        np.testing.assert_allclose(writing.weights, told.weights, atol=1e-5)
    if config.kind == "lstm":
        np.testing.assert_allclose(reading.cells, told.encoder_cells, atol=1e-5)
    raised = np.exp(writing.logits - writing.logits.max(1, keepdims=True))
    probs = raised / raised.sum(1, keepdims=True)
    assert writing.logits.argmax(1).tolist() == told.output_ids.tolist() == told.top_ids[:, 0].tolist()
    np.testing.assert_allclose(np.sort(probs)[:, ::-1][:, :5], told.top_probs, atol=1e-5)


@torch.no_grad()
def test_attention_of_several_heads_is_that_of_pytorch() -> None:
    drawn = torch.Generator().manual_seed(1)
    mine, theirs = Attention(16), torch.nn.MultiheadAttention(16, N_HEADS, batch_first=True)
    for value in mine.parameters():
        value.normal_(generator=drawn)
    theirs.in_proj_weight.copy_(torch.cat([mine.query.weight, mine.key.weight, mine.value.weight]))
    theirs.in_proj_bias.copy_(torch.cat([mine.query.bias, mine.key.bias, mine.value.bias]))
    theirs.out_proj.load_state_dict(mine.output.state_dict())
    asks, reads = torch.randn(2, 3, 16, generator=drawn), torch.randn(2, 5, 16, generator=drawn)
    is_real = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    mixed, weights = mine(asks, *mine.keys_values(reads), is_real[:, None, None])
    expected = theirs(asks, reads, reads, key_padding_mask=~is_real, average_attn_weights=False)
    torch.testing.assert_close(mixed, expected[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(weights, expected[1], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_the_transformer_is_that_of_pytorch_over_its_embeddings() -> None:
    network = new_network(NetworkConfig("transformer", "dot", 16), 8, 6, seed=3)
    assert isinstance(network, TransformerNetwork)
    source, _ = padded([SOURCES[0]])
    embedded = network.embed(source)
    stream, _maps = network.encoded(embedded, torch.ones_like(source, dtype=torch.bool))
    layer = torch.nn.TransformerEncoderLayer(16, N_HEADS, 32, 0.0, batch_first=True, norm_first=True)
    theirs = torch.nn.TransformerEncoder(layer, 2, torch.nn.LayerNorm(16), enable_nested_tensor=False).eval()
    named = {
        "own.output": "self_attn.out_proj", "up": "linear1", "down": "linear2", "norm": "norm1",
        "mlp_norm": "norm2",
    }  # fmt: skip
    for block, other in zip(network.encoder, theirs.layers, strict=True):
        parts = [block.get_submodule(f"own.{one}") for one in ("query", "key", "value")]
        other.self_attn.in_proj_weight.copy_(torch.cat([one.weight for one in parts]))  # type: ignore[operator]
        other.self_attn.in_proj_bias.copy_(torch.cat([one.bias for one in parts]))  # type: ignore[operator]
        for mine, their in named.items():
            other.get_submodule(their).load_state_dict(block.get_submodule(mine).state_dict())
    expected = theirs(embedded + positions(source.shape[1], 16))
    torch.testing.assert_close(stream, expected, atol=1e-5, rtol=1e-5)


def test_maps_of_the_transformer_sum_to_one_and_see_nothing_later() -> None:
    network = new_network(NetworkConfig("transformer", "dot", 16), 8, 6, seed=3)
    told = unrolled(network, SOURCES[0], (3, 4, 5), 1, 9)
    assert told.maps is not None
    shapes = [one.shape for one in (told.maps.encoder, told.maps.decoder, told.maps.cross)]
    assert shapes == [(2, N_HEADS, 5, 5), (2, N_HEADS, 4, 4), (2, N_HEADS, 4, 5)]
    for one in (told.maps.encoder, told.maps.decoder, told.maps.cross):
        np.testing.assert_allclose(one.sum(-1), 1, atol=1e-5)
    assert (told.maps.decoder[..., *np.triu_indices(4, 1)] == 0).all()
    np.testing.assert_allclose(told.maps.cross[-1].mean(0), told.weights, atol=1e-6)


def test_free_running_reads_what_it_wrote(network: AnyNetwork) -> None:
    told = unrolled(network, SOURCES[0], None, 1, 9)
    assert told.input_ids.tolist() == [START, *told.output_ids[:-1].tolist()]
    assert told.is_whole == (told.output_ids[-1] == END)
    assert len(told.output_ids) <= 9
    alone = greedy(network, [SOURCES[0]], 9)[0]
    assert tuple(told.output_ids.tolist()) == alone == greedy(network, SOURCES, 9)[0]
    right = PairExample(SOURCES[0], alone[:-1])
    assert n_right(network, [right, PairExample(SOURCES[1], (3, 3, 3, 3, 3))]) == int(alone[-1] == END)


@torch.no_grad()
def test_as_many_beams_as_texts_find_the_most_probable_text() -> None:
    network = new_network(NetworkConfig("gru", "additive", 16, 8), 8, 2, seed=11)
    n_most, memory = 3, read(network, [SOURCES[0]])
    known = {}
    for text in itertools.product(range(N_MARKS + 2), repeat=n_most):
        cut = text[: text.index(END) + 1] if END in text else text
        ids = torch.tensor([[START, *cut[:-1]]])
        logprobs = network.forced(ids, memory).logits[0].log_softmax(-1)
        known[cut] = float(logprobs[range(len(cut)), list(cut)].sum())
    ranked = sorted(known.items(), key=lambda one: -one[1])
    found = beams(network, SOURCES[0], 64, n_most)
    for one, (ids, logprob) in zip(found[:10], ranked, strict=False):
        assert (one.ids, one.logprob) == (ids, pytest.approx(logprob, abs=1e-5))
    [best] = beams(network, SOURCES[0], 1, 9)
    assert best.ids == greedy(network, [SOURCES[0]], 9)[0]


def test_gradients_are_differences_of_the_logit(network: AnyNetwork) -> None:
    told = input_gradients(network, SOURCES[0], (3, 4, 5), 2, 9)
    assert (told.step, told.norms.shape) == (2, (5,))
    ids, lengths = padded([SOURCES[0]])
    double = network.double()
    with torch.no_grad():
        embedded = double.embed(ids)

        def logit(changed: torch.Tensor) -> float:
            forced = double.forced(torch.tensor([[START, 3, 4]]), double.read(changed, lengths))
            return float(forced.logits[0, 2, told.output_id])

        for place in range(5):
            slopes = []
            for dimension in range(embedded.shape[2]):
                change = torch.zeros_like(embedded)
                change[0, place, dimension] = 1e-5
                slopes.append((logit(embedded + change) - logit(embedded - change)) / 2e-5)
            assert told.norms[place] == pytest.approx(np.linalg.norm(slopes), rel=1e-3, abs=1e-6)


def test_a_recurrent_state_stays_as_large_and_keys_and_values_grow() -> None:
    def kept(kind: str, attention: str) -> list[int]:
        network = new_network(NetworkConfig(kind, attention, 16, 8), 8, 6, 0)  # type: ignore[arg-type]
        costs = [step_cost(network, length) for length in (1, 10, 100)]
        assert all(one.step_s > 0 for one in costs)
        return [one.state_bytes for one in costs]

    assert kept("gru", "none") == [2 * 16 * 4] * 3, "its state and the context vector"
    assert kept("lstm", "none") == [3 * 16 * 4] * 3
    assert kept("gru", "dot") == [4 * (16 + 16 * n) for n in (1, 10, 100)]
    assert kept("gru", "additive") == [4 * (16 + (16 + 8) * n) for n in (1, 10, 100)]
    own, cross, states = (2 * 2 * 16, 2 * 2 * 16, 16)  # layers, keys and values, numbers each
    assert kept("transformer", "dot") == [4 * n * (own + cross) for n in (1, 10, 100)], states


def test_equal_seeds_are_equal_networks_and_no_other_seed_counts(network: AnyNetwork) -> None:
    again, other = (new_network(network.config, 8, 6, seed) for seed in (5, 6))
    for (name, mine), same, differs in zip(
        network.state_dict().items(), again.state_dict().values(), other.state_dict().values(), strict=True
    ):
        assert torch.equal(mine, same)
        assert mine.ndim < 2 or not torch.equal(mine, differs), name


def test_a_batch_says_what_counts() -> None:
    batch = batch_of([PairExample((3, 4), (5,)), PairExample((3,), (6, 7, 8))])
    assert batch.inputs.tolist() == [[START, 5, 0, 0], [START, 6, 7, 8]]
    assert batch.targets.tolist() == [[5, END, 0, 0], [6, 7, 8, END]]
    assert batch.counts.tolist() == [[True, True, False, False], [True] * 4]
    assert batch.lengths.tolist() == [2, 1]


def test_there_is_a_network_of_each_shape() -> None:
    kinds = {type(new_network(one, 3, 3, 0)) for one in CONFIGS}
    assert kinds == {RecurrentNetwork, TransformerNetwork}
