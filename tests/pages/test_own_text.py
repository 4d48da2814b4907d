"""A text of the reader's own, scored token by token, with the model's start token and without."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from streamlit.testing.v1 import AppTest
from transformers import AutoModelForCausalLM, AutoTokenizer

from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.process import SharedEngine
from playground.settings import Settings
from playground.ui import show
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, folder, run_code, run_script

TEXT = "The cat sat on"


def scored(app: AppTest) -> dict[str, Any]:
    found = [element.proto for element in app.get("bidi_component")]
    return dict(json.loads(next(one.json for one in found if one.component_name == "playground.scored_text")))


def own_table(app: AppTest) -> pd.DataFrame:
    """The rows of the bars of the reader's own text."""
    return next(one for one in charts(app) if "with_start_bits" in one)


def test_own_text_is_coloured_by_its_surprisal(open_app: OpenApp, tiny_engine: SharedEngine) -> None:
    app = open_app("sampling", text=TEXT, sam_panel="text")
    assert not app.exception
    request = TraceRequest(tiny.LLAMA, TEXT, Capture(predictions=5))
    read = tiny_engine.get(timeout_s=180).trace(request).predictions
    assert read is not None
    sent = scored(app)
    assert sent["bits"][0] is None
    assert sent["bits"][1:] == pytest.approx(read.surprisal_bits.tolist(), abs=1e-4)
    assert any(f"perplexity {read.perplexity:.1f}" in one.value for one in app.markdown)
    ids = (
        tiny_engine.get(timeout_s=180)
        .tokenizers.tokenize(tiny.LLAMA, TEXT, add_special_tokens=True)
        .input_ids
    )
    tops = [top.tolist() for top in read.top_ids]
    places = [[top.index(own)] if own in top else [] for own, top in zip(ids[1:], tops[:-1], strict=True)]
    assert sent["is_own"][1:] == places


def test_own_text_of_one_token_gets_a_sentence(open_app: OpenApp) -> None:
    app = open_app("sampling", text="T", sam_panel="text")
    assert not app.exception
    assert any("One token alone" in one.value for one in app.info)
    app.toggle(key="sam_start_token").set_value(True).run()
    assert not any("One token alone" in one.value for one in app.info)
    assert any("The 1 token, " in one.value for one in app.markdown)


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
def test_own_text_is_scored_with_its_start_token_and_without(
    model: str, open_app: OpenApp, tiny_settings: Settings, tmp_path: Path
) -> None:
    app = open_app("sampling", model=model, text=TEXT, sam_panel="text")
    without = scored(app)
    app.toggle(key="sam_start_token").set_value(True).run()
    behind = scored(app)
    assert behind["labels"] == ["<|endoftext|>", *without["labels"]]
    assert behind["bits"][0] is None
    path = folder(tiny_settings, model)
    found = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    ids = AutoTokenizer.from_pretrained(path)("<|endoftext|>" + TEXT).input_ids
    with torch.no_grad():
        bits = -found(torch.tensor([ids])).logits[0].double().log_softmax(-1) / math.log(2)
    expected = [float(bits[at, token_id]) for at, token_id in enumerate(ids[1:])]
    assert behind["bits"][1:] == pytest.approx(expected, abs=1e-3)
    table = own_table(app)
    assert table["step"].tolist() == list(range(1, len(ids)))
    assert table["with_start_bits"].tolist() == pytest.approx(expected, abs=1e-3)
    assert math.isnan(table["without_start_bits"][0])
    assert table["without_start_bits"].tolist()[1:] == pytest.approx(without["bits"][1:], abs=1e-3)
    sums = sum(without["bits"][1:]), sum(expected[1:])
    told = next(one.value for one in app.markdown if "without the start token" in one.value)
    assert f"cost {sums[0]:.2f} bits without" in told
    assert f"and {sums[1]:.2f} with it" in told
    code = run_code("surprisal", tmp_path, folder=path, text=TEXT, start_ids=ids[:1], with_start=True)
    assert code["surprisals"] == pytest.approx(expected, abs=1e-3)
    assert code["bits"]["without_start"] == pytest.approx(without["bits"][1:], abs=1e-3)
    assert code["bits"]["with_start"] == pytest.approx(expected[1:], abs=1e-3)


def test_surprisal_code_gives_the_numbers_of_the_panel(
    tiny_settings: Settings, tiny_engine: SharedEngine, tmp_path: Path
) -> None:
    script = show.code("surprisal", folder=folder(tiny_settings, tiny.LLAMA), text=TEXT, with_start=False)
    found, printed = run_script(script, tmp_path)
    read = (
        tiny_engine.get(timeout_s=180)
        .trace(TraceRequest(tiny.LLAMA, TEXT, Capture(predictions=1)))
        .predictions
    )
    assert read is not None
    assert found["surprisals"] == pytest.approx(read.surprisal_bits.tolist(), abs=1e-3)
    assert found["perplexity"] == pytest.approx(read.perplexity, rel=1e-4)
    assert f"{read.total_bits:.1f}"[:-1] in printed
