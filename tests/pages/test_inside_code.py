"""The page on the layers: the code it shows gives its numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from playground.engine.contract.inside import LensRequest
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from playground.ui.inside import patching
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.looked_inside import DECODERS, OTHER, TEXT, ids, told
from tests.pages.shown import charts, folder, run_code

# ---------------------------------------------------------------- the code under the pictures


@pytest.mark.parametrize("model", DECODERS)
def test_lens_code_gives_the_numbers_shown(
    model: str, tmp_path: Path, engine: LocalEngine, tiny_settings: Settings
) -> None:
    given = ids(engine, model)
    found = run_code(
        "logit_lens", tmp_path, folder=folder(tiny_settings, model), input_ids=list(given), position=2
    )
    lens = engine.inside.lens(LensRequest(model, input_ids=given))
    np.testing.assert_array_equal(found["ranks"] - 1, lens.answer_ranks)
    np.testing.assert_allclose(found["probs"].max(-1).values, lens.top_probs[:, :, 0], atol=1e-5)


@pytest.mark.parametrize("model", tiny.FAMILIES)
def test_stream_code_gives_the_numbers_shown(
    model: str, tmp_path: Path, engine: LocalEngine, open_app: OpenApp, tiny_settings: Settings
) -> None:
    given = ids(engine, model)
    found = run_code(
        "residual_stream", tmp_path, folder=folder(tiny_settings, model), input_ids=list(given), position=2
    )
    table = charts(open_app("inside", model=model, text=TEXT, token="2"))[1]
    np.testing.assert_allclose(found["norms"], table["norm"], rtol=1e-4)
    np.testing.assert_allclose(found["cosines"], table["cosine"], atol=1e-4)


@pytest.mark.parametrize("model", DECODERS)
@pytest.mark.parametrize("tokens", [[7], [7, 11]])
def test_attribution_code_gives_the_numbers_shown(
    model: str, tokens: list[int], tmp_path: Path, engine: LocalEngine, tiny_settings: Settings
) -> None:
    given = ids(engine, model)
    values = {"input_ids": list(given), "position": 3, "token_ids": tokens}
    found = run_code("attribution", tmp_path, folder=folder(tiny_settings, model), **values)
    assert found["total"] == pytest.approx(found["logit"], abs=1e-3)
    lens = engine.inside.lens(LensRequest(model, input_ids=given, position=3))
    assert lens.logits is not None
    wanted = lens.logits[-1, tokens[0]] - sum(lens.logits[-1, token] for token in tokens[1:])
    assert found["logit"] == pytest.approx(float(wanted), abs=1e-3)


@pytest.mark.parametrize("model", DECODERS)
def test_patching_code_gives_the_bits_shown(
    model: str, tmp_path: Path, engine: LocalEngine, open_app: OpenApp, tiny_settings: Settings
) -> None:
    a, b = (engine.tokenizers.tokenize(model, text, add_special_tokens=True) for text in (TEXT, OTHER))
    place = patching.changed(a, b)
    n_layer = next(i.n_layer for i in engine.models() if i.model_id == model)
    found = run_code(
        "patching", tmp_path, folder=folder(tiny_settings, model), ids_a=list(a.input_ids),
        ids_b=list(b.input_ids), layer=1, pairs=[(place, place)],
    )  # fmt: skip
    app = open_app("inside", model=model, text=TEXT, ins_b=OTHER, **{f"ins_block_{n_layer}": "2"})
    assert found["bits"] > 0.01
    (bits,) = re.findall(r"moved by ([\d.]+) bits", told(app))
    assert float(bits) == pytest.approx(found["bits"], abs=2e-3)
