"""Looking inside changes nothing, adds up, and agrees with the library's own layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from playground.core.heads import SHARES, THRESHOLDS, head_role, head_scores
from playground.core.interventions import Intervention, patch
from playground.core.residual import attribution, normed
from playground.engine.contract.inside import AblationsRequest, LensRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.forward.traces import InputRow, run_traces
from playground.engine.local.engine import LocalEngine
from playground.errors import BadValue, TooManyTokens, Unsupported
from playground.settings import DEFAULT_DECODER, DEFAULT_ENCODER, Settings
from tests import tiny
from tests.engine.conftest import oracle, same_to_rounding

TEXT = "The cat sat on the mat and the dog"
DECODERS = (tiny.LLAMA, tiny.GPT2)
SINGLE_STACK = (*DECODERS, tiny.BERT)
EVERY = (*SINGLE_STACK, pytest.param(DEFAULT_DECODER, marks=pytest.mark.real),
         pytest.param(DEFAULT_ENCODER, marks=pytest.mark.real))  # fmt: skip
HEADED = (*DECODERS, pytest.param(DEFAULT_DECODER, marks=pytest.mark.real))


@pytest.fixture
def engine(request: pytest.FixtureRequest, model: str) -> LocalEngine:
    name = "tiny_engine" if model.startswith("tiny/") else "real_engine"
    found: LocalEngine = request.getfixturevalue(name)
    return found


def ask(
    engine: LocalEngine,
    model: str,
    text: str = TEXT,
    *,
    intervention: Intervention | None = None,
    decoder_text: str = "",
    **wanted: Any,
) -> Any:
    capture = Capture(**wanted)
    asked = TraceRequest(model, text, capture, decoder_text=decoder_text, intervention=intervention)
    return engine.trace(asked)


def softmax(scores: np.ndarray) -> np.ndarray:
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("model", EVERY)
def test_queries_and_keys_give_the_weights_and_values_the_write(engine: LocalEngine, model: str) -> None:
    trace = ask(engine, model, attentions="float32", query_key=True, block_outputs=True)
    info = next(info for info in engine.models() if info.model_id == model)
    n, group = len(trace.input_ids), info.n_head // info.n_kv_head
    keys, values = (np.repeat(part, group, axis=1) for part in (trace.keys, trace.values))
    scores = trace.queries @ keys.swapaxes(-1, -2) / np.sqrt(info.d_head)
    if info.kind == "decoder":
        scores = np.where(np.tril(np.ones((n, n), bool)), scores, -np.inf)
    weights = softmax(scores)
    np.testing.assert_allclose(trace.attentions, weights, atol=1e-5)
    layer = info.n_layer // 2
    mixed = weights[layer] @ values[layer]
    heads = [mixed[head] @ engine.inside.head_output(model, layer, head) for head in range(info.n_head)]
    bias = trace.attn_out[layer] - np.sum(heads, axis=0)  # equal at every position: a bias or nothing
    np.testing.assert_allclose(bias, np.broadcast_to(bias[:1], bias.shape), atol=2e-3)
    if model in (tiny.LLAMA, DEFAULT_DECODER):
        np.testing.assert_allclose(bias, 0, atol=2e-3)


@pytest.mark.parametrize("model", SINGLE_STACK)
def test_uint8_is_the_weight_within_the_stated_error(engine: LocalEngine, model: str) -> None:
    exact = ask(engine, model, attentions="float32").attentions
    coarse = (ask(engine, model, attentions="uint8").attentions / 255.0) ** 2
    assert (np.abs(coarse - exact) <= np.sqrt(exact) / 255 + 1 / 510**2 + 1e-6).all()
    np.testing.assert_allclose(exact.sum(-1), 1, atol=1e-5)
    if model in DECODERS:
        assert (exact[..., ~np.tril(np.ones(exact.shape[-2:], bool))] == 0).all()


@pytest.mark.parametrize("scale", ["float32", "uint8"])
def test_rows_of_an_encoder_decoder_sum_to_one_and_its_decoder_looks_back(
    tiny_engine: LocalEngine, scale: Any
) -> None:
    trace = ask(tiny_engine, tiny.T5, decoder_text="The dog sat", attentions=scale)
    for name in ("attentions", "decoder_attentions", "cross_attentions"):
        weights = getattr(trace, name).astype(np.float64)
        weights = (weights / 255) ** 2 if scale == "uint8" else weights
        np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5 if scale == "float32" else 0.05)
    ahead = ~np.tril(np.ones(trace.decoder_attentions.shape[-2:], bool))
    assert (trace.decoder_attentions[..., ahead] == 0).all()


@pytest.mark.parametrize("model", SINGLE_STACK)
def test_a_window_is_the_same_map_cut_out(engine: LocalEngine, model: str) -> None:
    whole = ask(engine, model, attentions="float32")
    part = ask(engine, model, attentions="float32", window=(2, 7))
    np.testing.assert_allclose(part.attentions, whole.attentions[:, :, 2:7, 2:7], atol=1e-6)
    long = "the cat " * 45
    with pytest.raises(TooManyTokens):
        ask(engine, model, long, attentions="uint8")
    assert ask(engine, model, long, attentions="uint8", window=(20, 80)).attentions.shape[-2:] == (60, 60)
    for wrong in ((3, 3), (-1, 4), (0, 10_000)):
        with pytest.raises(BadValue):
            ask(engine, model, attentions="uint8", window=wrong)


@pytest.mark.parametrize("model", HEADED)
def test_writes_sum_to_the_state_and_to_every_logit(engine: LocalEngine, model: str) -> None:
    trace = ask(engine, model, hidden_states="all", block_outputs=True, logits="last")
    last = trace.hidden_states[:, -1]
    parts = np.vstack(
        [
            last[:1],
            np.stack([trace.attn_out, trace.mlp_out], 1)[:, :, -1].reshape(-1, last.shape[-1]),
        ]
    )
    state = parts.sum(0)
    np.testing.assert_allclose(parts[:-2].sum(0), last[-2], rtol=1e-4, atol=2e-2)
    tokens = tuple(int(token) for token in np.argsort(-trace.logits[0])[:5])
    unembedding = engine.inside.unembedding(model, tokens)
    np.testing.assert_allclose(normed(state, unembedding), last[-1], rtol=1e-3, atol=1e-3)
    found = attribution(parts, state, unembedding)
    np.testing.assert_allclose(found.sum(0), trace.logits[0, list(tokens)], atol=1e-3)


@pytest.mark.parametrize("model", HEADED)
def test_the_lens_ends_in_the_models_own_distribution(engine: LocalEngine, model: str) -> None:
    trace = ask(engine, model, logits="all", hidden_states="all")
    lens = engine.inside.lens(LensRequest(model, TEXT, n_top=3))
    probs = softmax(trace.logits.astype(np.float64))
    np.testing.assert_array_equal(lens.top_ids[-1], np.argsort(-trace.logits, axis=-1)[:, :3])
    np.testing.assert_allclose(lens.answer_probs[-1], probs.max(-1), atol=1e-5)
    assert (lens.answer_ranks[-1] == 0).all()
    one = engine.inside.lens(LensRequest(model, TEXT, position=4, n_top=3))
    np.testing.assert_allclose(one.logits[-1], trace.logits[4], rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(one.top_ids[:, 0], lens.top_ids[:, 4])
    middle = len(lens.top_ids) // 2
    unembedding = engine.inside.unembedding(model, tuple(range(20)))
    by_hand = normed(trace.hidden_states[middle, 4], unembedding) @ unembedding.rows.T + unembedding.row_bias
    np.testing.assert_allclose(one.logits[middle, :20], by_hand, rtol=1e-4, atol=1e-3)
    rank = (one.logits[middle] > one.logits[middle, lens.answer_ids[4]]).sum()
    assert rank == lens.answer_ranks[middle, 4]


@pytest.mark.parametrize("model", [tiny.BERT, tiny.T5])
def test_models_without_a_next_token_have_no_lens(engine: LocalEngine, model: str) -> None:
    with pytest.raises(Unsupported):
        engine.inside.lens(LensRequest(model, TEXT))
    with pytest.raises(Unsupported):
        next(engine.inside.ablations(AblationsRequest(model, TEXT)))
    with pytest.raises(Unsupported):
        engine.inside.unembedding(model, (1,))


@pytest.mark.parametrize("model", SINGLE_STACK)
def test_ablating_nothing_changes_nothing_and_a_whole_layer_removes_its_write(
    engine: LocalEngine, model: str
) -> None:
    info = next(info for info in engine.models() if info.model_id == model)
    plain = ask(engine, model, hidden_states="all", block_outputs=True)
    assert ask(engine, model, hidden_states="all", block_outputs=True, intervention=Intervention()).cached
    off = Intervention(tuple((1, head) for head in range(info.n_head)))
    without = ask(engine, model, hidden_states="all", block_outputs=True, intervention=off)
    np.testing.assert_allclose(without.hidden_states[:2], plain.hidden_states[:2], atol=1e-5)
    # zero heads leave only the bias of the output projection, the same at every position
    left = without.attn_out[1]
    np.testing.assert_allclose(left, np.broadcast_to(left[:1], left.shape), atol=1e-5)
    assert np.abs(plain.attn_out[1] - plain.attn_out[1][:1]).max() > 0.01
    if model == tiny.LLAMA:
        assert not left.any()
        np.testing.assert_allclose(
            without.hidden_states[2], plain.hidden_states[1] + without.mlp_out[1], atol=1e-4
        )


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
@pytest.mark.parametrize("ablation", ["zero", "mean"])
def test_one_ablated_head_is_what_the_library_gives_with_its_columns_changed(
    engine: LocalEngine, tiny_settings: Settings, model: str, ablation: Any
) -> None:
    head = (1, 2)
    trace = ask(engine, model, logits="last", intervention=Intervention((head,), ablation))
    theirs = oracle(tiny_settings, model)
    layers = theirs.model.layers if model == tiny.LLAMA else theirs.transformer.h
    module = layers[1].self_attn.o_proj if model == tiny.LLAMA else layers[1].attn.c_proj
    d_head = next(info for info in engine.models() if info.model_id == model).d_head
    columns = slice(2 * d_head, 3 * d_head)

    def change(_module: object, given: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        x = given[0].clone()
        x[..., columns] = 0 if ablation == "zero" else x[..., columns].mean(1, keepdim=True)
        return (x,)

    hook = module.register_forward_pre_hook(change)
    with torch.no_grad():
        expected = theirs(input_ids=torch.from_numpy(trace.input_ids.copy())[None]).logits[0, -1]
    hook.remove()
    np.testing.assert_allclose(trace.logits[0], expected, atol=1e-4)


@pytest.mark.parametrize("model", HEADED)
def test_all_heads_at_once_are_each_head_alone(engine: LocalEngine, model: str) -> None:
    info = next(info for info in engine.models() if info.model_id == model)
    text = "The cat sat" if model == DEFAULT_DECODER else TEXT
    n_tokens = len(ask(engine, model, text, hidden_states="all").input_ids)
    before = engine.stats().n_forwards
    made = list(engine.inside.ablations(AblationsRequest(model, text, ablation="mean")))
    n_forwards = engine.stats().n_forwards - before
    heads = [head for part in made for head in part.heads]
    logits = np.concatenate([part.logits for part in made])
    assert heads == [(layer, head) for layer in range(info.n_layer) for head in range(info.n_head)]
    assert n_forwards <= 2 + len(heads) * n_tokens // 200
    for place in (0, len(heads) // 2, len(heads) - 1):
        alone = ask(engine, model, text, logits="last", intervention=Intervention((heads[place],), "mean"))
        np.testing.assert_allclose(logits[place], alone.logits[0], rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("model", SINGLE_STACK)
def test_a_patched_state_is_read_by_its_block_alone(engine: LocalEngine, model: str) -> None:
    plain = ask(engine, model, hidden_states="all")
    other = ask(engine, model, "The dog sat on the cat and the mat", hidden_states="all")
    same = Intervention(patches=(patch(1, 3, plain.hidden_states[1, 3]),))
    np.testing.assert_allclose(
        ask(engine, model, hidden_states="all", intervention=same).hidden_states,
        plain.hidden_states,
        atol=1e-5,
    )
    swap = Intervention(patches=(patch(1, 3, other.hidden_states[1, 3]),))
    patched = ask(engine, model, hidden_states="all", intervention=swap).hidden_states
    assert np.abs(patched[2, 3] - plain.hidden_states[2, 3]).max() > 1e-3
    if model in DECODERS:
        np.testing.assert_allclose(patched[:, :3], plain.hidden_states[:, :3], atol=1e-5)
    every = Intervention(
        patches=tuple(patch(1, p, v) for p, v in enumerate(other.hidden_states[1][: len(plain.input_ids)]))
    )
    if len(other.input_ids) == len(plain.input_ids):
        whole = ask(engine, model, hidden_states="all", intervention=every).hidden_states
        np.testing.assert_allclose(whole[2:], other.hidden_states[2:], atol=1e-4)


def test_rows_with_different_edits_share_a_batch_and_not_a_result(tiny_engine: LocalEngine) -> None:
    loaded = tiny_engine._table.load(tiny.LLAMA).result()
    ids = tuple(ask(tiny_engine, tiny.LLAMA).input_ids.tolist())

    def hooks() -> int:
        return sum(len(one._forward_pre_hooks) + len(one._forward_hooks) for one in loaded.model.modules())

    edits = (None, Intervention(((0, 1),)), Intervention(((2, 0), (2, 1)), "mean"), None)
    rows = [InputRow(ids[: len(ids) - place], intervention=edit) for place, edit in enumerate(edits)]
    capture = Capture("float32", "all", "last", None, True, True)
    with torch.no_grad():
        run_traces(loaded, rows[:1], Capture("float32", "all"))  # the library leaves hooks of its own, once
    before = hooks()
    with torch.no_grad():
        together = run_traces(loaded, rows, capture)
        for row, trace in zip(rows, together, strict=True):
            (alone,) = run_traces(loaded, [row], capture)
            for name in (
                "hidden_states",
                "logits",
                "attentions",
                "queries",
                "attn_out",
                "mlp_out",
            ):
                same_to_rounding(getattr(trace, name), getattr(alone, name), name)
    assert hooks() == before


@pytest.mark.parametrize("model", tiny.FAMILIES)
def test_parts_hold_every_parameter_once(engine: LocalEngine, model: str) -> None:
    parts = engine.inside.parts(model)
    info = next(info for info in engine.models() if info.model_id == model)
    assert sum(part.n_parameters for part in parts) == info.n_parameters
    layers = {part.layer for part in parts if part.kind == "attention" and part.layer is not None}
    assert layers == set(range(info.n_layer))
    assert {part.layer for part in parts if part.kind == "mlp"} >= set(range(info.n_layer))


@pytest.mark.parametrize(
    "edit",
    [
        Intervention(((99, 0),)),
        Intervention(((0, -1),)),
        Intervention(patches=(patch(0, 99, np.zeros(4)),)),
        Intervention(patches=(patch(0, 0, np.zeros(3)),)),
    ],
)
def test_an_edit_that_cannot_be_is_refused(tiny_engine: LocalEngine, edit: Intervention) -> None:
    with pytest.raises(BadValue):
        ask(tiny_engine, tiny.LLAMA, intervention=edit)


@pytest.mark.real
def test_smollm2_has_an_induction_head_that_the_score_finds(real_engine: LocalEngine) -> None:
    text = "one red hat two blue cats one red hat two blue cats one red hat"
    trace = real_engine.trace(TraceRequest(DEFAULT_DECODER, text, Capture(attentions="float32")))
    assert trace.attentions is not None
    scores = head_scores(trace.attentions, trace.input_ids)
    best = np.unravel_index(scores["induction"].argmax(), scores["induction"].shape)
    assert best == (18, 6)
    assert scores["induction"][best] == pytest.approx(0.871, abs=0.002)
    assert head_role(scores, 18, 6, 8) == "induction"
    rows = trace.attentions[18, 6]
    assert [int(rows[i].argmax()) for i in range(7, 15)] == [i - 5 for i in range(7, 15)]
    for name in SHARES:
        if not np.isnan(scores[name]).all():
            assert ((scores[name] >= 0) & (scores[name] <= 1)).all()
    assert scores["previous_token"].max() > THRESHOLDS["previous_token"]
