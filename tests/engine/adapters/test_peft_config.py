"""A config of peft's is read as peft reads it, or refused by the name of what is not understood."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import peft
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save

from playground.engine.adapters.peft_config import PeftConfig
from playground.engine.adapters.peft_folder import CONFIG, WEIGHTS
from playground.engine.local.engine import LocalEngine
from playground.engine.models.patterns import Patterns
from playground.errors import AdapterMisfit, AdapterSetting, AdapterShape, BadFile
from tests import tiny
from tests.engine.conftest import same_to_rounding
from tests.engine.peft_adapters import (
    logits,
    read_by_peft,
    read_here,
    with_config,
    written_by_peft,
)

MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


PATTERNS = (
    "q_proj", "proj", "self_attn.k_proj", ".*proj", "[qv]_proj", "(?:q|k)_proj", "gate_proj|up_proj",
    "layers.0.*", r"model\.layers\.1\..*", "^model.layers.2.self_attn.q_proj", "layers.(0|2).mlp.up_proj",
    r"\d+.mlp.\w{4,7}_proj", "model.layers.1.self_attn.q_proj", "(?!.*mlp).*", "x",
)  # fmt: skip


REGEXES = (
    r".*\.(q|v)_proj", r"model\.layers\.\d+\.self_attn\.(q|o)_proj", r".*mlp\.(?:up|down)_proj",
    r"^(?!.*layers\.1).*\.[kv]_proj$", r".*\.layers\.[02]\.\w+\.(gate|k)_proj", "all-linear", "All-Linear",
)  # fmt: skip


def names() -> st.SearchStrategy[list[str]]:
    ends = [*MODULES, "self_attn.q_proj", "0.mlp.up_proj", "model.layers.1.self_attn.v_proj"]
    return st.lists(st.sampled_from(ends), min_size=1, max_size=4, unique=True)


def pattern_values(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    pairs = st.lists(st.tuples(st.sampled_from(PATTERNS), values), max_size=3, unique_by=lambda pair: pair[0])
    return pairs.map(dict)


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    """LoRA as people train it: ranks also above a layer's 32 outputs, patterns that overlap."""
    ranks = st.integers(1, 6) | st.just(40)
    alphas = st.integers(-4, 32).filter(bool) | st.floats(0.5, 4)
    config: dict[str, Any] = {
        "r": draw(ranks),
        "lora_alpha": draw(alphas),
        "use_rslora": draw(st.booleans()),
        "target_modules": draw(names() | st.sampled_from(REGEXES)),
        "exclude_modules": draw(st.none() | names() | st.sampled_from(REGEXES[:5])),
        "rank_pattern": draw(pattern_values(ranks)),
        "lora_dropout": draw(st.sampled_from([0.0, 0.1])),
    }
    if not isinstance(config["target_modules"], str) and draw(st.booleans()):
        whole = [name for name in config["target_modules"] if name.startswith("model.")]
        assume(not whole)  # told in two ways, which is refused
        layers = st.integers(0, 2) | st.lists(st.integers(0, 3), max_size=3)
        config["layers_to_transform"] = draw(layers)
        config["layers_pattern"] = draw(st.sampled_from([None, "layers", ["h", "layers"], "[a-z]+", []]))
    return config


@settings(max_examples=80, deadline=None)
@given(
    config=configs(), alphas=pattern_values(st.integers(-4, 32) | st.floats(0.5, 4)), seed=st.integers(0, 99)
)
def test_an_adapter_of_plain_lora_gives_the_logits_that_stock_peft_gives(
    tiny_engine: LocalEngine, config: dict[str, Any], alphas: dict[str, Any], seed: int
) -> None:
    try:
        files = written_by_peft(tiny_engine._settings, tiny.LLAMA, seed, **config)
    except ValueError:  # no layer is left
        assume(False)
    files = with_config(  # as drawn: peft sorts the patterns when it writes them, other tools do not
        files, alpha_pattern=alphas, rank_pattern=config["rank_pattern"], base_model_name_or_path="tiny/llama"
    )
    expected = read_by_peft(tiny_engine._settings, tiny.LLAMA, files)
    same_to_rounding(read_here(tiny_engine, tiny.LLAMA, files), expected, json.dumps(config))


def test_the_first_pattern_that_matches_counts_in_the_files_own_order(tiny_engine: LocalEngine) -> None:
    """The case of the list: both match, the values are far apart; by hand 64 / 2, not 1 / 2."""
    files = written_by_peft(
        tiny_engine._settings, tiny.LLAMA, target_modules=["q_proj"], r=2, rank_pattern={"q_proj": 2}
    )
    both = {"self_attn.q_proj": 64, "q_proj": 1}
    first = with_config(files, alpha_pattern=both, lora_alpha=...)
    second = with_config(files, alpha_pattern=dict(reversed(both.items())), lora_alpha=...)
    assert PeftConfig.of(first[CONFIG]).rank_and_scaling("a.self_attn.q_proj", Patterns(9)) == (2, 32)
    assert PeftConfig.of(second[CONFIG]).rank_and_scaling("a.self_attn.q_proj", Patterns(9)) == (2, 0.5)
    for order in (first, second):
        expected = read_by_peft(tiny_engine._settings, tiny.LLAMA, order)
        same_to_rounding(read_here(tiny_engine, tiny.LLAMA, order), expected)


def test_what_the_file_leaves_out_is_peft_s_default(tiny_engine: LocalEngine) -> None:
    files = written_by_peft(tiny_engine._settings, tiny.LLAMA, target_modules=["v_proj"])
    config = {"peft_type": "LORA", "target_modules": ["v_proj"]}
    bare = {**files, CONFIG: json.dumps(config).encode()}
    assert PeftConfig.of(bare[CONFIG]).rank_and_scaling("v_proj", Patterns(9)) == (8, 1.0)
    expected = read_by_peft(tiny_engine._settings, tiny.LLAMA, bare)
    same_to_rounding(read_here(tiny_engine, tiny.LLAMA, bare), expected)


@pytest.mark.parametrize("init", [True, False, "gaussian", "orthogonal", "eva", "mica"])
@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
def test_a_beginning_that_leaves_the_base_alone_is_understood(
    tiny_engine: LocalEngine, init: object, model: str
) -> None:
    modules = ["q_proj", "down_proj"] if model == tiny.LLAMA else ["c_attn", "mlp.c_proj"]
    files = written_by_peft(tiny_engine._settings, model, target_modules=modules, r=4, init_lora_weights=init)
    assert json.loads(files[CONFIG])["init_lora_weights"] == init
    expected = read_by_peft(tiny_engine._settings, model, files)
    same_to_rounding(read_here(tiny_engine, model, files), expected)


@pytest.mark.parametrize(
    "init",
    ["pissa", "pissa_niter_4", "olora", "corda", "loftq", "lora_ga", "PiSSA", "later", None, 1, "true"],
)
def test_a_beginning_that_changes_the_base_is_refused_by_its_name(
    tiny_engine: LocalEngine, init: object
) -> None:
    files = written_by_peft(tiny_engine._settings, tiny.LLAMA, target_modules=["q_proj"])
    with pytest.raises(AdapterSetting) as refused:
        read_here(tiny_engine, tiny.LLAMA, with_config(files, init_lora_weights=init))
    assert f"init_lora_weights: {json.dumps(init)}" in str(refused.value)


def test_pissa_does_change_the_base(tiny_engine: LocalEngine) -> None:
    """Why it is refused: plain LoRA over the untouched base gives other logits than peft does."""
    files = written_by_peft(
        tiny_engine._settings, tiny.LLAMA, target_modules=["q_proj"], init_lora_weights="pissa"
    )
    theirs = read_by_peft(tiny_engine._settings, tiny.LLAMA, files)
    as_plain = read_here(tiny_engine, tiny.LLAMA, with_config(files, init_lora_weights=True))
    assert abs(theirs - as_plain).max() > 1e-2


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(peft.LoraConfig)])
def test_every_key_of_peft_is_either_understood_or_refused_by_name(
    tiny_engine: LocalEngine, field: str
) -> None:
    files = written_by_peft(tiny_engine._settings, tiny.LLAMA, target_modules=["q_proj"])
    for odd in ({"odd": 1}, ["odd"], "odd", -1, 0.5, True):
        changed = with_config(files, **{field: odd})
        told = None
        try:
            found = read_here(tiny_engine, tiny.LLAMA, changed)
        except (AdapterMisfit, AdapterShape):  # understood: other layers, another rank
            continue
        except AdapterSetting as error:
            told = error.params["name"]
        if told is None:
            expected = read_by_peft(tiny_engine._settings, tiny.LLAMA, changed)
            same_to_rounding(found, expected, f"{field}: {odd}")
        assert told in (None, field)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("use_dora", True), ("bias", "all"), ("bias", "lora_only"), ("modules_to_save", ["lm_head"]),
        ("trainable_token_indices", [1, 2]), ("layer_replication", [[0, 2], [1, 3]]), ("lora_bias", True),
        ("megatron_config", {"x": 1}), ("target_parameters", ["w"]), ("arrow_config", {"top_k": 3}),
        ("use_qalora", True), ("alora_invocation_tokens", [5]), ("use_bdlora", {}), ("kasa_config", {}),
        ("task_type", "SEQ_CLS"), ("peft_type", "ADALORA"), ("r", 0), ("r", True), ("r", 8.0),
        ("lora_alpha", 0), ("lora_alpha", "16"), ("lora_alpha", None), ("lora_alpha", float("inf")),
        ("use_rslora", "yes"), ("lora_dropout", 2), ("rank_pattern", {"q_proj": 0}),
        ("alpha_pattern", {"q_proj": "8"}), ("alpha_pattern", ["q_proj"]), ("target_modules", None),
        ("target_modules", [1]), ("target_modules", "("), ("exclude_modules", "*"),
        ("rank_pattern", {"(": 1}), ("peft_type", {"a": [["LORA"]]}),
        ("layers_to_transform", "0"), ("layers_to_transform", [True]), ("layers_pattern", "layers"),
        ("a_key_of_next_year", 3), ("a_key_of_next_year", {"a": 1}), ("a_key_of_next_year", 0),
        ("base_model_name_or_path", 7),
    ],
)  # fmt: skip
def test_a_value_that_is_not_understood_is_refused_with_its_name_and_the_value(
    tiny_engine: LocalEngine, name: str, value: object
) -> None:
    files = written_by_peft(tiny_engine._settings, tiny.LLAMA, target_modules=["q_proj"])
    with pytest.raises(AdapterSetting) as refused:
        read_here(tiny_engine, tiny.LLAMA, with_config(files, **{name: value}))
    assert refused.value.params["name"] == name
    assert json.dumps(value).strip('"{}') in str(refused.value) or name == "rank_pattern"


@pytest.mark.parametrize("value", [None, False, "", [], {}])
def test_a_key_that_is_off_is_nothing_to_refuse(tiny_engine: LocalEngine, value: object) -> None:
    files = written_by_peft(tiny_engine._settings, tiny.LLAMA, target_modules=["q_proj"])
    plain = read_here(tiny_engine, tiny.LLAMA, files)
    same_to_rounding(read_here(tiny_engine, tiny.LLAMA, with_config(files, a_later_key=value)), plain)


def test_layers_told_in_two_ways_are_refused(tiny_engine: LocalEngine) -> None:
    """With 20 whole paths peft heeds `layers_to_transform`, with fewer it does not."""
    files = written_by_peft(
        tiny_engine._settings, tiny.LLAMA, target_modules=["model.layers.1.self_attn.q_proj"]
    )
    with pytest.raises(AdapterSetting, match="layers_to_transform"):
        read_here(tiny_engine, tiny.LLAMA, with_config(files, layers_to_transform=[0]))


def test_every_tensor_is_used_or_refused_by_its_name(tiny_engine: LocalEngine) -> None:
    files = written_by_peft(tiny_engine._settings, tiny.LLAMA, target_modules=["q_proj", "v_proj"])
    tensors = load(files[WEIGHTS])
    prefix = "base_model.model.model"
    first = f"{prefix}.layers.0.self_attn.q_proj.lora_A.weight"

    def refused(kind: type[BadFile], changed: dict[str, torch.Tensor], **config: Any) -> str:
        with pytest.raises(kind) as error:
            read_here(tiny_engine, tiny.LLAMA, with_config({**files, WEIGHTS: save(changed)}, **config))
        return str(error.value)

    for name in (
        f"{prefix}.layers.0.self_attn.k_proj.lora_A.weight", f"{prefix}.embed_tokens.lora_embedding_A",
        f"{prefix}.layers.0.self_attn.q_proj.lora_magnitude_vector", "base_model.model.lm_head.lora_A.weight",
        f"{prefix}.layers.0.self_attn.q_proj.lora_B.bias", "base_model.model.model.norm.weight",
    ):  # fmt: skip
        assert name in refused(AdapterMisfit, {**tensors, name: torch.zeros(8, 64)})
    assert first in refused(AdapterMisfit, {name: one for name, one in tensors.items() if name != first})
    told = refused(AdapterShape, {**tensors, first: torch.zeros(8, 63)})
    assert "8 × 63" in told
    assert "8 × 64" in told
    assert "has the shape" in refused(AdapterShape, tensors, r=9)
    assert "lm_head" in refused(AdapterMisfit, tensors, target_modules=["q_proj", "v_proj", "lm_head"])
    refused(BadFile, {}, target_modules=["nothing"])


def test_a_rank_above_the_smaller_side_of_a_layer_loads(tiny_engine: LocalEngine) -> None:
    files = written_by_peft(tiny_engine._settings, tiny.LLAMA, target_modules=["k_proj"], r=50, lora_alpha=5)
    expected = read_by_peft(tiny_engine._settings, tiny.LLAMA, files)
    same_to_rounding(read_here(tiny_engine, tiny.LLAMA, files), expected)
    assert abs(expected - logits(tiny_engine, tiny.LLAMA)).max() > 1e-3
