"""The shipped run of DPO: its note is true, its figures are those of its log-probabilities."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from playground.core.preferences.dpo_run import FILE, FOLDER, moved, shipped
from playground.core.preferences.pair import split
from playground.core.preferences.shipped import pairs_on
from playground.engine import create_engine
from playground.engine.models import whole_folder
from playground.engine.models.shipped import trained_assets
from playground.settings import Settings
from playground.trained import dpo as script
from playground.trained.scripts import SCRIPTS


def test_the_note_has_what_the_run_says() -> None:
    folder, run = trained_assets() / FOLDER, shipped()
    said = json.loads((folder / whole_folder.METADATA).read_text("utf-8"))
    assert said["revision"] == said["files"][FILE]["sha256"] == whole_folder.sha256_of(folder / FILE)
    assert said["script"] == script.__name__
    assert FOLDER in SCRIPTS
    last = run.milestones[-1]
    right = last.accuracy(run.beta)
    assert right is not None
    end = moved(last, run.beta)
    assert said["figures"] == pytest.approx(
        {"held_out_loss": run.held_out[-1][1], "accuracy": right.share, "kl": last.kl, "chosen": end.chosen,
         "rejected": end.rejected}
    )  # fmt: skip


def test_it_begins_at_ln_2_and_learns_from_the_shipped_pairs() -> None:
    run = shipped()
    assert (run.pairs, run.held_out_pairs) == split(pairs_on(script.TOPIC, "en"))
    first = run.milestones[0]
    assert (first.step, first.kl) == (0, 0.0)
    assert first.chosen == first.ref_chosen
    assert run.held_out[0][1] == pytest.approx(math.log(2), abs=1e-4)
    for one, (step, loss) in zip(run.milestones, run.held_out, strict=True):
        margins = run.beta * (
            np.subtract(one.chosen, one.ref_chosen) - np.subtract(one.rejected, one.ref_rejected)
        )
        assert one.step == step
        assert np.log1p(np.exp(-margins)).mean() == pytest.approx(loss, abs=1e-3)
        assert one.kl >= 0


@pytest.mark.real
def test_the_script_trains_the_same_again(real_settings: Settings) -> None:
    engine = create_engine(real_settings)
    try:
        again = script.measured(engine, replace(script.SETTINGS, n_steps=2))
    finally:
        engine.close()
    assert [loss for _step, loss in again.train] == pytest.approx(
        [loss for _step, loss in shipped().train[:2]], abs=0.02
    )
