"""Texts of real encoders as the library's own tokenizers cut them."""

from __future__ import annotations

import pytest
from transformers import AutoTokenizer

from playground.engine.contract.task_heads import HeadSettings, LabelledText
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import model_folder
from playground.settings import DEFAULT_ENCODER, MULTILINGUAL_ENCODER, Settings


@pytest.mark.real
@pytest.mark.parametrize("model", [DEFAULT_ENCODER, MULTILINGUAL_ENCODER])
def test_a_pair_is_joined_as_transformers_joins_it(
    model: str, real_engine: LocalEngine, real_settings: Settings
) -> None:
    first, second = "고양이가 소파에서 잔다.", "A cat sleeps."
    settings = HeadSettings(model, "pair", labels=("dog", "cat"))
    [both] = real_engine.task_heads.examples(settings, [LabelledText((first, second), "cat")])
    info = next(one for one in real_engine.models() if one.model_id == model)
    prefix = info.prefixes.text
    told = AutoTokenizer.from_pretrained(model_folder(model, real_settings))(
        prefix + first, prefix + second, return_token_type_ids=True
    )
    assert list(both.input_ids) == told["input_ids"]
    is_bert = "MiniLM" in model
    assert list(both.segments) == (told["token_type_ids"] if is_bert else [])
