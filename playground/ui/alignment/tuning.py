"""Runs of this page that train an adapter: started, followed, stopped; their adapter on other pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from playground import navigation
from playground.core.classroom.views import View
from playground.core.lora import LoraConfig
from playground.core.preferences.pair import PreferencePair
from playground.engine.contract.models import AdapterName
from playground.engine.contract.training import FinetuneSettings, TrainingRequest, TrainingState
from playground.errors import PlaygroundError
from playground.ui import adapters, compute, in_class
from playground.ui.choose import default_of, list_key
from playground.ui.components.open_view import open_view
from playground.ui.lora_modules import modules_of
from playground.ui.runs import UPDATE_S, buttons, is_still, left_of, status
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import _, lesson, plain, sentence
from playground.ui.url import put

SHOWN, LEARNED, ERROR = "al_run_shown", "al_run_learned", "al_run_error"
outlives_reload(SHOWN, LEARNED)
OPENS = ("sampling", "prompting", "attention", "inside", "finetuning")
DrawRun = Callable[[TrainingState], None]


@dataclass(frozen=True, slots=True)
class Learned:
    """The texts of a run, which its state does not hold.

    Attributes:
        prompts: Prompts that are continued at milestones, or that answers are drawn to.
        pairs, held_out: Pairs that are learned from, and those that are measured; of DPO alone.
    """

    prompts: tuple[str, ...]
    pairs: tuple[PreferencePair, ...] = ()
    held_out: tuple[PreferencePair, ...] = ()


def base_of(context: PageContext) -> str:
    """Id of the model that is trained: the chosen one without an adapter."""
    return AdapterName.of(context.model.model_id).base_id


def lora_of(base_id: str, r: int) -> LoraConfig:
    """LoRA of this rank on queries and values."""
    return LoraConfig(r, 2.0 * r, 0.0, modules_of(compute.training().linears(base_id), "attention"))


def runs(context: PageContext, kind: type[FinetuneSettings]) -> list[TrainingState]:
    """This session's runs of a kind, oldest first."""
    known = compute.training().runs.of(context.owner)
    return [one for one in known if isinstance(one.settings, kind)]


def shown(context: PageContext, kind: type[FinetuneSettings]) -> TrainingState | None:
    """The run of a kind that is shown: the last one, unless the reader picked another."""
    known = runs(context, kind)
    picked = st.session_state.get(SHOWN, {}).get(kind.__name__)
    return next((one for one in known if one.run_id == picked), known[-1] if known else None)


def learned(state: TrainingState) -> Learned:
    """The texts of a run; none where they are forgotten."""
    known: dict[str, Learned] = st.session_state.get(LEARNED, {})
    return known.get(state.run_id, Learned(()))


def start(make: Callable[[], tuple[TrainingRequest, Learned]], kind: type[FinetuneSettings]) -> None:
    """Begin a run; a callback. An error is kept, to be said where the button stands.

    Args:
        make: Makes the request, and the texts of it.
        kind: Kind of its settings.
    """
    st.session_state[ERROR] = None
    runs_ = compute.training().runs
    try:
        request, texts = make()
        runs_.start(request)
    except PlaygroundError as error:
        st.session_state[ERROR] = (kind.__name__, error)
        return
    alive = {one.run_id for one in runs_.of(request.owner)}
    before: dict[str, Learned] = st.session_state.get(LEARNED, {})
    kept = {run: found for run, found in before.items() if run in alive}
    st.session_state[LEARNED] = kept | {request.request_id: texts}
    st.session_state[SHOWN] = st.session_state.get(SHOWN, {}) | {kind.__name__: request.request_id}


def show_start_error(kind: type[FinetuneSettings]) -> None:
    """Say why the last start of this kind was refused."""
    found = st.session_state.get(ERROR)
    if found is not None and found[0] == kind.__name__:
        st.error(sentence(found[1]))


def pick(context: PageContext, kind: type[FinetuneSettings], key: str) -> None:
    """Draw the list of this session's runs of a kind, where there are several."""
    known, now = runs(context, kind), shown(context, kind)
    if len(known) < 2 or now is None:
        return
    names = {one.run_id: plain(f"{one.number} · {one.settings.name}") for one in known}
    drawn = list_key(f"{key}_runs", names)
    st.segmented_control(
        _("Runs"), tuple(names), default=default_of(drawn, now.run_id), key=drawn,
        format_func=names.__getitem__, required=True, label_visibility="collapsed", on_change=_show,
        args=(kind.__name__, drawn),
    )  # fmt: skip


def _show(kind: str, drawn: str) -> None:
    st.session_state[SHOWN] = st.session_state.get(SHOWN, {}) | {kind: st.session_state[drawn]}


def follow(context: PageContext, kind: type[FinetuneSettings], key: str, draw: DrawRun) -> None:
    """Draw the run that is shown; while it is alive, again and again.

    Args:
        context: From `frame.page`.
        kind: Kind of its settings.
        key: Beginning of the keys.
        draw: Draws its pictures.
    """
    state = shown(context, kind)
    if state is None:
        return
    if is_still(state):
        _draw(state, key, draw)
    else:
        _moving(context, kind, key, draw)


@st.fragment(run_every=UPDATE_S)
def _moving(context: PageContext, kind: type[FinetuneSettings], key: str, draw: DrawRun) -> None:
    state = shown(context, kind)
    if state is None or is_still(state):
        st.rerun()
    else:
        _draw(state, key, draw)


def _draw(state: TrainingState, key: str, draw: DrawRun) -> None:
    words = " · ".join(filter(None, (status(state), left_of(state))))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(state.settings.name)}** · {words}", width="content")
        buttons(state, key)
    st.progress(min(1.0, state.step / max(1, state.settings.n_steps)))
    if state.error is not None:
        st.error(sentence(state.error))
    draw(state)


def open_elsewhere(context: PageContext, state: TrainingState, key: str) -> None:
    """Draw the buttons that open a run's adapter on other pages; nothing while there is none."""
    if not state.adapter or state.adapter not in adapters.names():
        return
    st.caption(_("The adapter is a model of this session: it stands in the list *Model* on every page."))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Use it on every page"), key=f"{key}_use", icon=":material/check:", on_click=put,
            args=("model", state.adapter), disabled=context.model.model_id == state.adapter,
        )  # fmt: skip
        if context.model.adapter:
            st.button(
                _("Back to the base"), key=f"{key}_unuse", icon=":material/undo:", on_click=put,
                args=("model", base_of(context)),
            )  # fmt: skip
        for name in OPENS:
            if set(navigation.BY_NAME[name].needs) <= set(context.model.capabilities):
                params = (("model", state.adapter), ("lang", context.language))
                told = _("Open in {page}").format(page=lesson(name).title)
                open_view(label=told, link=in_class.base_path() + View(name, params).link,
                          key=f"{key}_open_{name}")  # fmt: skip
