"""One session's part in a run: equal requests are computed once, and each session has it as its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from playground.engine.contract.training import Sample, TrainingRequest, TrainingState, TrainingStatus
from playground.errors import Message


class Question:
    """All that the result of a request depends on: neither its session, nor its id, nor its name.

    Args:
        request: The request.
    """

    def __init__(self, request: TrainingRequest) -> None:
        nameless = replace(request.settings, name="")
        self._asked = replace(request, settings=nameless, owner="", request_id="")
        self._hash = hash(self._asked)  # of thousands of examples: once

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Question) and self._hash == other._hash and self._asked == other._asked


@dataclass(eq=False)
class Held:
    """A session's part in a run; written by `RunTable` only.

    Attributes:
        request: The session's own request.
        number: Number of the run in its session.
        is_known: True if the run had been computed before it was asked for.
        wish: on, or what the session has done to its part: it rests, or is stopped.
        apart: What it sees while the run goes on without it; None while it goes along.
        is_served: True once a stopped part has what had been learned by then.
        adapter, adapter_step: Id under which this session can use what was learned, "" before, and its steps.
        error: What could not be done for this session.
    """

    request: TrainingRequest
    number: int
    is_known: bool = False
    wish: Literal["on", "paused", "cancelled"] = "on"
    apart: TrainingState | None = None
    is_served: bool = False
    adapter: str = ""
    adapter_step: int = 0
    error: Message | None = None

    @property
    def owner(self) -> str:
        """The session."""
        return self.request.owner

    def part(self, state: TrainingState, status: TrainingStatus) -> None:
        """See the run no longer: it goes on for others."""
        self.apart = replace(state, status=status, samples=_cut(state.samples))

    def seen(self, state: TrainingState, others: Sequence[Held]) -> TrainingState:
        """State of a run as this session sees it.

        Args:
            state: State of the computation.
            others: Further parts of those who go along.
        """
        return replace(
            self.apart or state,
            run_id=self.request.request_id,
            settings=self.request.settings,
            number=self.number,
            n_sharing=sum(not one.is_known for one in others),
            is_known=self.is_known,
            adapter=self.adapter,
            adapter_step=self.adapter_step,
            error=self.error or (self.apart or state).error,
        )


def _cut(samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """Samples of who does not wait for their end."""
    return tuple(replace(one, status="cut") if one.status == "open" else one for one in samples)
