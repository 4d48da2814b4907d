"""A run of DPO as the page shows it: live, or as it comes with the playground."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from playground.core.policy.dpo import Dpo, dpo
from playground.core.preferences.judged import PairAccuracy, pair_accuracy
from playground.core.preferences.pair import PreferencePair
from playground.paths import site_root

FOLDER, FILE = "dpo", "run.json"
Curve = tuple[tuple[int, float], ...]
LN2 = math.log(2)


@dataclass(frozen=True, slots=True)
class Milestone:
    """Pairs under policy and reference after so many steps; log-probabilities of whole answers, nats.

    Attributes:
        step: Steps done; 0 is the reference itself.
        kl: KL divergence from the reference, mean over the tokens of the answers, nats per token.
        chosen, rejected: By the policy, a number a pair.
        ref_chosen, ref_rejected: By the reference.
    """

    step: int
    kl: float
    chosen: tuple[float, ...]
    rejected: tuple[float, ...]
    ref_chosen: tuple[float, ...]
    ref_rejected: tuple[float, ...]

    def dpo(self, beta: float) -> Dpo:
        """Losses, implicit rewards and margins of these pairs."""
        return dpo(self.chosen, self.rejected, self.ref_chosen, self.ref_rejected, beta)

    def accuracy(self, beta: float) -> PairAccuracy | None:
        """Share of the pairs that the implicit rewards put in the right order; None where one is NaN."""
        found = self.dpo(beta)
        if np.isnan(found.margins).any():
            return None
        return pair_accuracy(found.chosen_rewards, found.rejected_rewards)


@dataclass(frozen=True, slots=True)
class DpoSample:
    """The text that the policy wrote to a prompt after so many steps."""

    step: int
    prompt: int
    text: str


@dataclass(frozen=True, slots=True)
class DpoRun:
    """A run of DPO.

    Attributes:
        model, revision: Model that it starts from.
        settings: Settings of the run as the engine names them; `beta` and `n_steps` are among them.
        pairs, held_out_pairs: Pairs that were learned from, and those that were only measured.
        train, held_out: (step, loss), nats per pair.
        milestones: Of the held-out pairs.
        prompts: Prompts that were continued.
        samples: What was written to them.
        seconds: Seconds of the run.
    """

    model: str
    revision: str
    settings: dict[str, Any]
    pairs: tuple[PreferencePair, ...]
    held_out_pairs: tuple[PreferencePair, ...]
    train: Curve = ()
    held_out: Curve = ()
    milestones: tuple[Milestone, ...] = ()
    prompts: tuple[str, ...] = ()
    samples: tuple[DpoSample, ...] = field(default=())
    seconds: float = 0.0

    @property
    def beta(self) -> float:
        """Nats of implicit reward per nat of log-ratio."""
        return float(self.settings["beta"])

    @property
    def n_steps(self) -> int:
        """Steps that were asked for."""
        return int(self.settings["n_steps"])

    def written(self, prompt: int) -> tuple[str, str, int] | None:
        """First and last text to a prompt, and the step of the last; None while there is one at most."""
        mine = [one for one in self.samples if one.prompt == prompt]
        if len({one.step for one in mine}) < 2:
            return None
        return mine[0].text, mine[-1].text, mine[-1].step


@dataclass(frozen=True, slots=True)
class Moved:
    """Both answers at the end of a run, means over the pairs.

    Attributes:
        chosen, rejected: Log-ratio to the reference, nats per answer.
        both_fell: True if both are below 0 although the margin grew: the loss knows only the difference.
        n_both_fell, n: Pairs of which that is so, and all.
    """

    chosen: float
    rejected: float
    both_fell: bool
    n_both_fell: int
    n: int

    @property
    def margin(self) -> float:
        """Difference of the two, nats."""
        return self.chosen - self.rejected


def moved(last: Milestone, beta: float) -> Moved:
    """Both answers at a milestone.

    Example:
        >>> found = moved(Milestone(9, 0.1, (-10.0,), (-14.0,), (-9.0,), (-8.0,)), beta=0.1)
        >>> found.chosen, found.rejected, found.both_fell, found.n_both_fell
        (-1.0, -6.0, True, 1)
    """
    found = last.dpo(beta)
    chosen = float(np.mean(np.subtract(last.chosen, last.ref_chosen)))
    rejected = float(np.mean(np.subtract(last.rejected, last.ref_rejected)))
    fell = chosen < 0 and rejected < 0 and chosen > rejected
    return Moved(chosen, rejected, fell, int(found.both_fell.sum()), len(found.margins))


def written(run: DpoRun) -> str:
    """A run as the text of a JSON file."""
    return json.dumps(asdict(run), ensure_ascii=False, indent=1) + "\n"


def read(text: str) -> DpoRun:
    """The run of such a file."""
    raw = json.loads(text)
    for name in ("pairs", "held_out_pairs"):
        raw[name] = tuple(PreferencePair(**one) for one in raw[name])
    for name in ("train", "held_out"):
        raw[name] = _curve(raw[name])
    raw["milestones"] = tuple(map(_milestone, raw["milestones"]))
    raw["prompts"] = tuple(raw["prompts"])
    raw["samples"] = tuple(DpoSample(**one) for one in raw["samples"])
    return DpoRun(**raw)


@lru_cache
def shipped() -> DpoRun:
    """The run that comes with the playground, on its English pairs (`playground.trained.dpo`)."""
    return read((site_root() / "assets" / "trained" / FOLDER / FILE).read_text("utf-8"))


def _milestone(row: Mapping[str, Any]) -> Milestone:
    names = ("chosen", "rejected", "ref_chosen", "ref_rejected")
    chosen, rejected, ref_chosen, ref_rejected = (tuple(row[name]) for name in names)
    return Milestone(row["step"], row["kl"], chosen, rejected, ref_chosen, ref_rejected)


def _curve(points: Sequence[Sequence[float]]) -> Curve:
    return tuple((int(step), float(loss)) for step, loss in points)
