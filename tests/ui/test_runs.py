"""A training run in words: where it is, when it begins, and with whom it is shared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playground.engine.contract.training import RunSettings, TrainingState
from playground.ui import runs, text

STATE = TrainingState("run", RunSettings("model", "Talk like a pirate", n_steps=24), "running", step=3)
WORDS = [
    ({}, "Training: step 3 of 24"),
    ({"status": "waiting", "position": 2}, "Waiting: place 2 in the queue"),
    (
        {"status": "waiting", "position": 2, "begins_in_s": 41.3},
        "Waiting: place 2 in the queue · begins in about 41 s",
    ),
    (
        {"n_sharing": 1},
        "Training: step 3 of 24 · shared with 1 other reader who chose the same: trained once for all",
    ),
    (
        {"n_sharing": 29},
        "Training: step 3 of 24 · shared with 29 other readers who chose the same: trained once for all",
    ),
    (
        {"n_sharing": 2, "status": "paused"},
        "Paused after step 3 of 24 · it goes on for 2 other readers",
    ),
    ({"n_sharing": 2, "status": "cancelled"}, "Stopped after step 3 of 24"),
    (
        {"is_known": True, "status": "done", "step": 24},
        "Done: 24 steps · an equal run was trained before: this is its result",
    ),
]


@pytest.mark.parametrize(("changes", "words"), WORDS)
def test_the_state_says_with_whom_it_is_shared(
    changes: dict[str, object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "language", lambda: "en")
    assert runs.status(replace(STATE, **changes)) == words  # type: ignore[arg-type]


def test_it_says_so_in_korean_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "language", lambda: "ko")
    assert "다른 2명과 함께" in runs.status(replace(STATE, n_sharing=2))
    assert "이미 했기 때문에" in runs.status(replace(STATE, is_known=True, status="done"))
