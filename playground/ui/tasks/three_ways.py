"""The same labelled set in several ways: an encoder with a head, a decoder with a prompt, an adapter."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import StopException

from playground.core.glue import ASKED, LANGUAGES, SENTIMENT, data_of
from playground.core.ways import OF_ENCODER, WAYS, Way, held_out
from playground.engine.contract.models import AdapterName, ModelInfo
from playground.ui import compute, state
from playground.ui.choose import choose, choose_from_list
from playground.ui.panels import Later
from playground.ui.roles import encoder_of
from playground.ui.state import PageContext
from playground.ui.tasks import ways_drawn
from playground.ui.tasks.ways_drawn import NAMES
from playground.ui.tasks.ways_known import Question, is_own, known, question
from playground.ui.tasks.ways_measured import measure, stop
from playground.ui.text import N_, _

WANTED = "tsk_ways_wanted"
BOTH = "both"
LANGUAGE_NAMES = {"en": N_("English"), "ko": N_("Korean")}
SETS = (SENTIMENT, *(task for task in ASKED if task != SENTIMENT))


def panel(context: PageContext) -> Later | None:
    """Draw what is known of the chosen set; what measures the rest, to be called once the page is drawn."""
    task, languages = _controls()
    models = _models(context)
    asked = {way: question(way, task, languages, models[way]) for way in WAYS}
    found = {way: answers for way in WAYS if (answers := known(asked[way])) is not None}
    ways_drawn.picture(context.language, task, languages, found)
    wanted = _wanted()
    _buttons(context, asked, wanted)
    place = st.container()
    own = [way for way in found if is_own(asked[way])]
    ways_drawn.below(task, languages, found, own, models)
    mine = [way for way in wanted if way in WAYS]
    return partial(_measure, context, asked, mine, place) if mine else None


def _controls() -> tuple[str, tuple[str, ...]]:
    """The set, and the languages of its items."""
    left, right = st.columns([2, 3], gap="medium", vertical_alignment="bottom")
    names = {task: _set_name(task) for task in SETS if data_of(task).labels}
    with left:
        task = choose_from_list("tsk_ways_set", names, _("Labelled set"))
    groups = {BOTH: _("both languages")} | {code: _(name) for code, name in LANGUAGE_NAMES.items()}
    with right:
        group = choose("tsk_ways_languages", groups, _("Languages of the items"))
    languages = LANGUAGES if group == BOTH else (group,)
    data = data_of(task)
    n, n_train = len(held_out(task, languages)), len(data.part("train", languages))
    told = _("Items to learn from: {n_train}; others that are asked: {n}; labels: {labels}.")
    st.caption(told.format(n_train=n_train, n=n, labels=len(data.labels)))
    return task, languages


def _set_name(task: str) -> str:
    if task == SENTIMENT:
        return _("Reviews: positive or negative")
    return f"{ASKED[task].name}: {ASKED[task].instruction}"


def _models(context: PageContext) -> dict[Way, ModelInfo]:
    """The model of each way: the chosen one where it fits, otherwise a default."""
    infos = {info.model_id: info for info in compute.models()}
    chosen = infos.get(AdapterName.of(context.model.model_id).base_id, context.model)
    korean = " ".join(one.texts[0] for one in held_out(SENTIMENT, ("ko",)))
    is_encoder = chosen.kind == "encoder" and "hidden_states" in chosen.capabilities
    encoder = chosen if is_encoder else infos[encoder_of(korean)]
    is_decoder = chosen.kind == "decoder" and "generate" in chosen.capabilities
    decoder = chosen if is_decoder else infos[state.settings().default_model]
    return {way: encoder if way in OF_ENCODER else decoder for way in WAYS}


# ---- what is to be measured


def _wanted() -> tuple[str, ...]:
    wanted: tuple[str, ...] = st.session_state.get(WANTED, ())
    return wanted


def _want(*ways: str) -> None:
    st.session_state[WANTED] = tuple(dict.fromkeys((*_wanted(), *ways)))


def _stop(owner: str) -> None:
    st.session_state[WANTED] = ()
    stop(owner)


def _buttons(context: PageContext, asked: Mapping[Way, Question], wanted: tuple[str, ...]) -> None:
    """One button a way, one for all that was not measured here, and *Stop*."""
    missing = [way for way in WAYS if not is_own(asked[way])]
    st.markdown(f"**{_('Measure on this server')}**")
    with st.container(horizontal=True, key="tsk_ways_buttons"):
        for way in WAYS:
            st.button(
                _(NAMES[way]).replace("\n", " "), key=f"tsk_ways_{way}", icon=":material/query_stats:",
                on_click=_want, args=(way,), disabled=way in wanted,
            )  # fmt: skip
        st.button(
            _("Measure all"), type="primary", key="tsk_ways_all", icon=":material/playlist_play:",
            on_click=_want, args=tuple(missing or WAYS), disabled=bool(wanted),
        )  # fmt: skip
        st.button(
            _("Stop"), key="tsk_ways_stop", icon=":material/stop:", on_click=_stop, args=(context.owner,),
            disabled=not wanted,
        )  # fmt: skip


def _measure(
    context: PageContext,
    asked: Mapping[Way, Question],
    wanted: list[Way],
    place: Any,  # noqa: ANN401
) -> None:
    """Measure what is wanted, one way after the other; Stop, or anything else the reader does, ends it."""
    for way in wanted:
        with place:
            try:
                is_done = measure(context, asked[way], _(NAMES[way]).replace("\n", " "))
            except StopException:  # an error, which is drawn: not again and again
                st.session_state[WANTED] = ()
                raise
        if not is_done:
            return
        st.session_state[WANTED] = tuple(one for one in _wanted() if one != way)
        if _wanted():
            st.rerun()  # what is known by now is drawn, the rest goes on
    st.rerun()
