"""The code that the page Masked shows, on the encoder whose masked-LM head is shipped apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from playground.engine.contract.filling import FillRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import head_file, model_folder
from playground.settings import MULTILINGUAL_ENCODER, Settings
from tests.pages.shown import run_code


def test_the_code_shown_puts_the_shipped_head_on_its_model(
    with_e5: Settings, real_engine: LocalEngine, tmp_path: Path
) -> None:
    ids = real_engine.tokenizers.tokenize_masked(MULTILINGUAL_ENCODER, "The <mask> sat on the mat.").input_ids
    filled = real_engine.fill(FillRequest(MULTILINGUAL_ENCODER, input_ids=ids, n_top=10))
    code = run_code(
        "masked", tmp_path, folder=str(model_folder(MULTILINGUAL_ENCODER, with_e5)),
        head_file=head_file(MULTILINGUAL_ENCODER), input_ids=list(ids), hidden={},
    )  # fmt: skip
    (answers,) = code["answers"].values()
    np.testing.assert_array_equal(filled.top_ids[0], [token for token, _p in answers])
    np.testing.assert_allclose(np.exp(filled.top_logprobs[0]), [p for _token, p in answers], rtol=1e-3)
