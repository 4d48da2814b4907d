"""Task heads: the door to the part of the engine that knows them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from playground.engine.contract.task_heads import Prediction, PredictRequest, Span, TaskHeadInfo, TaskHeads
from playground.errors import PlaygroundError
from playground.ui.compute import engine
from playground.ui.state import PageContext
from playground.ui.waiting import WaitingLine, stop_with


def task_heads() -> TaskHeads:
    """The part of the engine that knows task heads."""
    return engine().task_heads


def predictions(
    context: PageContext,
    head: TaskHeadInfo,
    texts: Sequence[tuple[str, ...]],
    words: Sequence[tuple[Span, ...]] = (),
) -> Generator[tuple[int, Prediction]]:
    """(place in `texts`, the head's answer), as they are known; a text it cannot read ends the run.

    Args:
        context: From `frame.page`.
        head: The head.
        texts: One text each, or two; none, and nobody is asked.
        words: Words of each, for a head that labels words.
    """
    if not texts:
        return
    request = PredictRequest(head.head_id, owner=context.owner, texts=tuple(texts), words=tuple(words))
    shown = replace(request, model=head.settings.model)  # the line names the encoder that is waited for
    with WaitingLine(engine(), shown) as line:
        for place, answer in task_heads().predict(request, line):
            if isinstance(answer, PlaygroundError):
                stop_with(answer)
            line.clear()
            yield place, answer
