"""The shipped table of forgetting: its note is true, its script measures it again."""

from __future__ import annotations

import json

import pytest

from playground.core.forgetting import FILE, FOLDER, beside_plain, best, everyday, general, shipped
from playground.engine import create_engine
from playground.engine.models import whole_folder
from playground.engine.models.shipped import trained_assets
from playground.settings import Settings
from playground.trained import forgetting as script
from playground.trained.scripts import SCRIPTS

N_STEPS = 3  # of the short version: losses until there do not depend on how many follow


def test_the_note_has_what_every_run_forgot() -> None:
    folder = trained_assets() / FOLDER
    said = json.loads((folder / whole_folder.METADATA).read_text("utf-8"))
    assert said["revision"] == said["files"][FILE]["sha256"] == whole_folder.sha256_of(folder / FILE)
    assert said["script"] == script.__name__
    assert FOLDER in SCRIPTS
    runs = shipped().runs
    assert {(one.method, one.seed) for one in runs} == {
        *((method, 0) for method in script.GRID),
        *((best(runs, kind), 1) for kind in ("plain", *script.KINDS)),
    }
    for one in runs:
        name = f"{one.method.kind}_{one.method.strength:g}_{one.method.r}_{one.seed}"
        assert said["figures"][name] == pytest.approx(one.general[-1][1] - one.general[0][1])
        assert one.general[-1][0] == one.held_out[-1][0] == shipped().n_steps
        assert one.distance > 0
        assert one.general[0] == runs[0].general[0], "all begin as the same model"
    assert shipped().n_bytes < sum(len(text.encode()) for text in general("en"))
    assert sum(one.seconds for one in runs) < 600


def test_the_lesson_says_of_these_runs_what_is_so() -> None:
    """Plain training forgets, EWC keeps most and learns no less, the seeds do not agree on rehearsal."""
    runs = shipped().runs
    assert all(one.forgotten > 0.4 for one in runs if one.method.kind == "plain")
    beside = {kind: beside_plain(runs, kind) for kind in script.KINDS}
    assert {kind: len(one.kept) for kind, one in beside.items()} == dict.fromkeys(script.KINDS, 2)
    for kept in zip(*(one.kept for one in beside.values()), strict=True):
        assert max(kept) == kept[script.KINDS.index("ewc")] > 0
    assert max(beside["ewc"].missed) < 0
    assert beside["rehearsal"].verdict == "unclear"
    assert len(everyday("en")) == 24


@pytest.mark.real
@pytest.mark.parametrize("kind", ["plain", "ewc"])
def test_the_script_measures_the_same_again(real_settings: Settings, kind: str) -> None:
    engine = create_engine(real_settings)
    try:
        method = best(shipped().runs, kind)
        again = script.measured(engine, shipped().model, method, 0, N_STEPS)
    finally:
        engine.close()
    known = next(one for one in shipped().runs if (one.method, one.seed) == (method, 0))
    for mine, theirs in ((again.held_out, known.held_out), (again.general, known.general)):
        assert [step for step, _loss in mine] == [step for step, _loss in theirs][:2] == [0, N_STEPS]
        for (_step, loss), (_also, expected) in zip(mine, theirs, strict=False):
            assert loss == pytest.approx(expected, abs=0.05)
