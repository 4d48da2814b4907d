"""Runs that hack a reward, as our own script measured them: without a leash and on one, rollout by rollout.

The reward counts something that good answers have a little of; with nothing to hold it, a policy gives that
and nothing else. Both runs of a seed begin with the same answers and differ in the leash alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from playground.core.rewards import TextReward
from playground.paths import site_root

FOLDER, FILE = "alignment", "runs.json"


@dataclass(frozen=True, slots=True)
class MeasuredAnswer:
    """An answer of a rollout.

    Attributes:
        prompt: Place of its prompt.
        text: The answer.
        reward: Its reward, without the leash.
        kl: KL divergence of the policy from the reference along it, nats.
    """

    prompt: int
    text: str
    reward: float
    kl: float


@dataclass(frozen=True, slots=True)
class MeasuredRollout:
    """The answers of a policy after so many steps; named as in the engine's observations.

    Attributes:
        step: Steps done; 0 is the model as it was.
        reward: Mean reward of the answers, without the leash.
        kl: Mean KL divergence from the reference along them, exact, nats an answer.
        k1: The same estimated by the drawn tokens alone.
        clipped: Share of the tokens that were clipped in the last update before; None before the first one.
        entropy: Mean entropy of the next token, nats.
        spread: Standard deviation of the rewards of the answers to one prompt.
        answers: All answers.
    """

    step: int
    reward: float
    kl: float
    k1: float
    clipped: float | None
    entropy: float
    spread: float
    answers: tuple[MeasuredAnswer, ...]


@dataclass(frozen=True, slots=True)
class HackingRun:
    """One run.

    Attributes:
        kl_beta: Reward that a nat of distance costs; 0 is without a leash.
        seed: Its seed.
        seconds: Seconds of one processor, from its first rollout to its last.
        rollouts: From step 0 on.
    """

    kl_beta: float
    seed: int
    seconds: float
    rollouts: tuple[MeasuredRollout, ...]

    @property
    def n_steps(self) -> int:
        """Steps done."""
        return self.rollouts[-1].step

    def first_above(self, reward: float) -> MeasuredRollout | None:
        """The first rollout whose mean reward is above this, None if there is none."""
        return next((one for one in self.rollouts if one.reward > reward), None)


@dataclass(frozen=True, slots=True)
class HackingTable:
    """All measured runs, and what they have in common.

    Attributes:
        model, revision: The model that was trained.
        reward: The reward.
        prompts: Its prompts, each in every rollout.
        n_answers, max_new_tokens, n_updates, epsilon, learning_rate: Of every run, as in the engine.
        runs: The runs.
    """

    model: str
    revision: str
    reward: TextReward
    prompts: tuple[str, ...]
    n_answers: int
    max_new_tokens: int
    n_updates: int
    epsilon: float
    learning_rate: float
    runs: tuple[HackingRun, ...]

    def run(self, kl_beta: float, seed: int) -> HackingRun | None:
        """The run with this leash and seed, None if it was not measured."""
        return next((one for one in self.runs if (one.kl_beta, one.seed) == (kl_beta, seed)), None)

    @property
    def kl_betas(self) -> tuple[float, ...]:
        """Leashes that were measured, the loosest first."""
        return tuple(sorted({one.kl_beta for one in self.runs}))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds that were measured."""
        return tuple(sorted({one.seed for one in self.runs}))


def written(table: HackingTable) -> str:
    """A table as the text of a JSON file, a run a line."""
    head = asdict(table)
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in head.pop("runs"))
    return f'{{"about": {json.dumps(head)},\n"runs": [\n{rows}\n]}}\n'


def read(text: str) -> HackingTable:
    """The table of such a file."""
    found = json.loads(text)
    about = found["about"]
    about["reward"], about["prompts"] = TextReward(**about["reward"]), tuple(about["prompts"])
    return HackingTable(**about, runs=tuple(map(_run, found["runs"])))


@lru_cache
def shipped() -> HackingTable:
    """The table that our own script measured (`playground.trained.alignment`)."""
    return read((site_root() / "assets" / "trained" / FOLDER / FILE).read_text("utf-8"))


def _run(row: dict[str, Any]) -> HackingRun:
    return HackingRun(row["kl_beta"], row["seed"], row["seconds"], _rollouts(row["rollouts"]))


def _rollouts(rows: Sequence[dict[str, Any]]) -> tuple[MeasuredRollout, ...]:
    return tuple(
        MeasuredRollout(**{**row, "answers": tuple(MeasuredAnswer(**one) for one in row["answers"])})
        for row in rows
    )
