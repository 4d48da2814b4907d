"""The attention page: the code it shows gives its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground.core import attention as core
from playground.core.heads import head_scores, kl_bits
from playground.core.interventions import Intervention
from playground.engine.contract.engine import Engine
from playground.settings import Settings
from tests import tiny
from tests.pages.attended import read
from tests.pages.shown import folder, run_code

# ---------------------------------------------------------------- the code shown


@pytest.mark.parametrize("model", tiny.FAMILIES)
def test_code_of_grid_map_and_rollout_gives_the_numbers_shown(
    model: str, tmp_path: Path, engine: Engine, tiny_settings: Settings
) -> None:
    trace = read(engine, model)
    assert trace.attentions is not None
    given = {
        "folder": folder(tiny_settings, model),
        "input_ids": trace.input_ids.tolist(),
        "layer": 1,
        "head": 2,
    }
    scores = head_scores(trace.attentions, trace.input_ids)
    for name, found in run_code("attention_heads", tmp_path, **given)["scores"].items():
        np.testing.assert_allclose(found, scores[name], atol=1e-4, err_msg=name)
    shown = run_code("attention_map", tmp_path, **given, hidden=[0])["weights"]
    hidden = np.arange(len(trace.input_ids)) == 0
    np.testing.assert_allclose(shown, core.without_keys(trace.attentions[1, 2], hidden)[0], atol=1e-4)
    flow = run_code("rollout", tmp_path, **given, n_layers=2)["flow"]
    np.testing.assert_allclose(flow, core.rollout(trace.attentions[:2]), atol=1e-5)


@pytest.mark.parametrize("ablation", ["zero", "mean"])
@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
def test_code_of_ablations_gives_the_numbers_shown(
    model: str, ablation: Any, tmp_path: Path, engine: Engine, tiny_settings: Settings
) -> None:
    before = read(engine, model, attentions=None, logits="last")
    ids = before.input_ids.tolist()
    assert before.logits is not None

    def bits(*heads: tuple[int, int]) -> float:
        after = read(
            engine, model, attentions=None, logits="last", intervention=Intervention(heads, ablation)
        ).logits
        assert after is not None
        assert before.logits is not None
        return float(kl_bits(before.logits[0], after[0]))

    given = {"folder": folder(tiny_settings, model), "input_ids": ids, "ablation": ablation}
    found = run_code("ablation", tmp_path, **given, off=[[0, 1], [1, 3]])["bits"]
    assert float(found) == pytest.approx(bits((0, 1), (1, 3)), abs=1e-3)
    effects = run_code("ablation_ranking", tmp_path, **given)["effects"]
    for head in ((0, 0), (1, 2)):
        assert effects[head] == pytest.approx(bits(head), abs=1e-3)
