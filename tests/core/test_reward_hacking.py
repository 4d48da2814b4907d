"""The shipped runs that hack a reward: their figures are those of their answers, counted another way."""

from __future__ import annotations

import numpy as np
import pytest

from playground.core.reward_hacking import HackingRun, read, shipped, written

RUNS = [pytest.param(one, id=f"{one.kl_beta:g}-{one.seed}") for one in shipped().runs]


def test_a_table_comes_back_from_its_file() -> None:
    assert read(written(shipped())) == shipped()


@pytest.mark.parametrize("run", RUNS)
def test_every_figure_is_that_of_the_answers(run: HackingRun) -> None:
    table = shipped()
    n = len(table.prompts) * table.n_answers
    assert [one.step for one in run.rollouts] == list(range(run.n_steps + 1))
    for one in run.rollouts:
        assert len(one.answers) == n
        assert [answer.reward for answer in one.answers] == [answer.text.count("!") for answer in one.answers]
        rewards = np.array([answer.reward for answer in one.answers])
        assert one.reward == pytest.approx(rewards.mean(), abs=1e-3)
        assert one.spread == pytest.approx(rewards.std(), abs=1e-3)
        assert one.kl == pytest.approx(np.mean([answer.kl for answer in one.answers]), abs=1e-3)
        assert min(answer.kl for answer in one.answers) >= 0
        assert {answer.prompt for answer in one.answers} == set(range(len(table.prompts)))
    assert (run.rollouts[0].clipped, run.rollouts[0].kl) == (None, 0)
    assert all(one.clipped is not None and 0 <= one.clipped <= 1 for one in run.rollouts[1:])


@pytest.mark.parametrize("seed", shipped().seeds)
def test_both_runs_of_a_seed_begin_with_the_same_answers(seed: int) -> None:
    free, held = (shipped().run(beta, seed) for beta in shipped().kl_betas)
    assert free is not None
    assert held is not None
    assert free.rollouts[0] == held.rollouts[0]
    assert free.rollouts[-1].answers != held.rollouts[-1].answers


@pytest.mark.parametrize("seed", shipped().seeds)
def test_without_a_leash_the_reward_is_hacked_and_on_one_it_is_not(seed: int) -> None:
    """Marks and nothing else on the one hand, sentences with one or two of them on the other."""
    free, held = (shipped().run(beta, seed) for beta in (0.0, 0.5))
    assert free is not None
    assert held is not None
    assert free.rollouts[0].reward < 0.5
    assert free.rollouts[-1].reward >= 20
    assert free.rollouts[-1].kl > 50
    assert max(one.reward for one in held.rollouts) < 2
    assert max(one.kl for one in held.rollouts) < 13
    marks, letters = (
        np.mean([sum(map(count, answer.text)) for answer in free.rollouts[-1].answers])
        for count in ("!".__eq__, str.isalpha)
    )
    assert marks > 2 * letters
    assert np.mean([sum(map(str.isalpha, one.text)) for one in held.rollouts[-1].answers]) > 40
    assert free.first_above(10) is not None
    assert held.first_above(10) is None
    assert free.seconds < 120
    assert held.seconds < 120
