"""Continuations of the prompts of a training run at its milestones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from playground.core.sampling import GREEDY, Sampling
from playground.engine.contract.generation import GenerateRequest, GenerateStep
from playground.engine.contract.training import TrainingRequest
from playground.engine.decoding.row import DecodeWork
from playground.engine.models.loaded import LoadedModel
from playground.engine.scheduling.jobs import DONE, Job
from playground.engine.scheduling.scheduler import Scheduler
from playground.engine.training.learner import Sampled
from playground.errors import BusyError

MAX_SAMPLE_TOKENS = 24
Write = Callable[..., None]
"""Continues a run's prompts: `write` behind its scheduler."""


@dataclass(frozen=True, slots=True)
class _SampleOutbox:
    """Outbox of one prompt that is continued at a milestone: nobody waits for it, so it tells at once."""

    prompt: int
    sampled: Sampled

    def put(self, value: object, /) -> None:
        if isinstance(value, GenerateStep):
            self.sampled(self.prompt, value.text, "open" if value.finish_reason is None else "whole")
        elif value is DONE:  # without a last step before: its reader left, or it failed
            self.sampled(self.prompt, "", "cut")


def write(
    scheduler: Scheduler,
    loaded: LoadedModel,
    request: TrainingRequest,
    sampled: Sampled,
    sampling: Sampling = GREEDY,
    n_tokens: int = MAX_SAMPLE_TOKENS,
) -> None:
    """Continue every prompt of a run, beside everything else the engine does.

    Args:
        scheduler: The queue of the jobs.
        loaded: The model, with what the run has learned so far.
        request: The run.
        sampled: Is given (place of the prompt, more text, whether more comes); of one that has ended, nothing
            counts any more.
    """
    asked = scheduler.begin(uuid4().hex, request.owner, "decode")
    try:
        for place, ids in enumerate(request.prompts):
            wanted = GenerateRequest(
                request.settings.model,
                input_ids=ids,
                sampling=sampling,
                seed=request.settings.seed,
                n_top=1,
                max_new_tokens=n_tokens,
            )
            job = Job("decode", object(), id(loaded), len(ids), DecodeWork(loaded, wanted, ids))
            try:
                scheduler.submit(job, asked, _SampleOutbox(place, sampled))
            except BusyError:
                sampled(place, "", "cut")
    finally:
        scheduler.end_when_done(asked)
