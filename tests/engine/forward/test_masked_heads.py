"""The masked-LM head of every family that has one, against the library's own model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from transformers import AutoModelForMaskedLM, PreTrainedModel

from playground.engine import create_engine
from playground.engine.contract.filling import FillRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import model_folder
from playground.engine.models.families.table import FAMILIES
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import same_to_rounding

D_VOCAB = 300
SIZES = {
    "vocab_size": D_VOCAB, "hidden_size": 64, "intermediate_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 4, "max_position_embeddings": 64, "pad_token_id": 0,
}  # fmt: skip
DISTILBERT = {
    "vocab_size": D_VOCAB, "dim": 64, "hidden_dim": 48, "n_layers": 2, "n_heads": 4, "pad_token_id": 0,
    "max_position_embeddings": 64,
}  # fmt: skip
UNTIED = {"tie_word_embeddings": False}
CASES: dict[str, tuple[str, dict[str, Any], dict[str, dict[str, Any]]]] = {  # library's name, sizes, variants
    "bert": ("Bert", SIZES, {"plain": {}, "relu": {"hidden_act": "relu"}, "untied": UNTIED}),
    "roberta": ("Roberta", SIZES | {"pad_token_id": 1}, {"plain": {}, "untied": UNTIED}),
    "xlm-roberta": ("XLMRoberta", SIZES | {"pad_token_id": 1}, {"plain": {}}),
    "distilbert": ("DistilBert", DISTILBERT, {"plain": {}, "relu": {"activation": "relu"}}),
    "modernbert": (
        "ModernBert",
        SIZES,
        {
            "plain": {},
            "untied": UNTIED,
            "biases": {"classifier_bias": True, "classifier_activation": "silu"},
        },
    ),
    "electra": ("Electra", SIZES | {"embedding_size": 64}, {"plain": {}, "narrow": {"embedding_size": 32}}),
}
MODELS = tuple(f"tiny/{family}-{name}" for family, case in CASES.items() for name in case[2])
IDS = (2, 17, 4, 201, 9, 9, 4, 3)  # [CLS] … [MASK] … [MASK] [SEP]


def _made(model_id: str) -> PreTrainedModel:
    family, variant = model_id.removeprefix("tiny/").rsplit("-", 1)
    name, sizes, variants = CASES[family]
    config = getattr(transformers, f"{name}Config")(**(sizes | variants[variant]))
    made: PreTrainedModel = getattr(transformers, f"{name}ForMaskedLM")(config)
    return made


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = Settings(
        cache_dir=tmp_path_factory.mktemp("heads"), extra_models=MODELS, default_model=MODELS[0],
        device="cpu", HF_HUB_OFFLINE=True,
    )  # fmt: skip
    tokenizer = tiny.word_piece_tokenizer(D_VOCAB)
    for seed, model_id in enumerate(MODELS):
        folder = model_folder(model_id, made)
        tiny.save(folder, _made(model_id), tokenizer, seed=seed, std=0.15, mask_token="[MASK]")
    return made


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[LocalEngine]:
    made = create_engine(settings)
    assert isinstance(made, LocalEngine)
    yield made
    made.close()


def test_every_family_with_a_masked_head_has_an_example() -> None:
    assert CASES.keys() == {name for name, family in FAMILIES.items() if family.masked_head}


@pytest.mark.parametrize("model", MODELS)
def test_logits_and_filled_masks_are_those_of_the_library(
    engine: LocalEngine, settings: Settings, model: str
) -> None:
    plain = AutoModelForMaskedLM.from_pretrained(model_folder(model, settings), dtype=torch.float32).eval()
    with torch.no_grad():
        expected = plain(input_ids=torch.tensor([IDS])).logits[0]
    trace = engine.trace(TraceRequest(model, input_ids=IDS, capture=Capture(logits="all")))
    assert trace.logits is not None
    same_to_rounding(trace.logits, expected)
    mask = engine.tokenizers.info(model).mask_id
    masks = [place for place, token in enumerate(IDS) if token == mask]
    assert len(masks) == 2
    filled = engine.fill(FillRequest(model, input_ids=IDS, n_top=5))
    np.testing.assert_array_equal(filled.positions, masks)
    best = expected.log_softmax(-1)[masks].topk(5)
    np.testing.assert_array_equal(filled.top_ids, best.indices)
    same_to_rounding(filled.top_logprobs, best.values)


@pytest.mark.parametrize("model", MODELS)
def test_all_parameters_of_a_model_with_a_head_are_counted(engine: LocalEngine, model: str) -> None:
    parts = engine.inside.parts(model)
    info = next(one for one in engine.models() if one.model_id == model)
    assert sum(part.n_parameters for part in parts) == info.n_parameters
    heads = [part for part in parts if part.kind == "head"]
    assert len(heads) == 1
    assert heads[0].n_parameters >= D_VOCAB  # its bias at least
