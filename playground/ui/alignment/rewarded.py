"""Runs that train reward models: how one is started, what it has learned from, how far it is."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from playground.charts import rewards as charts
from playground.core.preferences.pair import PreferencePair
from playground.core.tables import rewards as frames
from playground.engine.contract.models import AdapterName
from playground.engine.contract.preferences import MAX_HELD_OUT, RewardObservation, RewardRequest
from playground.engine.contract.reward_models import RewardHeadInfo, RewardSettings
from playground.engine.contract.training import TrainingState
from playground.errors import PlaygroundError
from playground.ui import compute, preferences, show
from playground.ui.alignment import learned
from playground.ui.alignment.learned import LearnFrom
from playground.ui.runs import UPDATE_S, buttons, is_still, left_of, status
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import _, sentence

RUNS = "al_reward_runs"  # id of a run -> the pairs it was given
ERROR = "al_reward_error"
outlives_reload(RUNS)


@dataclass(frozen=True)
class Given:
    """Pairs that a run was given.

    Attributes:
        train, held_out: Pairs to learn from, and held out.
        others: Pairs that nobody voted on, as they come, which the run only reads.
        is_voted: True if the first two are votes.
    """

    train: tuple[PreferencePair, ...]
    held_out: tuple[PreferencePair, ...]
    others: tuple[PreferencePair, ...]
    is_voted: bool


@dataclass(frozen=True)
class Run:
    """A run that trains a reward model, with what it was given.

    Attributes:
        state: Progress of the run.
        given: Its pairs.
    """

    state: TrainingState
    given: Given

    @property
    def last(self) -> RewardObservation | None:
        """The rewards of all pairs, once the run is done."""
        found = [one for one in self.state.observed if isinstance(one, RewardObservation)]
        return found[-1] if found and found[-1].train[0] else None


def given_of(found: LearnFrom) -> Given:
    """The pairs that a run on these would get."""
    held_out = found.held_out[:MAX_HELD_OUT]
    return Given(found.train, held_out, found.others[:MAX_HELD_OUT], found.is_voted)


def start(context: PageContext, inverse_penalty: float) -> None:
    """Queue a run on the pairs that count now; a callback."""
    st.session_state[ERROR] = None
    try:
        given = given_of(learned.learn_from(context))
        base = AdapterName.of(context.model.model_id).base_id
        name = _("reward model of votes") if given.is_voted else _("reward model of shipped pairs")
        settings = RewardSettings(base, name, inverse_penalty=inverse_penalty, batch_size=len(given.train))
        train, held_out, others = (
            preferences.examples(context, some) for some in (given.train, given.held_out, given.others)
        )
        request = RewardRequest(settings, train, held_out, others, owner=context.owner)
        compute.training().runs.start(request)
    except PlaygroundError as error:
        st.session_state[ERROR] = error
        return
    alive = {one.run_id for one in compute.training().runs.of(context.owner)}
    before: dict[str, Given] = st.session_state.get(RUNS, {})
    kept = {run: pairs for run, pairs in before.items() if run in alive}
    st.session_state[RUNS] = kept | {request.request_id: given}


def last_run(context: PageContext) -> Run | None:
    """The run on the base of the chosen model that was started last."""
    known: dict[str, Given] = st.session_state.get(RUNS, {})
    base = AdapterName.of(context.model.model_id).base_id
    found = [
        Run(one, known[one.run_id])
        for one in compute.training().runs.of(context.owner)
        if one.run_id in known and one.settings.model == base
    ]
    return found[-1] if found else None


def last_head(context: PageContext) -> RewardHeadInfo | None:
    """The session's newest reward model on the base of the chosen model."""
    base = AdapterName.of(context.model.model_id).base_id
    return next((one for one in reversed(preferences.heads(context)) if one.settings.model == base), None)


def given_of_head(context: PageContext, number: int) -> Given | None:
    """The pairs of the session's run with this number, where they are still known."""
    known: dict[str, Given] = st.session_state.get(RUNS, {})
    runs = compute.training().runs.of(context.owner)
    return next((known[one.run_id] for one in runs if one.number == number and one.run_id in known), None)


def live(context: PageContext) -> Run | None:
    """Draw the last run; while it is alive, again and again."""
    if (error := st.session_state.get(ERROR)) is not None:
        st.error(sentence(error))
    run = last_run(context)
    if run is None:
        return None
    if is_still(run.state):
        _draw(run)
    else:
        _moving(context)
    return run


@st.fragment(run_every=UPDATE_S)
def _moving(context: PageContext) -> None:
    run = last_run(context)
    if run is None or is_still(run.state):
        st.rerun()
    else:
        _draw(run)


def _draw(run: Run) -> None:
    one = run.state
    words = " · ".join(filter(None, (status(one), left_of(one))))
    if one.status == "running" and not one.step:
        words += " · " + _("the model reads every answer once")
    st.progress(min(1.0, one.step / max(1, one.settings.n_steps)), words)
    if not is_still(one):
        with st.container(horizontal=True):
            buttons(one, "al_reward")
    if one.error is not None:
        st.error(sentence(one.error))
    if not one.train:
        return
    names = {
        "step": _("Step"), "loss": _("loss (nats per pair)"), "train": _("learned from"),
        "held_out": _("held out"), "guess": _("a guess: ln 2"),
    }  # fmt: skip
    show.show_chart(
        charts.losses(names, n_steps=one.settings.n_steps), "al_reward_losses",
        _("Losses of the reward model against the steps"), data=frames.losses(one.train, one.held_out),
    )  # fmt: skip
