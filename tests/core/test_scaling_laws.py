"""The law in N and D: its optimum is the minimum that a search finds, and a planted law is found again."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from playground.core.known_models import KNOWN_MODELS, TOKENS_PER_PARAMETER, known_model
from playground.core.scaling_laws import BESIROGLU, HOFFMANN, LAWS, Law, fit_law, flops, iso_flop, tokens_of

OWN = Law(0.9, 60, 30, 0.35, 0.3)
EVERY = pytest.mark.parametrize("law", [*LAWS.values(), OWN])


@EVERY
@pytest.mark.parametrize("budget", [1e9, 1e15, 5.76e23, 1e27])
def test_the_best_split_is_the_minimum_along_the_budget(law: Law, budget: float) -> None:
    n, d = law.best_split(budget)
    assert flops(n, d) == pytest.approx(budget)
    found = optimize.minimize_scalar(
        lambda log_n: float(law.loss(np.exp(log_n), tokens_of(budget, np.exp(log_n)))),
        bounds=(np.log(n) - 8, np.log(n) + 8), method="bounded", options={"xatol": 1e-10},
    )  # fmt: skip
    assert np.exp(found.x) == pytest.approx(n, rel=1e-3)
    sizes = np.geomspace(n / 1e3, n * 1e3, 2_001)
    curve = iso_flop(law, budget, sizes)
    assert sizes[curve.argmin()] == pytest.approx(n, rel=0.01)
    assert curve.min() == pytest.approx(float(law.loss(n, d)), rel=1e-6)


def test_the_published_numbers() -> None:
    """Hoffmann et al.: Chinchilla's budget; Besiroglu et al., section 5: about 20 tokens per parameter."""
    budget = 5.76e23
    n, d = BESIROGLU.best_split(budget)
    assert 15 < d / n < 30
    n, d = HOFFMANN.best_split(budget)
    assert d / n > 60, "their rounded constants ask for far more data than the 20 of their other two ways"
    assert float(HOFFMANN.loss(70e9, 1.4e12)) < float(HOFFMANN.loss(280e9, 300e9)), "Chinchilla beats Gopher"
    assert float(BESIROGLU.loss(70e9, 1.4e12)) < float(BESIROGLU.loss(280e9, 300e9))


def runs(law: Law, noise: float = 0.0) -> tuple[list[float], list[float], list[float]]:
    n, d = (grid.ravel() for grid in np.meshgrid(np.geomspace(1e4, 1e6, 6), np.geomspace(2e4, 2e6, 6)))
    losses = law.loss(n, d) * np.exp(noise * np.random.default_rng(0).standard_normal(len(n)))
    return n.tolist(), d.tolist(), losses.tolist()


@pytest.mark.parametrize("law", [OWN, Law(0, 20, 40, 0.25, 0.4)])
def test_a_planted_law_is_found_again(law: Law) -> None:
    found = fit_law(*runs(law))
    n, d, losses = runs(law)
    assert found.loss(np.array(n), np.array(d)) == pytest.approx(np.array(losses), rel=5e-3)
    assert found.alpha == pytest.approx(law.alpha, rel=0.05)
    assert found.beta == pytest.approx(law.beta, rel=0.05)


def test_no_search_of_scipy_fits_noisy_runs_better() -> None:
    n, d, losses = (np.array(one) for one in runs(OWN, 0.01))
    found = fit_law(n.tolist(), d.tolist(), losses.tolist())

    def errors(p: np.ndarray) -> np.ndarray:
        law = Law(p[0], np.exp(p[1]), np.exp(p[2]), p[3], p[4])
        return np.asarray(law.loss(n, d) / losses - 1)

    start = [0.9, np.log(60), np.log(30), 0.35, 0.3]
    best = optimize.least_squares(errors, start, bounds=([0, -9, -9, 0.02, 0.02], [9, 19, 19, 2.5, 2.5]))
    ours = float(((found.loss(n, d) / losses - 1) ** 2).sum())
    assert ours <= 2 * best.cost * 1.002


def test_known_models_say_where_their_numbers_stand() -> None:
    assert len({one.name for one in KNOWN_MODELS}) == len(KNOWN_MODELS)
    for one in KNOWN_MODELS:
        assert any(mark in one.source for mark in ("section", "table")), one.source
        assert str(one.year) in one.source or one.year in (2021, 2024, 2025), one.source
        assert 1e7 < one.n_parameters < 1e12
        assert 1e11 < one.n_tokens < 1e14
        assert one.flops == 6 * one.n_parameters * one.n_tokens
    chinchilla = next(one for one in KNOWN_MODELS if one.name == "Chinchilla")
    assert chinchilla.ratio == TOKENS_PER_PARAMETER
    assert known_model("") is None
    smol = known_model("HuggingFaceTB/SmolLM2-135M-Instruct")
    assert smol is not None
    assert smol.name == "SmolLM2 135M"
