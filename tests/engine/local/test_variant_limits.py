"""Values of config.json at their limits: windows, depths, and what is not let in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from playground.core.interventions import Intervention, patch
from playground.engine import create_engine
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import catalogue
from playground.engine.models.loading import load, model_info
from playground.errors import (
    BadValue,
    ConfigRefused,
    TooManyTokens,
    WrongArchitecture,
    WrongConfig,
    WrongWeights,
)
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import oracle, same_to_rounding
from tests.engine.local.variants import (
    BOTH,
    DECODERS,
    ENCODERS,
    LLAMAS,
    WINDOW,
    WINDOWED,
    changed,
    made,
    plain,
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    cache = tmp_path_factory.mktemp("variants")
    byte_level = tiny.byte_level_tokenizer(300)
    word_piece, unigram = tiny.word_piece_tokenizer(), tiny.unigram_tokenizer()
    every = (*DECODERS, *ENCODERS, *BOTH)
    for seed, model_id in enumerate(every):
        tokenizer = {"bert": word_piece, "t5": unigram}.get(model_id[5:].split("-")[0], byte_level)
        folder = cache / "models" / model_id.replace("/", "--")
        tiny.save(folder, made(model_id), tokenizer, seed=seed, std=0.15)
        changed = json.loads((folder / "config.json").read_text("utf-8"))
        changed |= LLAMAS.get(model_id.removeprefix("tiny/llama-"), {})  # the library leaves some of it out
        (folder / "config.json").write_text(json.dumps(changed), "utf-8")
    return Settings(
        cache_dir=cache, extra_models=every, default_model=DECODERS[0], device="cpu", HF_HUB_OFFLINE=True
    )


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[LocalEngine]:
    engine = create_engine(settings)
    assert isinstance(engine, LocalEngine)
    yield engine
    engine.close()


# where a text would depend on its neighbours


@pytest.mark.parametrize("model", WINDOWED)
def test_no_text_goes_past_the_window(engine: LocalEngine, model: str) -> None:
    long = tuple(int(one) for one in np.random.default_rng(1).integers(5, 290, WINDOW + 1))
    assert next(info for info in engine.models() if info.model_id == model).n_ctx == WINDOW
    with pytest.raises(TooManyTokens):
        engine.trace(TraceRequest(model, input_ids=long, capture=Capture(logits="last")))
    with pytest.raises(TooManyTokens):
        list(engine.generate(GenerateRequest(model, input_ids=long[1:])))
    with pytest.raises(TooManyTokens):
        list(engine.beams(BeamsRequest(model, input_ids=long[:20], n_beams=2, max_new_tokens=6)))
    with pytest.raises(TooManyTokens):
        list(engine.score(ScoreRequest(model, (long[1:],), ((" good",),))))


@pytest.mark.parametrize("model", ["tiny/llama-longrope", "tiny/llama-dynamic"])
def test_far_positions_are_refused_where_angles_change(engine: LocalEngine, model: str) -> None:
    """One text at a far position would turn every later text by other angles."""
    limit = next(info for info in engine.models() if info.model_id == model).n_ctx
    usual = engine.trace(
        TraceRequest(model, input_ids=(5, 6, 7), capture=Capture(logits="all", hidden_states=(1,)))
    )
    with pytest.raises(BadValue, match=f"0-{limit - 1}"):
        engine.trace(
            TraceRequest(model, input_ids=(5, 6), capture=Capture(logits="last"), position_ids=(0, limit))
        )
    last = engine.trace(
        TraceRequest(model, input_ids=(5, 6), capture=Capture(logits="last"), position_ids=(0, limit - 1))
    )
    assert last.logits is not None
    again = engine.trace(TraceRequest(model, input_ids=(5, 6, 7), capture=Capture(logits="all")))
    np.testing.assert_array_equal(again.logits, usual.logits)


# encoder and decoder


@pytest.mark.parametrize("model", BOTH)
def test_an_encoder_and_a_decoder_of_any_depths(engine: LocalEngine, settings: Settings, model: str) -> None:
    for ids in ((5, 6, 7), tuple(range(8, 60))):
        asked = TraceRequest(
            model,
            input_ids=ids,
            capture=Capture(attentions="float32", hidden_states="all", logits="all"),
            decoder_text="The cat",
        )
        trace = engine.trace(asked)
        assert trace.decoder_input_ids is not None
        target = torch.tensor([trace.decoder_input_ids.tolist()])
        expected = plain(settings, model, list(ids), decoder_input_ids=target)
        for name, theirs in {
            "attentions": expected.encoder_attentions,
            "decoder_attentions": expected.decoder_attentions,
            "decoder_hidden_states": expected.decoder_hidden_states,
            "cross_attentions": expected.cross_attentions,
            "hidden_states": expected.encoder_hidden_states,
        }.items():
            same_to_rounding(getattr(trace, name), torch.stack(theirs)[:, 0], name)
        same_to_rounding(trace.logits, expected.logits[0])  # type: ignore[arg-type]


@pytest.mark.parametrize("model", ["tiny/t5-uneven", "tiny/t5-gated-silu"])
def test_an_edit_of_an_encoder_reaches_the_decoder(
    engine: LocalEngine, settings: Settings, model: str
) -> None:
    """Oracle: the head's columns of the output projection are 0; a hook of the test puts the state in."""
    ids, layer, head = (5, 6, 7, 8), 1, 2
    wanted = TraceRequest(model, input_ids=ids, capture=Capture(hidden_states="all", logits="all"))
    usual = engine.trace(wanted)
    net = oracle(settings, model)
    output = net.encoder.block[layer].layer[0].SelfAttention.o
    d_head, kept = net.config.d_kv, output.weight.detach().clone()
    with torch.no_grad():
        output.weight[:, head * d_head : (head + 1) * d_head] = 0
        target = torch.tensor([[0]])
        expected = plain(settings, model, list(ids), decoder_input_ids=target)
        output.weight.copy_(kept)
    off = engine.trace(replace(wanted, intervention=Intervention(((layer, head),))))
    same_to_rounding(off.logits, expected.logits[0])  # type: ignore[arg-type]
    same_to_rounding(off.hidden_states, torch.stack(expected.encoder_hidden_states)[:, 0])  # type: ignore[arg-type]
    assert np.abs(off.logits - usual.logits).max() > 1e-3  # type: ignore[operator]

    state = np.random.default_rng(0).normal(size=64).astype(np.float32)

    def put(_module: object, arguments: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        states = arguments[0].clone()
        states[0, 3] = torch.from_numpy(state)
        return (states, *arguments[1:])

    hook = net.encoder.block[layer].register_forward_pre_hook(put)
    expected = plain(settings, model, list(ids), decoder_input_ids=target)
    hook.remove()
    patched = engine.trace(replace(wanted, intervention=Intervention(patches=(patch(layer, 3, state),))))
    same_to_rounding(patched.logits, expected.logits[0])  # type: ignore[arg-type]
    assert np.abs(patched.logits - usual.logits).max() > 1e-3  # type: ignore[operator]


@pytest.mark.parametrize(
    ("model", "values", "error", "says"),
    [
        ("tiny/llama-untied", {"rope_interleaved": True}, ConfigRefused, "sets rope_interleaved to true"),
        ("tiny/llama-untied", {"model_type": "mamba"}, WrongArchitecture, "The family mamba of the model"),
        ("tiny/bert-plain", {"is_decoder": True}, ConfigRefused, "sets is_decoder to true"),
        ("tiny/t5-uneven", {"is_encoder_decoder": False}, ConfigRefused, "sets is_encoder_decoder to false"),
        ("tiny/llama-untied", {"vocab_size": 301}, WrongWeights, "lm_head.weight"),
        ("tiny/llama-untied", {"mlp_bias": True}, WrongWeights, "mlp.down_proj.bias"),
        ("tiny/llama-biases", {"attention_bias": False}, WrongWeights, "self_attn.k_proj.bias"),
        ("tiny/llama-untied", {"num_hidden_layers": 2}, WrongWeights, "model.layers.2."),
        ("tiny/llama-linear", {"eos_token_id": "end"}, WrongConfig, "eos_token_id"),
    ],
)
def test_what_the_engine_would_get_wrong_is_refused_in_a_sentence(
    settings: Settings,
    tmp_path: Path,
    model: str,
    values: dict[str, object],
    error: type[Exception],
    says: str,
) -> None:
    mine = changed(settings, tmp_path, model, **values)
    entry = catalogue(mine)[model]
    with pytest.raises(error, match=says):
        load(entry, mine, lambda message, fraction: None)
    info = model_info(entry, mine)  # a list of models is still drawn
    assert info.state == "waiting"
    assert (info.n_layer == 0) == (error in (ConfigRefused, WrongArchitecture))


def test_a_refusal_is_what_a_page_is_told(settings: Settings, tmp_path: Path) -> None:
    mine = changed(settings, tmp_path, "tiny/bert-plain", add_cross_attention=True)
    engine = create_engine(mine)
    try:
        with pytest.raises(ConfigRefused, match="add_cross_attention"):
            engine.trace(TraceRequest("tiny/bert-plain", "the cat", Capture(hidden_states=(0,))))
        (info,) = (one for one in engine.models() if one.model_id == "tiny/bert-plain")
        assert (info.state, "add_cross_attention" in str(info.message)) == ("failed", True)
    finally:
        engine.close()
