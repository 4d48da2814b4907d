"""lm-evaluation-harness on a task of ours: its log-probabilities and accuracy are those of the page."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground.core.demonstrations import draw_demonstrations, split
from playground.core.few_shot import blocks, candidates
from playground.engine.contract.engine import Engine
from playground.engine.contract.scores import ScoreRequest, Scores
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import model_folder
from playground.paths import site_root
from playground.settings import DEFAULT_DECODER, Settings
from playground.ui.prompting.builder import N_TEST
from playground.ui.prompting.task_files import task as shipped
from tests.v1.conftest import CHAT, Served, serving

HERE = Path(__file__).parent
N_SHOT = 4  # as the page is opened


def rows() -> list[dict[str, Any]]:
    """The prompts that the page Prompting makes of its test items, and the answers that it compares."""
    task = shipped("sentiment", "en")
    pool, test = split(task.examples, N_TEST, seed=0)
    demos = draw_demonstrations(pool, N_SHOT, 0)
    return [
        {
            "prompt": "".join(block.text for block in blocks(task, demos, one.text, "labelled")),
            "choices": list(candidates(task.options(one), "labelled")),
            "label": task.options(one).index(task.right(one)),
        }
        for one in test
    ]


def scored(engine: Engine, model: str, asked: list[dict[str, Any]]) -> list[Scores]:
    """The engine's own scores, as the page asks for them."""
    texts = tuple(row["prompt"] for row in asked)
    request = ScoreRequest(model, texts, tuple(tuple(row["choices"]) for row in asked))
    return [scores for _place, scores in engine.score(request)]


def evaluated(served: Served, model: str, folder: Path, asked: list[dict[str, Any]], batch: int) -> Any:
    shutil.copy(HERE / "tasks" / "playground_sentiment.yaml", folder)
    lines = [json.dumps(row) + "\n" for row in asked]
    (folder / "rows.jsonl").write_text("".join(lines), "utf-8")
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(folder / "hf")}
    key = {"OPENAI_API_KEY": served.key()}
    tokenizer = str(model_folder(model, served.settings))
    command = [
        sys.executable,
        str(HERE / "evaluate.py"),
        served.url,
        model,
        tokenizer,
        str(folder),
        str(batch),
    ]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **offline, **key, "PYTHONPATH": str(site_root())},
        capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3_000:]
    return json.loads(done.stdout.rpartition("RESULT ")[2])


def compare(served: Served, model: str, folder: Path, batch: int) -> float:
    """Compare every number; gives the accuracy that both found."""
    asked = rows()
    expected = scored(served.engine, model, asked)
    found = evaluated(served, model, folder, asked, batch)
    ours = np.array([scores.logprobs for scores in expected])
    theirs = np.array([[logprob for logprob, _greedy in row] for row in found["answers"]])
    np.testing.assert_allclose(theirs, ours, atol=2e-4)
    labels = np.array([row["label"] for row in asked])
    assert found["accuracy"] == pytest.approx(float((ours.argmax(axis=1) == labels).mean()))
    assert len(labels) == N_TEST
    return float(found["accuracy"])


def test_the_harness_finds_the_engines_scores(served: Served, tmp_path: Path) -> None:
    compare(served, CHAT, tmp_path, batch=4)


@pytest.mark.real
def test_the_harness_finds_the_pages_accuracy_of_smollm(real_settings: Settings, tmp_path: Path) -> None:
    engine = LocalEngine(real_settings)
    try:
        with serving(engine, real_settings) as served:
            accuracy = compare(served, DEFAULT_DECODER, tmp_path, batch=1)
    finally:
        engine.close()
    assert accuracy > 0.5
