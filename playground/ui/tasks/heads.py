"""The task heads that come with the playground: which there are, and where their numbers come from."""

from __future__ import annotations

from collections.abc import Collection

from playground.engine.contract.models import ModelInfo
from playground.engine.contract.task_heads import HeadTask, TaskHeadInfo
from playground.ui import compute, frame, show, warming
from playground.ui.task_heads import task_heads
from playground.ui.text import _


def shipped(task: HeadTask, labels: Collection[str]) -> TaskHeadInfo:
    """The head that comes with the playground for a job.

    Args:
        task: Sort of answer.
        labels: Labels that the head has, no more and no less.
    """
    return next(
        head
        for head in task_heads().shipped()
        if head.settings.task == task and {*head.settings.labels} == {*labels}
    )


def ready(head: TaskHeadInfo) -> bool:
    """True if the head's encoder is in memory; otherwise a line says what it is doing."""
    return warming.model_when_ready(frame.models()[head.settings.model]) is not None


def encoder(head: TaskHeadInfo) -> ModelInfo:
    """The encoder of a head."""
    return next(info for info in compute.models() if info.model_id == head.settings.model)


def read_from(head: TaskHeadInfo) -> dict[str, object]:
    """Values of the shown code: the encoder, and the penalty that the head was trained with."""
    return {
        "folder": show.model_folder(head.settings.model),
        "prefix": encoder(head).prefixes.text,
        "inverse_penalty": head.settings.inverse_penalty,
    }


def provenance(head: TaskHeadInfo, *more: str) -> None:
    """Draw the small line that says which encoder and which head gave a picture's numbers."""
    made = _("a head of our own, trained on the frozen encoder; weights: {n:,}").format(n=head.n_parameters)
    show.source(encoder(head), made, *more)
