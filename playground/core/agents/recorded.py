"""Recorded runs: five strategies on twelve problems, and failures, as a script of ours writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from playground.core.agents.problems import Problem, problems
from playground.core.agents.record import Cost, Limits, Run, Setup, Strategy, Turn, repeats, total
from playground.core.agents.tools import Action
from playground.paths import site_root

FOLDER, FILE = "agents", "runs.json"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run of a model, recorded.

    Attributes:
        label: "problem" for the measurement, otherwise the kind of failure that it shows.
        problem_id: The problem it was about, "" for none.
        model_id, revision: The model.
        run: The run, word for word.
    """

    label: str
    problem_id: str
    model_id: str
    revision: str
    run: Run

    @property
    def is_right(self) -> bool:
        """True if its answer is right."""
        problem = problem_of(self.problem_id, self.run.setup.language)
        return problem is not None and problem.is_right(self.run.answer)


@dataclass(frozen=True, slots=True)
class Measured:
    """One strategy on all problems.

    Attributes:
        strategy, constrained, language: Which.
        n: Problems.
        n_right: Those with a right answer.
        n_ended: Those that ended with an answer at all.
        n_trouble: Actions that could not be read or carried out.
        n_actions: Turns that asked for an action.
        turns: Mean number of turns.
        tokens: Mean number of tokens read and written.
        tokens_again: Mean number of those read again.
    """

    strategy: Strategy
    constrained: bool
    language: str
    n: int
    n_right: int
    n_ended: int
    n_trouble: int
    n_actions: int
    turns: float
    tokens: float
    tokens_again: float


def problem_of(problem_id: str, language: str) -> Problem | None:
    """The problem with this name."""
    return next((one for one in problems(language) if one.problem_id == problem_id), None)


def measured(runs: Sequence[Recorded]) -> Measured:
    """The figures of the runs of one strategy.

    Args:
        runs: At least one; all of one strategy, language and decoding.
    """
    first, n = runs[0].run.setup, len(runs)
    costs = [total(one.run.turns) for one in runs]
    acting = [turn for one in runs for turn in one.run.turns if turn.part in ("act", "react", "step")]
    return Measured(
        first.strategy, first.constrained, first.language, n,
        n_right=sum(one.is_right for one in runs),
        n_ended=sum(one.run.ending == "finished" for one in runs),
        n_trouble=sum(bool(turn.trouble) for turn in acting),
        n_actions=len(acting),
        turns=sum(len(one.run.turns) for one in runs) / n,
        tokens=sum(cost.n_prompt + cost.n_written for cost in costs) / n,
        tokens_again=sum(cost.n_again for cost in costs) / n,
    )  # fmt: skip


def table(runs: Iterable[Recorded], language: str) -> tuple[Measured, ...]:
    """The figures of every strategy, without and with a constraint, of the runs that measure."""
    groups: dict[tuple[str, bool], list[Recorded]] = {}
    for one in runs:
        setup = one.run.setup
        if one.label == "problem" and setup.language == language:
            groups.setdefault((setup.strategy, setup.constrained), []).append(one)
    return tuple(measured(group) for group in groups.values())


def has_loop(run: Run) -> bool:
    """True if a run repeats an action that it has taken before."""
    return repeats(run.turns) > 0


# ---------------------------------------------------------------- the file


def written(runs: Iterable[Recorded]) -> str:
    """Runs as the text of a JSON file, a run a line."""
    return "[\n" + ",\n".join(json.dumps(_row(one), ensure_ascii=False) for one in runs) + "\n]\n"


def _row(one: Recorded) -> dict[str, Any]:
    setup = asdict(one.run.setup)
    turns = []
    for turn in one.run.turns:
        row = {key: value for key, value in asdict(turn).items() if value and key != "cost"}
        cost = turn.cost
        row["cost"] = [cost.n_prompt, cost.n_again, cost.n_written, round(cost.seconds, 2)]
        if turn.action is not None:
            row["action"] = [turn.action.tool, turn.action.input]
        turns.append(row)
    return {
        "label": one.label, "problem": one.problem_id, "model": one.model_id, "revision": one.revision,
        "setup": setup, "turns": turns, "ending": one.run.ending, "answer": one.run.answer,
    }  # fmt: skip


def read(text: str) -> tuple[Recorded, ...]:
    """Runs out of the text that `written` gives."""
    return tuple(map(_recorded, json.loads(text)))


def _recorded(row: Mapping[str, Any]) -> Recorded:
    setup = dict(row["setup"])
    setup["allowed"] = tuple(setup["allowed"])
    setup["limits"] = Limits(**setup["limits"])
    turns = []
    for one in row["turns"]:
        fields = dict(one)
        fields["cost"] = Cost(*fields["cost"])
        if "action" in fields:
            fields["action"] = Action(*fields["action"])
        turns.append(Turn(**{"lead": "", "written": "", **fields}))
    run = Run(Setup(**setup), tuple(turns), row["ending"], row["answer"])
    return Recorded(row["label"], row["problem"], row["model"], row["revision"], run)


@cache
def shipped() -> tuple[Recorded, ...]:
    """The runs that come with the playground."""
    path = site_root() / "assets" / "trained" / FOLDER / FILE
    return read(path.read_text("utf-8"))
