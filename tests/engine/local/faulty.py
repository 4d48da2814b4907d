"""Engines in which one place is made to fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import pytest
import torch

from playground.core.penalties import Penalties
from playground.core.sampling import GREEDY, Sampling
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.inside import AblationsRequest, LensRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.vectors import TracesRequest
from playground.engine.decoding.row import DecodeRow
from playground.engine.local.engine import LocalEngine
from playground.engine.scheduling.jobs import Job
from playground.errors import (
    NotComputed,
    OutOfMemory,
)
from tests import tiny


class Panic(BaseException):
    """As a Rust library raises it, and as what ends a thread is raised: no `Exception`."""


ERRORS: tuple[BaseException, ...] = (
    RuntimeError("it broke"),
    Panic("panicked"),
    torch.OutOfMemoryError("no room"),
    MemoryError(),
    StopIteration(),
    KeyError("absent"),
)


TOLD = (NotComputed, NotComputed, OutOfMemory, OutOfMemory, NotComputed, NotComputed)


TEXTS = (
    "the cat sat",
    "0 1 2 3 4 5 6 7",
    "서울은",
    "def add(a, b):",
    "a",
    "The capital of England is",
    "the",
)


TIMEOUT_S = 15.0  # nobody may wait so long


@dataclass
class Bench:
    """An engine that holds its first tick until all requests of a test wait, and the request it works on."""

    engine: LocalEngine
    model: str
    gate: threading.Event
    touched: list[DecodeRow]
    adapter: str = ""

    def generations(self) -> list[GenerateRequest]:
        """Seven that nothing happens to: greedy and drawn, of two models that share a batch on a Llama."""
        settings: tuple[dict[str, Any], ...] = (
            {"sampling": GREEDY}, {"sampling": Sampling(top_p=0.9)},
            {"penalties": Penalties(frequency_penalty=0.5)},
        )  # fmt: skip
        return [
            GenerateRequest(
                self.adapter if number in (2, 5) else self.model, text, seed=number, owner=f"other {number}",
                max_new_tokens=6 + number, timeout_s=TIMEOUT_S, **settings[number % 3],
            )
            for number, text in enumerate(TEXTS)
        ]  # fmt: skip

    def cursed(self) -> list[GenerateRequest]:
        """Six more, whose seeds tell which error is theirs."""
        one = GenerateRequest(self.model, "the dog", max_new_tokens=8, timeout_s=TIMEOUT_S)
        return [replace(one, seed=1000 + number, owner=f"cursed {number}") for number in range(len(ERRORS))]

    def all_at_once(self, ask: Callable[[Any], object], requests: Sequence[object]) -> list[object]:
        """What each gets, or the error: all of them wait before the engine thread goes on."""

        def answer(request: object) -> object:
            try:
                return ask(request)
            except Exception as error:  # noqa: BLE001  (looked at by the test)
                return error

        started = time.monotonic()
        self.gate.clear()
        with ThreadPoolExecutor(len(requests)) as pool:
            answers = [pool.submit(answer, request) for request in requests]
            while self.engine.stats().n_waiting < len(requests) and time.monotonic() < started + 2:
                time.sleep(0.005)
            self.gate.set()
            found = [one.result() for one in answers]
        assert time.monotonic() - started < TIMEOUT_S
        return found

    def written(self, request: GenerateRequest) -> list[int]:
        """The tokens of a generation."""
        return [
            step.token_id for step in self.engine.generate(replace(request, request_id=f"{time.monotonic()}"))
        ]


def job_curse(job: Job) -> BaseException | None:
    """By the owner, for jobs of every kind."""
    owners = [ticket.owner for ticket in job.tickets if ticket.owner.startswith("cursed")]
    return ERRORS[int(owners[0].split()[1])] if owners else None


# (where, name, whose error it is: given the bench and what the place is called with)
Place = tuple[object, str, Callable[..., BaseException | None]]


def named(place: Place) -> str:
    return f"{getattr(place[0], '__name__', place[0]).rsplit('.', 1)[-1]}.{place[1]}"


@contextmanager
def failing(place: Place, error_of: Callable[..., BaseException | None]) -> Iterator[None]:
    """Let a place raise what is said of its arguments."""
    where, name, _whose = place
    real = getattr(where, name)

    def fails(*args: Any, **more: Any) -> object:
        error = error_of(*args, **more) if threading.current_thread().name == "engine" else None
        if error is not None:
            raise error
        return real(*args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where, name, fails)
        yield


def is_empty(engine: LocalEngine) -> bool:
    """Nothing is left of what was asked."""
    until = time.monotonic() + 5
    while engine._thread._rows and time.monotonic() < until:
        time.sleep(0.005)
    scheduler = engine._scheduler
    return not (scheduler._running or scheduler._waiting or scheduler._open or engine._thread._rows)


Forward = tuple[str, Any]  # the engine's method, its request


FORWARDS: tuple[Forward, ...] = (
    ("trace", TraceRequest(tiny.LLAMA, "the cat sat", Capture(logits="last", attentions="uint8"))),
    ("trace", TraceRequest(tiny.LLAMA, "the dog sat", Capture(logits="last", attentions="uint8"))),
    ("inside.lens", LensRequest(tiny.LLAMA, "the cat sat on", n_top=3)),
    ("inside.ablations", AblationsRequest(tiny.LLAMA, "the mat")),
    ("beams", BeamsRequest(tiny.LLAMA, "the capital", n_beams=2, max_new_tokens=4)),
    ("vectors.traces", TracesRequest(tiny.LLAMA, ("the cat", "0 1 2", "a"), (1,))),
    ("score", ScoreRequest(tiny.LLAMA, ("the cat",), ((" sat", " on"),))),
)


def numbers(bench: Bench, asked: Forward) -> list[Any]:
    """What a forward of any kind gives, as plain numbers."""
    name, request = asked
    found = attrgetter(name)(bench.engine)(replace(request, model=bench.model, timeout_s=TIMEOUT_S))
    if name == "trace":
        return [found.logits, found.attentions]
    if name == "inside.lens":
        return [found.top_ids, found.top_probs]
    made = list(found)
    if name == "inside.ablations":
        return [one.logits for one in made]
    if name == "beams":
        return [[(c.token_id, c.logprob) for c in step.candidates] for step in made]
    if name == "vectors.traces":
        return [trace.hidden_states for _place, trace in sorted(made, key=lambda one: one[0])]
    return [scores.logprobs for _place, scores in made]
