"""Results an engine gives step by step, until the reader does something else: texts, searches, scores."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar
from uuid import uuid4

from playground.engine.contract.asked import Asked
from playground.engine.contract.beams import BeamsRequest, BeamStep
from playground.engine.contract.filling import Filled, FillRequest
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest, GenerateStep
from playground.engine.contract.scores import ScoreRequest, Scores
from playground.engine.contract.waiting import OnWait
from playground.ui import run_log
from playground.ui.compute import engine
from playground.ui.state import PageContext, click_waits
from playground.ui.waiting import Clicked, WaitingLine

Request = TypeVar("Request", bound=Asked)
Step = TypeVar("Step")


def generate(context: PageContext, settings: Mapping[str, Any]) -> Generator[GenerateStep]:
    """Continue the reader's text token by token, until the reader clicks.

    Args:
        context: From `frame.page`.
        settings: Fields of `GenerateRequest`; a newer generation of this session replaces this one.
    """
    request = GenerateRequest(
        context.model.model_id, context.text, owner=context.owner, topic="generate", **settings
    )
    return run_log.recorded(request, until_click(request, engine().generate))


def repeat(context: PageContext, run: run_log.Run) -> Generator[GenerateStep]:
    """Ask again what a run of the log was asked: same model, text, settings and seed."""
    request = replace(run.request, owner=context.owner, topic="generate", request_id=uuid4().hex)
    return run_log.recorded(request, until_click(request, engine().generate), repeats=run.number)


def generate_many(
    context: PageContext, settings: Sequence[Mapping[str, Any]], *, max_new_tokens: int
) -> Generator[tuple[int, GenerateStep]]:
    """Continue the reader's text once for each of these settings, until the reader clicks.

    Args:
        context: From `frame.page`.
        settings: Fields of `GenerateRequest`, of each continuation; `text` where it is another one.
        max_new_tokens: Most new tokens of each.
    """
    model = context.model.model_id
    requests = tuple(
        GenerateRequest(model, max_new_tokens=max_new_tokens, n_top=1, **{"text": context.text, **one})
        for one in settings
    )
    many = GenerateManyRequest(model, requests, owner=context.owner)
    return run_log.recorded_many(requests, until_click(many, engine().generate_many))


def beams(
    context: PageContext, *, n_beams: int, length_penalty: float, max_new_tokens: int
) -> Generator[BeamStep]:
    """Search for the most probable continuation, step by step, until the reader clicks.

    Args:
        context: From `frame.page`.
        n_beams, length_penalty, max_new_tokens: As in `BeamsRequest`.
    """
    request = BeamsRequest(
        context.model.model_id, context.text, n_beams=n_beams, length_penalty=length_penalty,
        max_new_tokens=max_new_tokens, owner=context.owner,
    )  # fmt: skip
    return until_click(request, engine().beams)


def scores(
    context: PageContext,
    texts: Sequence[str | tuple[int, ...]],
    candidates: Sequence[tuple[str, ...]],
    *,
    following: Sequence[str] = (),
    topic: str,
    ends_at_click: bool = True,
) -> Generator[tuple[int, Scores]]:
    """log p(candidate | text) of the candidates of each text, as they are known.

    Args:
        context: From `frame.page`.
        texts, candidates, following, topic: As in `ScoreRequest`.
        ends_at_click: True if a click in a fragment ends it; not while the page is drawn, where an error of
            ours is raised instead.
    """
    request = ScoreRequest(
        context.model.model_id, tuple(texts), tuple(candidates), tuple(following), owner=context.owner,
        topic=topic,
    )  # fmt: skip
    return until_click(request, engine().score, ends_at_click=ends_at_click)


def fill_each(context: PageContext, request: FillRequest) -> Generator[Filled]:
    """Every token of a text masked alone, some places at a time, until the reader clicks."""
    request = replace(request, topic="fill_each", owner=context.owner)
    return until_click(request, engine().fill_each)


def until_click(
    request: Request, ask: Callable[[Request, OnWait], Iterator[Step]], *, ends_at_click: bool = True
) -> Generator[Step]:
    """The engine's results, until the reader does something else; the waiting line is drawn here and now.

    Closing the iterator stops the model within one step.
    """
    line = WaitingLine(engine(), request, ends_at_click=ends_at_click, ends_run=ends_at_click)

    def steps() -> Generator[Step]:
        with suppress(Clicked), line:
            for step in ask(request, line):
                line.clear()
                yield step
                if ends_at_click and click_waits():
                    return

    return steps()
