"""The sampling page: the code it shows gives its numbers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from playground.core.penalties import NO_PENALTIES, Penalties
from playground.core.ranking import rank
from playground.core.sampling import Sampling, distribution
from playground.core.tables import sampling as frames
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.process import SharedEngine
from playground.settings import Settings
from playground.ui.sampling.settings import cuts
from tests import tiny
from tests.pages.sampled import TEXT, run_code

SETTINGS = [
    Sampling(1.0, 0, 0.75, 0.0),
    Sampling(0.0, 0, 0.9, 0.0),
    Sampling(2.5, 40, 0.6, 0.02),
    Sampling(0.7, 0, 1.0, 0.1),
    Sampling(1.3, 5, 1.0, 0.0),
    Sampling(1.6, 0, 0.8, 0.0, 0.7, "llama.cpp"),
    Sampling(1.6, 60, 0.9, 0.05, 1.0, "vllm"),
    Sampling(1.1, 0, 1.0, 0.0, 0.4),
    Sampling(0.0, 0, 0.9, 0.0, 0.02, "llama.cpp"),
    Sampling(0.0, 3, 1.0, 0.05, 0.02, "transformers"),
]


PENALTIES = (NO_PENALTIES, Penalties(1.7, 0.5, 0.4))


@pytest.fixture
def folder(tiny_settings: Settings) -> str:
    return str(tiny_settings.cache_dir / "models" / tiny.LLAMA.replace("/", "--"))


@pytest.mark.parametrize("chosen", SETTINGS, ids=str)
def test_sampling_code_gives_the_numbers_of_the_table(
    chosen: Sampling, folder: str, tiny_engine: SharedEngine, tmp_path: Path
) -> None:
    found, printed = run_code("sampling", tmp_path, folder=folder, text=TEXT, **asdict(chosen))
    trace = tiny_engine.get(timeout_s=180).trace(
        TraceRequest(model=tiny.LLAMA, text=TEXT, capture=Capture(logits="last"))
    )
    assert trace.logits is not None
    kept = distribution(rank(trace.logits[-1]), chosen)
    assert found["n_kept"] == kept.n_kept
    assert found["entropy_bits"] == pytest.approx(kept.entropy_bits, abs=1e-4)
    np.testing.assert_allclose(found["probs"].numpy()[kept.token_ids], kept.probs, atol=1e-5)
    assert f"kept {kept.n_kept:,} of" in printed


def test_entropy_code_gives_the_numbers_of_the_curve(
    folder: str, tiny_engine: SharedEngine, tmp_path: Path
) -> None:
    chosen = Sampling(top_k=50, top_p=0.8, min_p=0.01, typical_p=0.9, order="llama.cpp")
    _found, printed = run_code("entropy", tmp_path, folder=folder, text=TEXT, **cuts(chosen))
    trace = tiny_engine.get(timeout_s=180).trace(
        TraceRequest(model=tiny.LLAMA, text=TEXT, capture=Capture(logits="last"))
    )
    assert trace.logits is not None
    grid = [round(0.2 * step, 1) for step in range(1, 16)]
    points = frames.curve_points(rank(trace.logits[-1]), grid, chosen, now=False)
    curve = frames.temperature_curve(points)
    rows = curve.pivot_table(index="temperature", columns="tokens", values="entropy_bits")
    n_kept = curve[curve["tokens"] == "kept"]["n_kept"].tolist()
    for line, (temperature, row), n in zip(printed.splitlines(), rows.iterrows(), n_kept, strict=True):
        words = line.split()
        assert float(words[1]) == temperature
        assert [float(words[3]), float(words[6])] == pytest.approx([row["all"], row["kept"]], abs=2e-4)
        assert int(words[8]) == n


@pytest.mark.parametrize("chosen", SETTINGS, ids=str)
def test_generating_code_writes_the_same_tokens(
    chosen: Sampling, folder: str, tiny_engine: SharedEngine, tmp_path: Path
) -> None:
    penalties = PENALTIES[chosen.top_k > 0]
    values = asdict(chosen) | asdict(penalties)
    found, _printed = run_code("generating", tmp_path, folder=folder, text=TEXT, n_tokens=8, seed=3, **values)
    request = GenerateRequest(
        tiny.LLAMA, TEXT, sampling=chosen, penalties=penalties, seed=3, max_new_tokens=8
    )
    steps = list(tiny_engine.get(timeout_s=180).generate(request))
    assert found["input_ids"][0, found["prompt_length"] :].tolist() == [step.token_id for step in steps]
