"""From idea to product: the order in which a model is adapted, decided by what was measured.

prompt      as it is, with instructions and examples          cheapest, nothing is trained
retrieval   the right passage is put into the prompt          new facts
adapter     a few weights are trained on own rows             another manner, a form
alignment   answers that people prefer become more probable   what people like
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from playground.core.metrics.intervals import wilson_interval

Branch = Literal["prompt", "retrieval", "adapter", "alignment"]
BRANCHES: tuple[Branch, ...] = ("prompt", "retrieval", "adapter", "alignment")
Verdict = Literal["enough", "short", "unclear", "open"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A measured share that speaks for or against a branch.

    Attributes:
        share: 0 to 1.
        n: Items it was measured on.
        before: The same without what the branch adds, None where that was not measured.
        is_own: True if this session measured it; else a script of the playground took it down.
    """

    share: float
    n: int
    before: float | None = None
    is_own: bool = True

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share."""
        return wilson_interval(self.share * self.n, self.n)


@dataclass(frozen=True, slots=True)
class Decision:
    """The tree, walked.

    Attributes:
        verdicts: Branch -> enough, short of the goal, unclear (the goal lies within the interval), or open
            (nothing of this session says so).
        chosen: The first branch that is enough, if all before it were measured; None while there is none.
        missing: The first branch whose measurement is missing or too small, None where there is none before
            the chosen one.
    """

    verdicts: Mapping[Branch, Verdict]
    chosen: Branch | None
    missing: Branch | None


def verdict(evidence: Evidence | None, goal: float) -> Verdict:
    """The answer that a share gives to: is this enough?

    Args:
        evidence: The measurement, None for none; what the session did not measure decides nothing.
        goal: Share that is wanted.

    Example:
        >>> verdict(Evidence(0.9, 100), 0.8), verdict(Evidence(0.9, 10), 0.8), verdict(None, 0.8)
        ('enough', 'unclear', 'open')
    """
    if evidence is None or not evidence.is_own or not evidence.n:
        return "open"
    low, high = evidence.interval
    if low >= goal:
        return "enough"
    return "short" if high < goal else "unclear"


def decide(measured: Mapping[Branch, Evidence], goal: float) -> Decision:
    """Walk the branches in order, from the cheapest on.

    Args:
        measured: Branch -> its measurement; branches without one are open.
        goal: Share of right or liked answers that is wanted.

    Example:
        >>> decide({"prompt": Evidence(0.2, 200), "retrieval": Evidence(0.95, 200)}, 0.8).chosen
        'retrieval'
    """
    verdicts = {branch: verdict(measured.get(branch), goal) for branch in BRANCHES}
    for branch in BRANCHES:
        if verdicts[branch] == "enough":
            return Decision(verdicts, branch, None)
        if verdicts[branch] != "short":
            return Decision(verdicts, None, branch)
    return Decision(verdicts, None, None)


def items_needed(share: float, goal: float, most: int = 10_000) -> int | None:
    """The fewest items on which this share would lie clearly above or below a goal; None beyond `most`.

    Example:
        >>> items_needed(0.9, 0.8), items_needed(0.8, 0.8)
        (62, None)
    """
    low, high = 1, most + 1
    while low < high:
        n = (low + high) // 2
        if verdict(Evidence(share, n), goal) in ("enough", "short"):
            high = n
        else:
            low = n + 1
    return low if low <= most else None
