"""An adapter for one of the nine tasks: trained as a queued run, then asked."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

import streamlit as st

from playground.core.glue import LANGUAGES, TASKS, data_of
from playground.core.glue_answers import held_out
from playground.engine.contract.label_runs import N_STEPS, label_run
from playground.engine.contract.training import ENDED, TrainingState
from playground.errors import PlaygroundError
from playground.ui import compute, state
from playground.ui.evaluation.glue_asking import in_memory, measured, model_of, remember, scored
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.runs import UPDATE_S, buttons, is_still, left_of, status
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import _, plain, sentence

RUN = "ev_glue_run"  # (run id, task) of the last run that was started here
ERROR = "ev_glue_error"
outlives_reload(RUN)


def draw(context: PageContext, task: str) -> Later | None:
    """Draw the button and the run; gives what asks the trained adapter, once it is there.

    Args:
        context: From `frame.page`.
        task: Id of the task that is shown.
    """
    model = model_of(context, "adapter")
    is_known = task in measured("adapter", model)
    run, trained_task = _run(context)
    is_alive = run is not None and run.status not in ENDED
    name = TASKS[task].name
    st.button(
        _("Train an adapter for {task}").format(task=name), key="ev_glue_train",
        icon=":material/model_training:", on_click=_start, args=(context, task),
        disabled=is_known or is_alive,
    )  # fmt: skip
    n = len(data_of(task).part("train", LANGUAGES))
    told = _("LoRA on {model}: training items {n}, steps {steps}; then it is asked the held-out items.")
    st.caption(told.format(model=plain(model.name), steps=N_STEPS, n=n))
    if (error := st.session_state.get(ERROR)) is not None:
        st.error(sentence(error))
    if run is None:
        return None
    if not is_still(run):
        _moving(context)
        return None
    _say(run, trained_task)
    asks = run.status == "done" and run.adapter and trained_task not in measured("adapter", model)
    return partial(_ask, context, trained_task, run, st.empty()) if asks else None


def _run(context: PageContext) -> tuple[TrainingState | None, str]:
    run_id, task = st.session_state.get(RUN, ("", ""))
    return (compute.training().runs.state(run_id, context.owner), task) if run_id else (None, "")


def _start(context: PageContext, task: str) -> None:
    st.session_state[ERROR] = None
    model = model_of(context, "adapter")
    try:
        request = label_run(
            model.model_id, task, compute.tokenizers(), context.owner, state.settings().max_training_tokens
        )
        compute.training().runs.start(request)
    except PlaygroundError as error:
        st.session_state[ERROR] = error
        return
    st.session_state[RUN] = request.request_id, task


@st.fragment(run_every=UPDATE_S)
def _moving(context: PageContext) -> None:
    run, task = _run(context)
    if run is None or is_still(run):
        st.rerun()
    else:
        _say(run, task)


def _say(run: TrainingState, task: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        words = [f"**{TASKS[task].name}**", status(run), left_of(run)]
        st.markdown(" · ".join(word for word in words if word), width="content")
        buttons(run, "ev_glue")
    if run.error is not None:
        st.error(sentence(run.error))


def _ask(
    context: PageContext, task: str, run: TrainingState, place: st.delta_generator.DeltaGenerator
) -> None:
    """Ask the adapter the held-out items, and keep the answers under the name of its base."""
    with place.container():
        ready = in_memory(context, "adapter")
        if ready is None:
            return
        base = ready.model
        bar = Progress("glue_zero", base.model_id, len(held_out(task)), TASKS[task].name)
        begun_at = time.monotonic()
        adapted = replace(ready, model=replace(base, model_id=run.adapter))
        told = scored(adapted, task, "adapter", bar, 0)
        if told is None:
            return
    info = next(one for one in compute.adapters().of(context.owner) if one.model_id == run.adapter)
    seconds = run.elapsed_s + time.monotonic() - begun_at
    remember(
        replace(
            told, model_id=base.model_id, revision=base.revision, seconds=seconds, n_trained=info.n_parameters
        )
    )
    st.rerun()
