"""Training runs of any kind in words: state, speed, and the buttons that pause, resume and stop them."""

from __future__ import annotations

import streamlit as st

from playground.engine.contract.training import ENDED, TrainingState
from playground.errors import TrainingFrozen
from playground.ui import compute
from playground.ui.progress import left
from playground.ui.text import N_, _, ngettext, sentence

UPDATE_S = 1.5  # drawing costs the reader's machine, which may be the server's
_STATUS = {
    "waiting": N_("Waiting: place {position} in the queue"),
    "running": N_("Training: step {step} of {all}"),
    "paused": N_("Paused after step {step} of {all}"),
    "cancelled": N_("Stopped after step {step} of {all}"),
    "failed": N_("Failed after step {step}"),
}


def status(state: TrainingState) -> str:
    """The state of a run in words, and with whom it is shared."""
    if state.status == "done":
        words = ngettext("Done: {step} step", "Done: {step} steps", state.step).format(step=state.step)
    else:
        is_stopping = state.status == "paused" and not state.is_settled
        told = N_("Pausing after step {step} of {all}") if is_stopping else _STATUS[state.status]
        words = _(told).format(position=state.position, step=state.step, all=state.settings.n_steps)
    begins = "" if state.begins_in_s is None else _("begins in about {n:.0f} s").format(n=state.begins_in_s)
    frozen = sentence(TrainingFrozen()) if state.is_frozen else ""
    return " · ".join(filter(None, (words, frozen, begins, _sharing(state))))


def _sharing(state: TrainingState) -> str:
    """Words on equal runs of other readers, "" where there are none."""
    n = state.n_sharing
    if state.is_known:
        return _("an equal run was trained before: this is its result")
    if not n or state.status in ("failed", "cancelled"):
        return ""
    if state.status == "paused" and not state.is_frozen:
        told = ngettext("it goes on for {n} other reader", "it goes on for {n} other readers", n)
    else:
        told = ngettext(
            "shared with {n} other reader who chose the same: trained once for all",
            "shared with {n} other readers who chose the same: trained once for all",
            n,
        )
    return told.format(n=n)


def left_of(state: TrainingState) -> str:
    """About how long a running run still takes, "" where that is unknown or short."""
    if state.status != "running" or not state.step:
        return ""
    return left(state.elapsed_s / state.step * (state.settings.n_steps - state.step))


def is_still(state: TrainingState) -> bool:
    """True if nothing of a run changes by itself any more."""
    rests = state.status in ENDED or (state.status == "paused" and not state.is_frozen)
    return rests and state.is_settled and all(sample.status != "open" for sample in state.samples)


def buttons(state: TrainingState, key: str) -> None:
    """Draw pause, resume and stop, those that are possible now.

    Args:
        state: The run.
        key: Beginning of their keys.
    """
    runs, run_id = compute.training().runs, state.run_id
    if state.status in ("running", "waiting"):
        st.button(
            _("Pause"), key=f"{key}_pause", icon=":material/pause:", on_click=runs.pause, args=(run_id,)
        )
    if state.status == "paused" and not state.is_frozen:
        st.button(
            _("Go on"),
            key=f"{key}_resume",
            icon=":material/play_arrow:",
            on_click=runs.resume,
            args=(run_id,),
        )
    if state.status not in ENDED:
        st.button(
            _("Stop"), key=f"{key}_cancel", icon=":material/stop:", on_click=runs.cancel, args=(run_id,)
        )
