"""multilingual-e5-small fills masks with the head that is shipped for it, without the internet."""

from __future__ import annotations

import shutil
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, BertForMaskedLM

from playground.engine.contract.filling import Filled, FillRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.models import shipped
from playground.engine.models.catalogue import catalogue, model_folder
from playground.engine.models.loading import load
from playground.errors import ModelDamaged
from playground.settings import DEFAULT_ENCODER, MULTILINGUAL_ENCODER, Settings
from tests.engine.conftest import same_to_rounding
from tests.engine.models.wheels import silent

pytestmark = pytest.mark.real
TEXTS = ("The capital of France is <mask>.", "나는 최근 <mask> 여행을 다녀왔다.", "눈이 <mask> <mask>.")


@lru_cache
def plain(folder: Path) -> Any:
    """The library's model, its head's weights put in by hand."""
    model = BertForMaskedLM(AutoConfig.from_pretrained(folder, attn_implementation="eager")).eval()
    encoder = {f"bert.{name}": value for name, value in load_file(folder / "model.safetensors").items()}
    head = load_file(shipped.trained_assets() / "e5-masked-head" / "model.safetensors")
    tied = {"cls.predictions.decoder.weight": encoder["bert.embeddings.word_embeddings.weight"],
            "cls.predictions.decoder.bias": head["cls.predictions.bias"]}  # fmt: skip
    model.load_state_dict(encoder | head | tied, strict=False)
    return model


def fill(engine: LocalEngine, text: str, **more: Any) -> Filled:
    return engine.fill(FillRequest(MULTILINGUAL_ENCODER, text, **more))


@pytest.fixture(scope="module")
def engine(with_e5: Settings, real_engine: LocalEngine) -> LocalEngine:
    return real_engine


@pytest.mark.parametrize("text", TEXTS)
def test_masks_are_filled_as_by_the_library(engine: LocalEngine, with_e5: Settings, text: str) -> None:
    filled = fill(engine, text, n_top=1000)
    ids = filled.input_ids
    assert len(filled.positions) == text.count("<mask>")
    with torch.no_grad():
        logits = plain(model_folder(MULTILINGUAL_ENCODER, with_e5))(torch.tensor(ids[None])).logits[0]
    wanted = torch.log_softmax(logits.double(), -1).numpy()[filled.positions]
    np.testing.assert_allclose(
        filled.top_logprobs, np.take_along_axis(wanted, filled.top_ids, 1), atol=1e-5, rtol=1e-5
    )
    trace = engine.trace(
        TraceRequest(MULTILINGUAL_ENCODER, input_ids=tuple(ids.tolist()), capture=Capture(logits="all"))
    )
    assert trace.logits is not None
    same_to_rounding(trace.logits, logits.numpy())


@pytest.mark.parametrize("text", TEXTS)
def test_no_mark_of_the_format_fills_a_mask(engine: LocalEngine, text: str) -> None:
    marks = engine.tokenizers.info(MULTILINGUAL_ENCODER).special_ids
    assert not marks & set(fill(engine, text, n_top=1000).top_ids.ravel().tolist())


def test_a_mask_takes_its_space_and_a_word_goes_on_behind_it(engine: LocalEngine) -> None:
    whole = engine.tokenizers.tokenize(
        MULTILINGUAL_ENCODER, "프랑스의 수도는 파리이다.", add_special_tokens=True
    )
    mask = engine.tokenizers.info(MULTILINGUAL_ENCODER).mask_id
    ids = fill(engine, "프랑스의 수도는 <mask>이다.").input_ids.tolist()
    place = ids.index(mask)
    assert (*ids[:place], *ids[place + 1 :]) == (*whole.input_ids[:place], *whole.input_ids[place + 2 :])


@pytest.mark.parametrize("text", ["The cat sat on the mat.", "눈이 온다."])
def test_the_pseudo_log_likelihood_is_the_sum_of_runs_with_a_single_mask(
    engine: LocalEngine, text: str
) -> None:
    """Salazar et al. 2020, equation 1."""
    parts = list(engine.fill_each(FillRequest(MULTILINGUAL_ENCODER, text)))
    total = sum(float(part.token_logprobs[:, 0].sum()) for part in parts)
    ids = tuple(parts[0].input_ids.tolist())
    mask = engine.tokenizers.info(MULTILINGUAL_ENCODER).mask_id
    alone = 0.0
    for place in range(1, len(ids) - 1):
        masked = (*ids[:place], mask, *ids[place + 1 :])
        one = engine.fill(FillRequest(MULTILINGUAL_ENCODER, input_ids=masked, token_ids=(ids[place],)))
        alone += float(one.token_logprobs[0, 0])
    assert sum(len(part.positions) for part in parts) == len(ids) - 2
    assert total == pytest.approx(alone, rel=1e-5)


def test_a_cache_without_the_head_does_and_other_encoders_fill_nothing(with_e5: Settings) -> None:
    folder = model_folder(MULTILINGUAL_ENCODER, with_e5)
    assert not any(name.startswith("cls.") for name in load_file(folder / "model.safetensors"))
    entries = catalogue(with_e5)
    assert "fill" in entries[MULTILINGUAL_ENCODER].capabilities
    assert "fill" not in entries[DEFAULT_ENCODER].capabilities


def test_a_damaged_head_is_told(with_e5: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(
        shipped.trained_assets() / "e5-masked-head", tmp_path / "assets" / "trained" / "e5-masked-head"
    )
    monkeypatch.setattr(shipped, "site_root", lambda: tmp_path)
    weights = shipped.shipped_head(MULTILINGUAL_ENCODER)
    assert weights is not None
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelDamaged, match="Install the playground again"):
        load(catalogue(with_e5)[MULTILINGUAL_ENCODER], with_e5, silent)
