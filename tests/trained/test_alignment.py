"""The shipped runs that hack a reward: their note is true, their script measures them again."""

from __future__ import annotations

import json

import pytest

from playground.core.reward_hacking import FILE, FOLDER, shipped
from playground.core.rewards import rewards_of
from playground.engine import create_engine
from playground.engine.contract.hacking_runs import KL_BETA, N_STEPS, PROMPTS, hacking_settings
from playground.engine.models import whole_folder
from playground.engine.models.shipped import trained_assets
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained import alignment as script
from playground.trained.scripts import SCRIPTS

SHORT = 2  # steps of the short version: rollouts until there do not depend on how many follow


def test_the_note_has_how_every_run_ended() -> None:
    folder = trained_assets() / FOLDER
    said = json.loads((folder / whole_folder.METADATA).read_text("utf-8"))
    assert said["revision"] == said["files"][FILE]["sha256"] == whole_folder.sha256_of(folder / FILE)
    assert said["script"] == script.__name__
    assert FOLDER in SCRIPTS
    assert (folder / FILE).stat().st_size < 2**20
    runs = shipped().runs
    assert {(one.kl_beta, one.seed) for one in runs} == {
        (beta, seed) for beta in script.LEASHES for seed in script.SEEDS
    }
    for one in runs:
        for name in ("reward", "kl"):
            assert said["figures"][f"{name}_{one.kl_beta:g}_{one.seed}"] == getattr(one.rollouts[-1], name)


def test_the_shipped_runs_are_those_that_the_page_offers() -> None:
    table, asked = shipped(), hacking_settings(DEFAULT_DECODER, "", KL_BETA, 0)
    asked.check()
    assert (table.model, table.reward, table.prompts) == (asked.model, asked.reward, PROMPTS)
    same = ("n_answers", "max_new_tokens", "n_updates", "epsilon", "learning_rate")
    assert all(getattr(table, name) == getattr(asked, name) for name in same)
    assert {one.n_steps for one in table.runs} == {N_STEPS}
    assert asked.batch_size == len(PROMPTS)


@pytest.mark.real
@pytest.mark.parametrize("kl_beta", script.LEASHES)
def test_the_script_measures_the_same_again(real_settings: Settings, kl_beta: float) -> None:
    engine = create_engine(real_settings)
    try:
        again = script.measured(engine, shipped().model, kl_beta, 0, SHORT)
    finally:
        engine.close()
    known = shipped().run(kl_beta, 0)
    assert known is not None
    assert again.n_steps == SHORT
    first, theirs = again.rollouts[0], known.rollouts[0]
    same = [one.text == two.text for one, two in zip(first.answers, theirs.answers, strict=True)]
    assert sum(same) >= len(same) - 1, "the base's answers, but for a draw that rounding turns"
    for mine, other in zip(again.rollouts, known.rollouts, strict=False):
        texts = [one.text for one in mine.answers]
        assert rewards_of(shipped().reward, texts).tolist() == [one.reward for one in mine.answers]
        assert mine.kl == pytest.approx(other.kl, abs=1.5)
        assert mine.reward == pytest.approx(other.reward, abs=1)
