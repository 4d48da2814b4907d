"""The three tasks of the page, checked against its runs and laws."""

from __future__ import annotations

import math
from collections.abc import Sequence

from playground.core.known_models import KNOWN_MODELS
from playground.core.scaling_laws import BESIROGLU
from playground.core.scaling_runs import TinyRun, points, shipped
from playground.ui.scaling.amounts import short
from playground.ui.scaling.own_runs import law_of
from playground.ui.try_this import Task

LESS = 0.9  # of the loss


def make() -> list[Task]:
    """The tasks; the reader's own runs do not move their answers."""
    sizes = {str(one.n_parameters): short(one.n_parameters) for one in _on_least(shipped())}
    return [
        Task("tenth", "number", _times_for_a_tenth, tolerance=1.0),
        Task("small", "choice", _best_on_least, dict(sorted(sizes.items(), key=lambda one: int(one[0])))),
        Task("split", "number", _tokens_per_parameter, tolerance=1.0),
    ]


def _times_for_a_tenth() -> float:
    """By how much parameters have to grow for a loss that is a tenth less, by the straight line."""
    law = law_of(points(shipped(), "parameters"), "line")
    return math.nan if law is None or law.b <= 0 else (1 / LESS) ** (1 / law.b)


def _on_least(runs: Sequence[TinyRun]) -> list[TinyRun]:
    """The runs on the part of the text that most sizes were trained on, all of it not counted."""
    parts = {one.n_bytes for one in runs if not one.is_on_all}
    return max(([one for one in runs if one.n_bytes == part] for part in parts), key=len, default=[])


def _best_on_least() -> str:
    """The size with the least held-out loss at the end of a run on that part."""
    found = _on_least(shipped())
    return str(min(found, key=lambda one: one.last.bits_per_byte).n_parameters)


def _tokens_per_parameter() -> float:
    """Tokens per parameter of the best split of GPT-3's budget, by the law that was fitted anew."""
    gpt_3 = next(one for one in KNOWN_MODELS if one.name == "GPT-3")
    n, d = BESIROGLU.best_split(gpt_3.flops)
    return d / n
