"""Tiny language models trained by our own script: what each was given, and its held-out loss on the way.

Three series through them, each with a law of its own:

parameters   all of the text, the same number of tokens read, models of different size
data         one size, different amounts of different text, the best held-out loss on the way
compute      every measurement of the runs on all of the text: 6 N D against loss, the best ones fitted
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Literal

from playground.core.metrics.perplexity import Cost
from playground.core.scaling import frontier
from playground.core.scaling_laws import Law, fit_law, flops
from playground.paths import site_root

Axis = Literal["parameters", "data", "compute"]
AXES: tuple[Axis, ...] = ("parameters", "data", "compute")
FOLDER, FILE, MODELS_FILE = "scaling", "runs.json", "models.json"
WHOLE = 0.999  # share of the text from which on it counts as all of it
SETTLED = 0.1  # share of a run's steps before which its loss is that of a beginner, and no law holds


@dataclass(frozen=True, slots=True)
class Measured:
    """Held-out loss of a model on its way.

    Attributes:
        step: Training steps done.
        n_tokens: Tokens that it has read in training, repeats counted.
        bits_per_byte: Held-out loss.
        seconds: Since its training began, evaluations included.
    """

    step: int
    n_tokens: int
    bits_per_byte: float
    seconds: float


@dataclass(frozen=True, slots=True)
class TinyRun:
    """One tiny model trained from zero.

    Attributes:
        name: Name of the run, unique.
        d_model, n_layers, n_heads: Its shape.
        n_parameters: All parameters, embeddings included.
        share: Share of the training text that it was given.
        n_bytes: Bytes of that part: its amount of different text.
        batch_size, context: Texts per step, and tokens of each.
        learning_rate: The same in every step.
        seed: Seed of its first values and of the order of its texts.
        measured: Its held-out loss, from step 0 on.
        is_own: True for a run of the reader.
    """

    name: str
    d_model: int
    n_layers: int
    n_heads: int
    n_parameters: int
    share: float
    n_bytes: int
    batch_size: int
    context: int
    learning_rate: float
    seed: int
    measured: tuple[Measured, ...]
    is_own: bool = False

    @property
    def last(self) -> Measured:
        """The measurement after the last step."""
        return self.measured[-1]

    @property
    def best(self) -> Measured:
        """The measurement with the least held-out loss."""
        return min(self.measured, key=lambda one: one.bits_per_byte)

    @property
    def is_on_all(self) -> bool:
        """True if it was given all of the text."""
        return self.share >= WHOLE

    @property
    def settled(self) -> tuple[Measured, ...]:
        """Its measurements after the first steps."""
        return tuple(one for one in self.measured if one.step >= max(1, SETTLED * self.last.step))


@dataclass(frozen=True, slots=True)
class Point:
    """A measured run on one of the axes.

    Attributes:
        x: Parameters, bytes of different text, or operations.
        measured: The measurement that counts on this axis.
        run: The run.
        is_fitted: True if the law of the axis goes through it.
    """

    x: float
    measured: Measured
    run: TinyRun
    is_fitted: bool

    @property
    def loss(self) -> float:
        """Held-out bits per byte."""
        return self.measured.bits_per_byte


def points(runs: Sequence[TinyRun], axis: Axis) -> list[Point]:
    """The points of an axis, from little to much.

    A run counts for the law of an axis only where everything else is equal: as many tokens read as the
    shipped runs (parameters), the size that most amounts of text were tried with (data), all of the text and
    not beaten by a cheaper point (compute).
    """
    made = {"parameters": _by_parameters, "data": _by_data, "compute": _by_compute}[axis](runs)
    return sorted(made, key=lambda one: (one.x, one.loss))


def _by_parameters(runs: Sequence[TinyRun]) -> list[Point]:
    budget = usual_tokens(runs)
    return [
        Point(one.n_parameters, one.last, one, one.is_on_all and one.last.n_tokens == budget) for one in runs
    ]


def _by_data(runs: Sequence[TinyRun]) -> list[Point]:
    size, budget = data_size(runs), usual_tokens(runs)
    chosen = [one for one in runs if one.n_parameters == size]
    return [Point(one.n_bytes, one.best, one, one.last.n_tokens == budget) for one in chosen]


def _by_compute(runs: Sequence[TinyRun]) -> list[Point]:
    every = [(one, run) for run in runs if run.is_on_all for one in run.settled]
    costs = [flops(run.n_parameters, one.n_tokens) for one, run in every]
    kept = set(frontier(costs, [one.bits_per_byte for one, _run in every]))
    return [Point(costs[at], one, run, at in kept) for at, (one, run) in enumerate(every)]


def usual_tokens(runs: Sequence[TinyRun]) -> int:
    """Tokens that most of the runs have read; the larger of equally common numbers."""
    budgets = [one.last.n_tokens for one in runs if not one.is_own]
    return max(sorted(set(budgets), reverse=True), key=budgets.count)


def data_size(runs: Sequence[TinyRun]) -> int:
    """Parameters of the size that was trained on most amounts of text."""
    amounts: dict[int, set[int]] = {}
    for one in runs:
        if not one.is_own:
            amounts.setdefault(one.n_parameters, set()).add(one.n_bytes)
    return max(amounts, key=lambda size: (len(amounts[size]), size))


def own_law(runs: Iterable[TinyRun]) -> Law:
    """The law in N and D through all measurements of the runs on all of the text."""
    every = [(one, run) for run in runs if run.is_on_all for one in run.settled]
    return fit_law(
        [run.n_parameters for _one, run in every],
        [one.n_tokens for one, _run in every],
        [one.bits_per_byte for one, _run in every],
    )


# ---- the runs that are shipped


def written(runs: Iterable[TinyRun]) -> str:
    """Runs as the text of a JSON file, one on each line."""
    rows = []
    for run in runs:
        row = asdict(run)
        row.pop("is_own")
        row["measured"] = [
            [one.step, one.n_tokens, round(one.bits_per_byte, 5), round(one.seconds, 2)]
            for one in run.measured
        ]
        rows.append(json.dumps(row))
    return "[\n" + ",\n".join(rows) + "\n]\n"


def read(text: str) -> tuple[TinyRun, ...]:
    """The runs of such a file.

    Example:
        >>> one = TinyRun("a", 8, 1, 2, 99, 1.0, 500, 4, 16, 0.01, 0, (Measured(0, 0, 8.0, 0.1),))
        >>> read(written([one])) == (one,)
        True
    """
    return tuple(
        TinyRun(**row | {"measured": tuple(Measured(*one) for one in row["measured"])})
        for row in json.loads(text)
    )


@lru_cache
def shipped() -> tuple[TinyRun, ...]:
    """The runs that our own script trained (`playground.trained.scaling`)."""
    return read((site_root() / "assets" / "trained" / FOLDER / FILE).read_text("utf-8"))


@lru_cache
def held_out_costs() -> dict[tuple[str, str], Cost]:
    """Cost of the held-out text under models that were not trained here: (model, revision) -> cost."""
    text = (site_root() / "assets" / "trained" / FOLDER / MODELS_FILE).read_text("utf-8")
    return {(row.pop("model"), row.pop("revision")): Cost(**row) for row in json.loads(text)}
