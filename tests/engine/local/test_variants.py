"""Each value of config.json that is let in: whatever the engine says is what the library says."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen3Config,
    Qwen3ForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from playground.core.interventions import Intervention, patch
from playground.core.lora import LoraConfig
from playground.core.sampling import GREEDY
from playground.engine import create_engine
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import FinetuneRequest, FinetuneSettings, TrainingText
from playground.engine.forward.traces import InputRow, run_traces
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import catalogue, model_folder
from playground.engine.models.loading import load, model_info
from playground.engine.training.bank import AdapterBank
from playground.errors import (
    BadValue,
    ConfigRefused,
    TooManyTokens,
    Unsupported,
    WrongArchitecture,
    WrongConfig,
    WrongWeights,
)
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import oracle, same_to_rounding
from tests.engine.forward.test_positions import check_first_head
from tests.engine.training.test_finetuning import slot_of

WINDOW, N_CTX = 24, 64
BIAS = {"attention_bias": True}
LLAMA3 = {
    "rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}  # fmt: skip
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "mscale": 0.7}
LONG = {
    "rope_type": "longrope", "short_factor": [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5], "factor": 4.0,
    "long_factor": [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0], "original_max_position_embeddings": WINDOW,
}  # fmt: skip
ACTIVATIONS = ("gelu", "gelu_fast", "gelu_new", "gelu_python", "gelu_pytorch_tanh", "quick_gelu", "relu",
               "relu6", "swish", "tanh")  # fmt: skip
RETURNED = {"output_attentions": True, "output_hidden_states": True}
LLAMAS: dict[str, dict[str, Any]] = {
    "biases": BIAS | {"mlp_bias": True},
    "attention-bias": BIAS,
    "mlp-bias": {"mlp_bias": True},
    "untied": {"tie_word_embeddings": False},
    "head-dim": {"head_dim": 32, "num_key_value_heads": 4},
    "linear": {"rope_parameters": {"rope_type": "linear", "factor": 2.5}},
    "llama3": {"rope_parameters": LLAMA3},
    "yarn": {"rope_parameters": YARN},
    "dynamic": {"rope_parameters": {"rope_type": "dynamic", "factor": 3.0}},
    "longrope": {"rope_parameters": LONG},
    "pretraining": {"pretraining_tp": 2},
    "returning": RETURNED,
} | {name: {"hidden_act": name} for name in ACTIVATIONS}
QWENS: dict[str, dict[str, Any]] = {
    "plain": {},
    "biases": BIAS,
    "window": {"use_sliding_window": True, "sliding_window": WINDOW, "max_window_layers": 1},
    "layers": {
        "use_sliding_window": True, "sliding_window": WINDOW,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
    },
}  # fmt: skip
GPT2S: dict[str, dict[str, Any]] = {
    "upcast": {"reorder_and_upcast_attn": True},
    "untied": {"tie_word_embeddings": False},
    "inner": {"n_inner": 40, "activation_function": "gelu"},
}
BERTS: dict[str, dict[str, Any]] = {"plain": {}, "relu": {"hidden_act": "relu", "type_vocab_size": 1}}
T5S: dict[str, dict[str, Any]] = {
    "uneven": {"num_layers": 3, "num_decoder_layers": 2},
    "shallow": {"num_layers": 1, "num_decoder_layers": 4},
    "gated": {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    "gated-silu": {"feed_forward_proj": "gated-silu", "d_kv": 8},
    "buckets": {"relative_attention_num_buckets": 8, "relative_attention_max_distance": 20},
}
DECODERS = (
    *(f"tiny/llama-{name}" for name in LLAMAS),
    *(f"tiny/qwen3-{name}" for name in QWENS),
    *(f"tiny/gpt2-{name}" for name in GPT2S),
)
ENCODERS = tuple(f"tiny/bert-{name}" for name in BERTS)
BOTH = tuple(f"tiny/t5-{name}" for name in T5S)
WINDOWED = ("tiny/qwen3-window", "tiny/qwen3-layers", "tiny/llama-longrope")
ROTARY = ("tiny/llama-biases", "tiny/llama-head-dim", "tiny/qwen3-biases", "tiny/qwen3-window")
IDS = [[int(one) for one in np.random.default_rng(n).integers(5, 290, n)] for n in (3, 7, 22, 11)]


def made(model_id: str) -> PreTrainedModel:
    family, _, name = model_id.removeprefix("tiny/").partition("-")
    own = deepcopy({"llama": LLAMAS, "qwen3": QWENS, "gpt2": GPT2S, "bert": BERTS, "t5": T5S}[family][name])
    own = {key: value for key, value in own.items() if key not in RETURNED}
    sizes: dict[str, Any] = {
        "vocab_size": 300, "hidden_size": 64, "intermediate_size": 48, "num_hidden_layers": 3,
        "num_attention_heads": 4, "max_position_embeddings": N_CTX,
    }  # fmt: skip
    rotary = sizes | {"num_key_value_heads": 2, "bos_token_id": None, "eos_token_id": None}
    if family == "llama":
        return LlamaForCausalLM(LlamaConfig(**(rotary | {"tie_word_embeddings": True} | own)))
    if family == "qwen3":
        return Qwen3ForCausalLM(Qwen3Config(**(rotary | {"head_dim": 16} | own)))
    if family == "bert":
        return BertForMaskedLM(BertConfig(**(sizes | own)))
    if family == "gpt2":
        sizes = {"vocab_size": 300, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": N_CTX}
        return GPT2LMHeadModel(GPT2Config(**(sizes | {"bos_token_id": 0, "eos_token_id": 0} | own)))
    sizes = {"vocab_size": 200, "d_model": 64, "d_kv": 16, "d_ff": 48, "num_heads": 4}
    return T5ForConditionalGeneration(T5Config(**(sizes | {"decoder_start_token_id": 0} | own)))


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


def plain(settings: Settings, model: str, ids: list[int], **more: Any) -> Any:
    with torch.no_grad():
        return oracle(settings, model)(
            input_ids=torch.tensor([ids]), output_attentions=True, output_hidden_states=True,
            return_dict=True, **more,
        )  # fmt: skip


def logprobs(settings: Settings, model: str, ids: list[int]) -> torch.Tensor:
    found: torch.Tensor = plain(settings, model, ids).logits[0].log_softmax(-1)
    return found


@pytest.mark.parametrize("model", [*DECODERS, *ENCODERS])
def test_traces_of_texts_of_different_lengths(engine: LocalEngine, settings: Settings, model: str) -> None:
    loaded = engine._table.load(model).result(timeout=180)
    capture = Capture("float32", "all", "all" if model in DECODERS else None, query_key=True)
    with torch.no_grad():
        traces = run_traces(loaded, [InputRow(tuple(ids)) for ids in IDS], capture)
    for ids, trace in zip(IDS, traces, strict=True):
        expected = plain(settings, model, ids)
        same_to_rounding(trace.attentions, torch.stack(expected.attentions)[:, 0], "attentions")  # type: ignore[arg-type]
        if model in DECODERS:
            same_to_rounding(trace.logits, expected.logits[0], "logits")  # type: ignore[arg-type]
        same_to_rounding(trace.hidden_states, torch.stack(expected.hidden_states)[:, 0], "states")  # type: ignore[arg-type]
        assert trace.queries is not None
        assert trace.keys is not None
        keys = np.repeat(trace.keys, trace.queries.shape[1] // trace.keys.shape[1], axis=1)
        scores = trace.queries @ keys.swapaxes(-1, -2) / math.sqrt(keys.shape[-1])  # as pages compute them
        if model in DECODERS:
            scores[..., np.triu(np.ones((len(ids), len(ids)), bool), 1)] = -np.inf
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        same_to_rounding(weights / weights.sum(-1, keepdims=True), trace.attentions)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", DECODERS)
def test_texts_written_side_by_side(engine: LocalEngine, settings: Settings, model: str) -> None:
    asked = tuple(
        GenerateRequest(model, sampling=GREEDY, input_ids=tuple(ids), max_new_tokens=9) for ids in IDS
    )
    written: dict[int, list[Any]] = {row: [] for row in range(len(IDS))}
    for row, step in engine.generate_many(GenerateManyRequest(model, asked)):
        written[row].append(step)
    limit = next(info for info in engine.models() if info.model_id == model).n_ctx
    for row, steps in written.items():
        is_end = steps[-1].finish_reason == "end_of_text"
        assert is_end or len(steps) == min(9, limit - len(IDS[row])), "until the window is full"
        ids = [*IDS[row], *(step.token_id for step in steps)]
        expected = logprobs(settings, model, ids)[len(IDS[row]) - 1 : -1]
        for step, values in zip(steps, expected, strict=True):
            assert step.logprob == pytest.approx(float(values.max()), abs=1e-4)


@pytest.mark.parametrize("model", DECODERS)
def test_scores_of_a_tree_of_texts(engine: LocalEngine, settings: Settings, model: str) -> None:
    start = tuple(IDS[3])
    texts = ((*start, 9, 8, 7), start, (4, 5), (*start, 9, 8, 11))
    request = ScoreRequest(model, texts, ((" good", " bad", "!"),) * len(texts))
    for (_place, scores), text in zip(engine.score(request), texts, strict=True):
        for ids, found in zip(scores.input_ids, scores.token_logprobs, strict=True):
            expected = logprobs(settings, model, [*text, *ids])[len(text) - 1 : -1]
            values = [float(row[token]) for row, token in zip(expected, ids, strict=True)]
            assert found == pytest.approx(values, abs=1e-4)


@pytest.mark.parametrize("model", [*WINDOWED, "tiny/llama-dynamic"])
def test_scores_of_a_tree_that_is_longer_than_the_window(
    engine: LocalEngine, settings: Settings, model: str
) -> None:
    random = np.random.default_rng(7)
    texts = tuple(tuple(int(one) for one in random.integers(5, 290, WINDOW - 4)) for _ in range(16))
    assert sum(map(len, texts)) > settings.prefill_chunk_tokens, "read in pieces"
    request = ScoreRequest(model, texts, (("!", "?"),) * len(texts))
    for (_place, scores), text in zip(engine.score(request), texts, strict=True):
        expected = logprobs(settings, model, list(text))[-1]
        values = [float(expected[ids[0]]) for ids in scores.input_ids]
        assert scores.logprobs == pytest.approx(values, abs=1e-4)


@pytest.mark.parametrize("model", DECODERS)
def test_losses_of_training_texts(engine: LocalEngine, settings: Settings, model: str) -> None:
    texts = [TrainingText(tuple(ids), (False, *(True,) * (len(ids) - 1))) for ids in (IDS[1], IDS[2])]
    modules = ("c_attn",) if "gpt2" in model else ("q_proj", "v_proj")
    settings_of_run = FinetuneSettings(model, "run", n_steps=1, lora=LoraConfig(r=2, target_modules=modules))
    request = FinetuneRequest(settings_of_run, tuple(texts), ())
    loaded, slot = slot_of(engine, request)
    bank = AdapterBank(loaded, [slot], lambda: None)
    expected = []
    for text in texts:
        values = logprobs(settings, model, list(text.input_ids))
        expected.append(-float(values[:-1].gather(1, torch.tensor(text.input_ids[1:])[:, None]).sum()))
    assert bank.measure(0, texts) == pytest.approx(expected, rel=1e-5)
    n_trained = sum(len(text.input_ids) - 1 for text in texts)
    assert bank.step([texts])[0] == pytest.approx(sum(expected) / n_trained, rel=1e-5)


@pytest.mark.parametrize("model", ["tiny/qwen3-window", "tiny/llama-longrope", "tiny/llama-biases"])
def test_beams(engine: LocalEngine, settings: Settings, model: str) -> None:
    asked = BeamsRequest(model, input_ids=tuple(IDS[1]), n_beams=3, max_new_tokens=6, length_penalty=0.0)
    *_, last = engine.beams(asked)
    best = last.hypotheses[0]
    values = logprobs(settings, model, [*IDS[1], *best.token_ids])[len(IDS[1]) - 1 : -1]
    total = sum(float(row[token]) for row, token in zip(values, best.token_ids, strict=True))
    assert best.logprob == pytest.approx(total, abs=1e-4)


@pytest.mark.parametrize("model", ROTARY)
def test_the_clocks_of_the_positions_page(engine: LocalEngine, model: str) -> None:
    check_first_head(engine, model)


@pytest.mark.parametrize("name", ["linear", "llama3", "yarn", "dynamic", "longrope"])
def test_a_rotation_with_other_angles_has_no_clocks(engine: LocalEngine, name: str) -> None:
    engine._table.load(f"tiny/llama-{name}").result(timeout=180)
    with pytest.raises(Unsupported, match="rotation by one base"):
        engine.inside.positions(f"tiny/llama-{name}")


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


# what is not let in


def changed(settings: Settings, tmp_path: Path, model: str, **values: object) -> Settings:
    """The model with other words in its config.json."""
    mine = settings.model_copy(update={"cache_dir": tmp_path})
    source, folder = model_folder(model, settings), model_folder(model, mine)
    folder.mkdir(parents=True)
    for path in source.iterdir():
        (folder / path.name).hardlink_to(path)
    config = json.loads((source / "config.json").read_text("utf-8")) | values
    (folder / "config.json").unlink()
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return mine


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
