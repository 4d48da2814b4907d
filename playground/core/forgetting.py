"""Remedies against forgetting: by hand, and what runs with and without them were measured to learn and lose.

The measured runs learn the facts of an invented country; what they lose is read off ordinary prose.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from playground.core.lora import LowRank
from playground.paths import site_root

Array = NDArray[np.float64]
FOLDER, FILE = "forgetting", "runs.json"
N_GENERAL = 3  # paragraphs that measure what is forgotten
Curve = tuple[tuple[int, float], ...]


def n_old_rows(n_new: int, share: float) -> int:
    """Old rows beside so many new ones, for which old rows are about this share of all; at least one.

    Args:
        n_new: New rows of a batch.
        share: Share of the old rows, below 1.

    Example:
        >>> n_old_rows(4, 0.2), n_old_rows(4, 0.5), n_old_rows(4, 0.05)
        (1, 4, 1)
    """
    return max(1, round(n_new * share / (1 - share)))


def distance(changes: Iterable[LowRank]) -> float:
    """Frobenius norm of the change of all weights together."""
    return math.sqrt(sum(one.norm**2 for one in changes))


def penalty(strength: float, delta: ArrayLike, fisher: ArrayLike | None = None) -> float:
    """Penalty of a change of weights: strength / 2 times the sum of its squares, weighted or not.

    Args:
        strength: Factor.
        delta: Change of each weight. Shape [d_out, d_in].
        fisher: Fisher information of each weight (EWC), None for the plain distance (L2-SP). The same shape.

    Returns:
        Nats.

    Example:
        >>> penalty(2.0, [[1.0, 2.0]]), penalty(2.0, [[1.0, 2.0]], [[10.0, 0.0]])
        (5.0, 10.0)

    Source:
        Xuhong et al. 2018, arXiv:1802.01483, eq. 2. Kirkpatrick et al. 2017, arXiv:1612.00796, eq. 3.
    """
    squares: Array = np.square(np.asarray(delta, np.float64))
    weighted = squares if fisher is None else np.asarray(fisher, np.float64) * squares
    return strength / 2 * float(weighted.sum())


# ---- texts


@lru_cache
def everyday(language: str) -> tuple[str, ...]:
    """Old rows: ordinary sentences of a language, English for one that has none."""
    folder = site_root() / "assets" / "training"
    own = folder / language / "everyday.json"
    file = own if own.is_file() else folder / "en" / "everyday.json"
    return tuple(json.loads(file.read_text("utf-8"))["old"])


@lru_cache
def general(language: str) -> tuple[str, ...]:
    """Prose that measures what is forgotten: the beginning of a story that no run reads."""
    folder = site_root() / "assets" / "samples"
    own = folder / f"corpus_{language}.txt"
    file = own if own.is_file() else folder / "corpus_en.txt"
    return tuple(file.read_text("utf-8").splitlines()[:N_GENERAL])


# ---- measured runs


@dataclass(frozen=True, slots=True)
class ForgettingMethod:
    """A way to train: with a remedy, with a smaller rank, or plainly.

    Attributes:
        kind: plain, rehearsal, l2sp, ewc or rank.
        strength: Strength of the remedy, 0 without one.
        r: Rank.
    """

    kind: str
    strength: float = 0.0
    r: int = 8


@dataclass(frozen=True, slots=True)
class MeasuredForgetting:
    """One run: what it learned, and what it lost.

    Attributes:
        method, seed: How it was trained.
        held_out, general: (steps done, loss in nats a token), from step 0 on: of rows like those it learned
            from, of ordinary prose.
        distance: Norm of the change of all weights at the end.
        seconds: Seconds of processor time.
    """

    method: ForgettingMethod
    seed: int
    held_out: Curve
    general: Curve
    distance: float
    seconds: float

    @property
    def end(self) -> tuple[float, float]:
        """Loss at the end on held-out rows, and on general texts."""
        return self.held_out[-1][1], self.general[-1][1]

    @property
    def forgotten(self) -> float:
        """Rise of the loss on general texts, nats a token; below 0 it fell."""
        return self.general[-1][1] - self.general[0][1]


@dataclass(frozen=True, slots=True)
class ForgettingTable:
    """All measured runs, and what they have in common.

    Attributes:
        model, revision: The model that was trained.
        n_steps, learning_rate, batch_size: Of every run.
        n_tokens, n_bytes: Predicted tokens of the general texts, and bytes they spell.
        runs: The runs.
    """

    model: str
    revision: str
    n_steps: int
    learning_rate: float
    batch_size: int
    n_tokens: int
    n_bytes: int
    runs: tuple[MeasuredForgetting, ...]

    def bits_per_byte(self, loss: float) -> float:
        """A loss on the general texts in bits a byte.

        Args:
            loss: Nats a token.
        """
        return loss * self.n_tokens / math.log(2) / self.n_bytes


def best(runs: Sequence[MeasuredForgetting], kind: str) -> ForgettingMethod:
    """The method of a kind whose first-seed run ended with the least sum of both losses.

    Args:
        runs: Runs of all methods with the first seed, and maybe others.
        kind: The kind.
    """
    mine = [one for one in runs if one.method.kind == kind and one.seed == 0]
    return min(mine, key=lambda one: sum(one.end)).method


def written(table: ForgettingTable) -> str:
    """A table as the text of a JSON file, a run a line."""
    head = asdict(table)
    rows = ",\n".join(json.dumps(row) for row in head.pop("runs"))
    return f'{{"about": {json.dumps(head)},\n"runs": [\n{rows}\n]}}\n'


def read(text: str) -> ForgettingTable:
    """The table of such a file."""
    found = json.loads(text)
    return ForgettingTable(**found["about"], runs=tuple(map(_run, found["runs"])))


@lru_cache
def shipped() -> ForgettingTable:
    """The table that our own script measured (`playground.trained.forgetting`)."""
    return read((site_root() / "assets" / "trained" / FOLDER / FILE).read_text("utf-8"))


def _run(row: dict[str, Any]) -> MeasuredForgetting:
    held_out, general_ = (tuple((step, loss) for step, loss in row[name]) for name in ("held_out", "general"))
    return MeasuredForgetting(
        ForgettingMethod(**row["method"]), row["seed"], held_out, general_, row["distance"], row["seconds"]
    )


# ---- beside plain training


@dataclass(frozen=True, slots=True)
class BesidePlain:
    """The best method of a kind beside plain training, with each seed that both were trained with.

    Attributes:
        method: The method.
        kept: Loss on general texts that plain training lost and it did not, nats a token; of each seed.
        missed: Loss on held-out rows that it has more than plain training, nats a token; of each seed.
    """

    method: ForgettingMethod
    kept: tuple[float, ...]
    missed: tuple[float, ...]

    @property
    def verdict(self) -> str:
        """keeps or loses, where all seeds agree on more or less than plain training; else unclear."""
        if all(one > 0 for one in self.kept):
            return "keeps"
        return "loses" if all(one < 0 for one in self.kept) else "unclear"


def beside_plain(runs: Sequence[MeasuredForgetting], kind: str) -> BesidePlain:
    """The best method of a kind beside plain training.

    Args:
        runs: Runs of all methods with the first seed, of plain training and the best ones with others too.
        kind: The kind.
    """
    method = best(runs, kind)
    plain = {one.seed: one for one in runs if one.method.kind == "plain"}
    own = [one for one in runs if one.method == method and one.seed in plain]
    return BesidePlain(
        method,
        tuple(plain[one.seed].end[1] - one.end[1] for one in own),
        tuple(one.end[0] - plain[one.seed].end[0] for one in own),
    )
