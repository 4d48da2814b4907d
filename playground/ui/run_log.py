"""The session's own log of every text that a model wrote for it: bounded, in its state, gone with it.

Pages that ask by `stepwise.generate` and `stepwise.generate_many` are in it by themselves; what asks another
way calls `recorded`.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Literal

import streamlit as st

from playground.engine.contract.generation import GenerateRequest, GenerateStep
from playground.ui.state import outlives_reload

MOST_RUNS, MOST_BYTES = 500, 2 * 2**20
_BYTES_A_RUN, _BYTES_AN_ID = 400, 8
_KEY = "run_log"
Thumb = Literal["", "up", "down"]
outlives_reload(_KEY)


@dataclass(frozen=True, slots=True)
class Run:
    """A text that a model wrote for this session.

    Attributes:
        number: Its number in the session, from 1 on; kept when earlier ones are forgotten.
        page: Name of the page that asked.
        request: The request, with every setting of the draw: asked again, it is repeated.
        text: The text as far as it came.
        n_tokens: Tokens that were written.
        logprob: Log-probability of them all in nats, under the model itself.
        n_near: Draws so near to another token that beside other texts they may fall there.
        finish: Why it ended, "" where the reader ended it.
        begun_at: Seconds since the epoch.
        first_s, elapsed_s: Seconds until its first token, and until its last, waiting included.
        repeats: Number of the run that it repeats, 0 for none.
    """

    number: int
    page: str
    request: GenerateRequest
    text: str
    n_tokens: int
    logprob: float
    n_near: int
    finish: str
    begun_at: float
    first_s: float
    elapsed_s: float
    repeats: int = 0

    @property
    def bits(self) -> float:
        """Bits of surprisal per token, under the model itself."""
        return abs(self.logprob) / math.log(2) / self.n_tokens

    @property
    def n_bytes(self) -> int:
        """About as much memory as it takes."""
        asked = self.request
        form = "" if asked.constraint is None else asked.constraint.source
        texts = (asked.text, self.text, form, *asked.stop)
        ids = len(asked.input_ids or ()) + len(asked.written)
        return _BYTES_A_RUN + sum(len(text.encode("utf-8", "replace")) for text in texts) + _BYTES_AN_ID * ids


@dataclass(slots=True)
class RunLog:
    """The runs of one session, the oldest forgotten first.

    Attributes:
        n_seen: Runs there have been.
        n_bytes: Memory of those that are kept.
        thumbs: Number of a run -> the reader's opinion.
    """

    n_seen: int = 0
    n_bytes: int = 0
    thumbs: dict[int, Thumb] = field(default_factory=dict)
    _runs: deque[Run] = field(default_factory=deque)

    @property
    def runs(self) -> tuple[Run, ...]:
        """Those that are kept, oldest first."""
        return tuple(self._runs)

    @property
    def n_forgotten(self) -> int:
        """Runs that were let go."""
        return self.n_seen - len(self._runs)

    def add(self, run: Run) -> None:
        """Append a run; what no longer fits is forgotten."""
        self._runs.append(run)
        self.n_bytes += run.n_bytes
        while len(self._runs) > MOST_RUNS or (self.n_bytes > MOST_BYTES and len(self._runs) > 1):
            old = self._runs.popleft()
            self.n_bytes -= old.n_bytes
            self.thumbs.pop(old.number, None)

    def of(self, number: int) -> Run | None:
        """The run of a number, None if it is forgotten."""
        return next((run for run in self._runs if run.number == number), None)

    def rate(self, number: int, thumb: Thumb) -> None:
        """Take the reader's opinion of a run; "" takes it back."""
        if self.of(number) is None:
            return
        if thumb:
            self.thumbs[number] = thumb
        else:
            self.thumbs.pop(number, None)

    def clear(self) -> None:
        """Forget all runs."""
        self._runs.clear()
        self.thumbs.clear()
        self.n_bytes = 0


@dataclass(slots=True)
class _Writing:
    """A run that is being written."""

    log: RunLog
    page: str
    request: GenerateRequest
    repeats: int
    begun_at: float = field(default_factory=time.time)
    _clock: float = field(default_factory=time.monotonic)
    _first_s: float = 0.0
    _last_s: float = 0.0
    _texts: list[str] = field(default_factory=list)
    _logprob: float = 0.0
    _n_near: int = 0
    finish: str = ""

    def add(self, step: GenerateStep) -> None:
        self._last_s = time.monotonic() - self._clock
        if not self._texts:
            self._first_s = self._last_s
        self._texts.append(step.text)
        self._logprob += step.logprob
        self._n_near += step.near_tie
        self.finish = step.finish_reason or ""

    def end(self) -> None:
        """Put it into the log, once; a run without a token is none."""
        if not self._texts:
            return
        self.log.n_seen += 1
        self.log.add(
            Run(
                self.log.n_seen, self.page, self.request, "".join(self._texts), len(self._texts),
                self._logprob, self._n_near, self.finish, self.begun_at, self._first_s, self._last_s,
                self.repeats,
            )
        )  # fmt: skip
        self._texts = []


def log() -> RunLog:
    """This session's log."""
    found: RunLog = st.session_state.setdefault(_KEY, RunLog())
    return found


def recorded(
    request: GenerateRequest, steps: Generator[GenerateStep], *, repeats: int = 0
) -> Generator[GenerateStep]:
    """The same steps; at their end, be it early, the run stands in the log.

    Args:
        request: The request that they answer.
        steps: Closed with this generator.
        repeats: Number of the run that it repeats, 0 for none.
    """
    many = recorded_many((request,), _numbered(steps), repeats=repeats)

    def unnumbered() -> Generator[GenerateStep]:
        with closing(many):
            for _place, step in many:
                yield step

    return unnumbered()


def _numbered(steps: Generator[GenerateStep]) -> Generator[tuple[int, GenerateStep]]:
    with closing(steps):
        for step in steps:
            yield 0, step


def recorded_many(
    requests: Sequence[GenerateRequest],
    steps: Generator[tuple[int, GenerateStep]],
    *,
    repeats: int = 0,
) -> Generator[tuple[int, GenerateStep]]:
    """As `recorded`, of several runs that share a batch.

    Args:
        requests: The requests.
        steps: (Place of a request, its next step), in any order.
        repeats: Number of the run that they repeat, 0 for none.
    """
    # The state is asked here, in the session's run: where the generator is closed it may be no more.
    own, page = log(), str(st.session_state.get("page", ""))
    writing = [_Writing(own, page, request, repeats) for request in requests]

    def passed_on() -> Generator[tuple[int, GenerateStep]]:
        try:
            for place, step in steps:
                writing[place].add(step)
                if step.finish_reason is not None:
                    writing[place].end()
                yield place, step
        finally:
            for run in writing:
                run.end()
            steps.close()

    return passed_on()
