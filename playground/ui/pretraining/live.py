"""Runs of this session while they train: losses under the lines, what is written, the head that forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from playground.core.forming import prompts_of
from playground.engine.contract.pretraining import (
    PretrainingObservation,
    PretrainingSettings,
    fixed_tokens,
    pretraining_request,
)
from playground.engine.contract.training import ENDED, TrainingState
from playground.errors import PlaygroundError, TooManyRuns
from playground.ui import compute, from_zero, show, state
from playground.ui.pretraining import code, losses, milestones
from playground.ui.pretraining.seen import Read, Seen
from playground.ui.pretraining.texts import text_name
from playground.ui.runs import UPDATE_S, buttons, is_still, left_of, status
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import N_, _, plain, sentence
from playground.ui.url import put

SHOWN = "pre_runs"  # panel -> ids of the runs that it started together last
READ = "pre_read"  # id of a run -> what it was given to read
ERROR = "pre_error"
PICKED = "pre_run"  # URL parameter of the run of the first pictures
outlives_reload(SHOWN, READ)
DrawMore = Callable[[Sequence[TrainingState]], None]
OBJECTIVES = {"next": N_("next byte"), "masked": N_("masked bytes"), "span": N_("hidden spans")}


def objective_name(objective: str) -> str:
    """An objective in lists and legends."""
    return _(OBJECTIVES[objective])


def mine(context: PageContext) -> list[TrainingState]:
    """This session's runs from zero, oldest first."""
    known = compute.training().runs.of(context.owner)
    return [one for one in known if isinstance(one.settings, PretrainingSettings)]


def started_as(context: PageContext, kind: str) -> list[TrainingState]:
    """The runs that a panel started together last."""
    known = mine(context)
    picked = st.session_state.get(SHOWN, {}).get(kind, ())
    return [one for one in known if one.run_id in picked]


def start(
    context: PageContext, wanted: Sequence[PretrainingSettings], text: str, other: str = "",
    *, kind: str = "train",
) -> None:  # fmt: skip
    """Queue runs on one text, or none of them; a callback.

    Args:
        context: From `frame.page`.
        wanted: Their settings.
        text, other: As in `pretraining_request`.
        kind: The panel that shows them.
    """
    st.session_state[ERROR] = None
    runs = compute.training().runs
    started: dict[str, Read] = {}
    try:
        _check_room(context, len(wanted))
        for settings in wanted:
            prompts = prompts_of(text) if settings.objective == "next" else ()
            settings = replace(settings, name=_model_name(settings))
            request = pretraining_request(settings, context.owner, text, prompts=prompts, other=other)
            runs.start(request)
            started[request.request_id] = Read(text, other, prompts, fixed_tokens(request), request.mapped)
    except PlaygroundError as error:
        st.session_state[ERROR] = error
        for run_id in started:
            runs.cancel(run_id)
        return
    alive = {one.run_id for one in mine(context)}
    before: dict[str, Read] = st.session_state.get(READ, {})
    st.session_state[READ] = {run: read for run, read in before.items() if run in alive} | started
    shown: dict[str, tuple[str, ...]] = st.session_state.get(SHOWN, {})
    st.session_state[SHOWN] = shown | {kind: tuple(started)}


def _model_name(settings: PretrainingSettings) -> str:
    """A model in the list of every page."""
    told = _("from zero: {objective}, {text}")
    return told.format(objective=objective_name(settings.objective), text=text_name(settings.data))


def _check_room(context: PageContext, n: int) -> None:
    """Refuse several runs where there is room for fewer: half of a comparison is none."""
    alive = [one for one in compute.training().runs.of(context.owner) if one.status not in ENDED]
    limit = state.settings().max_trainings_per_session
    if n > 1 and len(alive) + n > limit:
        raise TooManyRuns(limit=limit)


def show_start_error() -> None:
    """Say why the last start was refused."""
    if (error := st.session_state.get(ERROR)) is not None:
        st.error(sentence(error))


def seen_of(one: TrainingState) -> Seen | None:
    """A run of this session as the pictures show it; None where what it read is not known any more."""
    read: Read | None = st.session_state.get(READ, {}).get(one.run_id)
    if read is None or not isinstance(one.settings, PretrainingSettings):
        return None
    known = {info.model_id: info for info in from_zero.models().of(compute.owner())} if one.adapter else {}
    info = known.get(one.adapter)
    return Seen(
        one.run_id, run_name(one), one.settings, read, one.train, one.held_out, one.general, one.samples,
        tuple(seen for seen in one.observed if isinstance(seen, PretrainingObservation)),
        model_id=info.model_id if info else "", n_parameters=info.n_parameters if info else 0,
        seconds=one.elapsed_s,
    )  # fmt: skip


def run_name(one: TrainingState) -> str:
    """A run in lists and legends."""
    assert isinstance(one.settings, PretrainingSettings)
    told = _("my run {n}: {objective}, {text}")
    objective = objective_name(one.settings.objective)
    return told.format(n=one.number, objective=objective, text=text_name(one.settings.data))


def mine_by_model(model_id: str) -> list[Read]:
    """The text and prompts of the run that made a model, where that is still known."""
    known: dict[str, Read] = st.session_state.get(READ, {})
    runs = compute.training().runs.of(compute.owner())
    return [known[one.run_id] for one in runs if one.adapter == model_id and one.run_id in known]


def look_at(model_id: str) -> None:
    """Show the run that made a model in the first pictures; a callback."""
    for one in compute.training().runs.of(compute.owner()):
        if one.adapter == model_id:
            put(PICKED, one.run_id)


def panel(context: PageContext) -> None:
    """Draw the runs of the panel; while one is alive, they are drawn again and again."""
    states = started_as(context, "train")
    if not states:
        show_start_error()
        st.caption(
            _("Your model starts from random numbers; its losses, what it writes and a head are drawn here.")
        )
        return
    runs_started_as(context, "train", draw)
    seen = [one for one in map(seen_of, states) if one is not None]
    if seen:
        show.under_picture(
            "pre_live", frame=lambda: losses.table(seen), code=lambda: code.training(seen[0]),
            picture="pre_live_picture",
        )  # fmt: skip


def runs_started_as(context: PageContext, kind: str, draw_more: DrawMore = lambda _states: None) -> None:
    """Draw state and buttons of the runs that a panel started; while one is alive, again and again.

    Args:
        context: From `frame.page`.
        kind: The panel.
        draw_more: Draws more of them, each time.
    """
    show_start_error()
    states = started_as(context, kind)
    if not states:
        return
    if all(map(is_still, states)):
        _draw(states, kind, draw_more)
    else:
        _moving(context, kind, draw_more)


@st.fragment(run_every=UPDATE_S)
def _moving(context: PageContext, kind: str, draw_more: DrawMore) -> None:
    states = started_as(context, kind)
    if not states or all(map(is_still, states)):
        st.rerun()
    else:
        _draw(states, kind, draw_more)


def _draw(states: Sequence[TrainingState], kind: str, draw_more: DrawMore) -> None:
    for place, one in enumerate(states):
        st.markdown(f"**{plain(run_name(one))}**")
        words = " · ".join(filter(None, (status(one), left_of(one))))
        st.progress(min(1.0, one.step / max(1, one.settings.n_steps)), words)
        with st.container(horizontal=True):
            buttons(one, f"pre_{kind}_{place}")
        if one.error is not None:
            st.error(sentence(one.error))
    draw_more(states)


def draw(states: Sequence[TrainingState]) -> None:
    """Draw the losses of runs under the lines, and the words and the head of the first one."""
    seen = [one for one in map(seen_of, states) if one is not None]
    if not seen:
        return
    losses.draw(seen, "pre_live_picture", max(one.settings.n_steps for one in seen))
    for one in seen:
        st.markdown(losses.reading(one))
    if seen[0].samples:
        milestones.words(seen[0], "pre_live_words")
    if seen[0].observed:
        milestones.heads(seen[0], key="pre_live_head")
