"""Filled masks against plain transformers: its masked-LM class, its fill-mask pipeline, its tokenizers."""

from __future__ import annotations

import json
import shutil
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import AutoModelForMaskedLM, AutoTokenizer, BertForPreTraining, pipeline

from playground.engine.contract.filling import FillRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import catalogue, model_folder
from playground.engine.models.loading import load
from playground.engine.models.tokenizing import TextTokenizer
from playground.errors import WrongWeights
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import same_to_rounding

TEXT = "the [MASK] sat on the [MASK] and the dog"
MODEL = tiny.MASKED


@lru_cache
def _plain(folder: Path) -> Any:
    return AutoModelForMaskedLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def _plain_logits(settings: Settings, ids: tuple[int, ...]) -> np.ndarray[Any, Any]:
    with torch.no_grad():
        logits = _plain(model_folder(MODEL, settings))(input_ids=torch.tensor([ids])).logits[0]
    found: np.ndarray[Any, Any] = logits.numpy()
    return found


@pytest.mark.parametrize("text", ["the cat sat", "x", "서울은 한국의 수도입니다"])
def test_logits_of_all_positions_are_those_of_the_library(
    tiny_engine: LocalEngine, tiny_settings: Settings, text: str
) -> None:
    trace = tiny_engine.trace(TraceRequest(MODEL, text, Capture("float32", "all", "all", query_key=True)))
    assert trace.logits is not None
    same_to_rounding(trace.logits, _plain_logits(tiny_settings, tuple(trace.input_ids.tolist())))
    last = tiny_engine.trace(TraceRequest(MODEL, text, Capture(logits="last"))).logits
    assert last is not None
    same_to_rounding(last[-1], trace.logits[-1])


def test_one_mask_is_filled_as_the_pipeline_fills_it(
    tiny_engine: LocalEngine, tiny_settings: Settings
) -> None:
    folder = model_folder(MODEL, tiny_settings)
    fill_mask = pipeline(
        "fill-mask", model=_plain(folder), tokenizer=AutoTokenizer.from_pretrained(folder), top_k=7
    )
    for text in ("the [MASK] sat on the mat", "[MASK]", "서울은 [MASK]입니다."):
        expected = fill_mask(text)
        filled = tiny_engine.fill(FillRequest(MODEL, text, n_top=7))
        assert filled.top_ids[0].tolist() == [one["token"] for one in expected]
        np.testing.assert_allclose(
            np.exp(filled.top_logprobs[0]), [one["score"] for one in expected], rtol=1e-4
        )


def test_the_pseudo_log_likelihood_is_that_of_one_forward_per_token(
    tiny_engine: LocalEngine, tiny_settings: Settings
) -> None:
    """Salazar et al. 2020, equation 1, computed row by row with the library's model."""
    parts = list(tiny_engine.fill_each(FillRequest(MODEL, "the dog sat on the cat and 0 1 2 3")))
    ids, mask = tuple(parts[0].input_ids.tolist()), tiny_engine.tokenizers.info(MODEL).mask_id
    assert mask is not None
    expected = 0.0
    for place in range(1, len(ids) - 1):
        logits = _plain_logits(tiny_settings, (*ids[:place], mask, *ids[place + 1 :])).astype(np.float64)
        expected += logits[place, ids[place]] - np.log(np.exp(logits[place]).sum())
    total = sum(float(part.token_logprobs[:, 0].sum()) for part in parts)
    assert total == pytest.approx(expected, rel=1e-5)


def test_tokens_are_masked_some_rows_at_a_time_until_the_reader_leaves(tiny_engine: LocalEngine) -> None:
    request = FillRequest(MODEL, input_ids=(2, *[7] * 58, 3))  # 58 rows of 60 tokens, 4 of them a forward
    before = tiny_engine.stats().n_forwards
    parts = tiny_engine.fill_each(request)
    sizes = [len(next(parts).positions) for _ in range(3)]
    parts.close()
    assert sizes == [4, 4, 4]
    assert tiny_engine.stats().n_forwards - before <= 4
    before = tiny_engine.stats().n_forwards
    assert sum(len(part.positions) for part in tiny_engine.fill_each(request)) == 58
    assert tiny_engine.stats().n_forwards - before == 15 - 3  # what the first three gave is known


def test_parts_of_the_model_name_the_head(tiny_engine: LocalEngine) -> None:
    parts = {(part.kind, part.layer): part for part in tiny_engine.inside.parts(MODEL)}
    assert {name for name, _shape in parts["head", None].tensors} == {
        "cls.predictions.bias", "cls.predictions.transform.dense.weight",
        "cls.predictions.transform.dense.bias", "cls.predictions.transform.LayerNorm.weight",
        "cls.predictions.transform.LayerNorm.bias",
    }  # fmt: skip
    bare = {(part.kind, part.layer): part for part in tiny_engine.inside.parts(tiny.BERT)}
    assert parts.keys() - {("head", None)} == bare.keys() - {("other", None)}  # the pooler
    assert all(parts[key].n_parameters == bare[key].n_parameters for key in parts.keys() - {("head", None)})


def _copy(settings: Settings, tmp_path: Path) -> tuple[Settings, Path]:
    """Settings with one model, a copy of the tiny one that fills masks, to be changed."""
    folder = tmp_path / "models" / MODEL.replace("/", "--")
    shutil.copytree(model_folder(MODEL, settings), folder)
    return Settings(cache_dir=tmp_path, extra_models=(MODEL,), device="cpu", HF_HUB_OFFLINE=True), folder


def test_a_head_that_lacks_a_weight_is_refused(tiny_settings: Settings, tmp_path: Path) -> None:
    settings, folder = _copy(tiny_settings, tmp_path)
    weights = load_file(folder / "model.safetensors")
    del weights["cls.predictions.transform.dense.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WrongWeights, match=r"cls\.predictions\.transform\.dense\.weight"):
        load(catalogue(settings)[MODEL], settings, lambda message, share: None)


def test_weights_without_a_head_are_an_encoder_as_before(tiny_settings: Settings, tmp_path: Path) -> None:
    settings, folder = _copy(tiny_settings, tmp_path)
    weights = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if not name.startswith("cls.")}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    loaded = load(catalogue(settings)[MODEL], settings, lambda message, share: None)
    assert "fill" not in loaded.info.capabilities
    assert type(loaded.model).__name__ == "BertModel"


def test_heads_of_other_tasks_are_left_out(tiny_settings: Settings, tmp_path: Path) -> None:
    """BERT's own checkpoint also has the head that says whether two sentences follow one another."""
    settings, folder = _copy(tiny_settings, tmp_path)
    whole = BertForPreTraining(_plain(folder).config)
    whole.load_state_dict(_plain(folder).state_dict(), strict=False)
    whole.save_pretrained(folder)
    loaded = load(catalogue(settings)[MODEL], settings, lambda message, share: None)
    ids = torch.tensor([loaded.tokenizer.tokenize_masked(TEXT).input_ids])
    with torch.no_grad():
        same_to_rounding(loaded.model(input_ids=ids).logits, whole.eval()(input_ids=ids).prediction_logits)


def _roberta_like(folder: Path) -> None:
    """A Unigram tokenizer whose `<mask>` takes the space before it, as XLM-R's."""
    made = Tokenizer(models.Unigram())
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    made.train_from_iterator(
        tiny.CORPUS,
        trainers.UnigramTrainer(
            vocab_size=200, special_tokens=["<s>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
        ),
    )
    made.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    frame = [(name, made.token_to_id(name)) for name in ("<s>", "</s>")]
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=frame)
    folder.mkdir()
    tiny.save_tokenizer(folder, made, revision="1", mask_token="<mask>")


@pytest.mark.parametrize(
    "text", ["the cat sat on the mask", "a mask", "mask", "mask mask the", "the 한국의 mask 학교", " mask!"]
)
@pytest.mark.parametrize("kind", ["wordpiece", "unigram"])
def test_masks_are_cut_out_of_a_text_as_the_library_does(
    tiny_settings: Settings, tmp_path: Path, kind: str, text: str
) -> None:
    folder = model_folder(MODEL, tiny_settings)
    if kind == "unigram":
        _roberta_like(folder := tmp_path / "made")
    plain, ours = AutoTokenizer.from_pretrained(folder), TextTokenizer(MODEL, folder)
    assert ours.mask_id == plain.mask_token_id
    masked = text.replace("mask", plain.mask_token)
    assert ours.tokenize_masked(masked).input_ids == tuple(plain(masked)["input_ids"])
    assert ours.mask_id not in ours.encode(masked)


def test_a_tokenizer_that_names_no_mask_has_none(tmp_path: Path) -> None:
    tiny.save_tokenizer(tmp_path, tiny.byte_level_tokenizer(), revision="1")
    assert TextTokenizer("any", tmp_path).mask_id is None
    assert "mask_token" not in json.loads((tmp_path / "tokenizer_config.json").read_text("utf-8"))


def test_a_head_with_the_names_of_old_checkpoints_is_read(tiny_settings: Settings, tmp_path: Path) -> None:
    """`google-bert/bert-base-uncased` calls the weights of its norms gamma and beta, and brings a pooler."""
    settings, folder = _copy(tiny_settings, tmp_path)
    weights = load_file(folder / "model.safetensors")
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): tensor
        for name, tensor in weights.items()
    }
    old["bert.pooler.dense.weight"] = np.zeros((64, 64), np.float32)
    old["bert.pooler.dense.bias"] = np.zeros(64, np.float32)
    save_file(old, folder / "model.safetensors", metadata={"format": "pt"})
    loaded = load(catalogue(settings)[MODEL], settings, lambda message, share: None)
    ids = loaded.tokenizer.tokenize_masked(TEXT).input_ids
    with torch.no_grad():
        found = loaded.model(input_ids=torch.tensor([ids])).logits[0]
    same_to_rounding(found, _plain_logits(tiny_settings, ids))
