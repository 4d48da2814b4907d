"""The code under the pictures of scaling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from playground.core.known_models import KNOWN_MODELS, TOKENS_PER_PARAMETER
from playground.core.scaling import Form
from playground.core.scaling_laws import Law
from playground.core.scaling_runs import Point
from playground.ui import show


def law(points: Sequence[Point], form: Form) -> str:
    """The law through the points that count, by scipy."""
    counted = [one for one in points if one.is_fitted]
    return show.code(
        "scaling", x=[one.x for one in counted], loss=[round(one.loss, 5) for one in counted], form=form
    )


def budget(chosen: Law, operations: float, sizes: tuple[float, float]) -> str:
    """The best split of a budget, by search."""
    return show.code("scaling_budget", law=asdict(chosen), budget=operations, sizes=sizes)


def known() -> str:
    """Tokens per parameter of known models."""
    models = {one.name: (one.n_parameters, one.n_tokens) for one in KNOWN_MODELS}
    return show.code("scaling_known", models=models, rule=TOKENS_PER_PARAMETER)
