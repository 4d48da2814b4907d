"""One more tiny model, trained now: the reader chooses size, text and steps, its point joins ours."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from playground.core.scaling_laws import flops
from playground.core.scaling_runs import TinyRun, shipped, usual_tokens
from playground.core.scaling_text import whole_text
from playground.engine.contract.pretraining import PretrainingSettings
from playground.engine.contract.scaling_runs import (
    BETWEEN,
    N_STEPS,
    SHAPES,
    TOKENS_PER_STEP,
    Shape,
    part_of,
    scaling_request,
    tiny_run,
)
from playground.engine.contract.training import TrainingState
from playground.errors import PlaygroundError
from playground.ui import compute, from_zero
from playground.ui.choose import choose_from_list
from playground.ui.number import number_field, slider
from playground.ui.runs import UPDATE_S, buttons, is_still, left_of, status
from playground.ui.scaling import own_points
from playground.ui.scaling.amounts import short
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain, sentence

ERROR = "sca_error"
STEPS = (50, 100, N_STEPS, 300, 600)
SHARES = {"all": 1.0, "half": 1 / 2, "quarter": 1 / 4, "eighth": 1 / 8}
FIRST = "d48"


@dataclass(frozen=True)
class Wanted:
    """The run that the controls ask for.

    Attributes:
        shape: Its shape.
        share: Share of the text.
        n_steps: Training steps.
        seed: Seed.
    """

    shape: Shape
    share: float
    n_steps: int
    seed: int


def panel(context: PageContext) -> None:
    """Draw the settings, the button, the runs that train, and the points that came of them."""
    st.markdown(f"## {_('Train one more: does its point fall on the law?')}")
    wanted = _controls()
    st.caption(_expected(wanted))
    st.button(
        _("Start training"), type="primary", key="sca_start", icon=":material/play_arrow:", on_click=_start,
        args=(context, wanted),
    )  # fmt: skip
    if (error := st.session_state.get(ERROR)) is not None:
        st.error(sentence(error))
    states = _states(context)
    if any(not is_still(one) for one in states):
        _moving(context)
    else:
        _draw(states)
    _own()


def _controls() -> Wanted:
    shapes = {FIRST: BETWEEN[FIRST], **BETWEEN, **SHAPES}
    names = {
        name: _("{n} parameters · layers: {layers} · width: {width}").format(
            n=short(shape.n_parameters), layers=shape.n_layers, width=shape.d_model
        )
        for name, shape in shapes.items()
    }
    shares = {
        "all": _("all of the text"), "half": _("half of the text"), "quarter": _("a quarter of the text"),
        "eighth": _("an eighth of the text"),
    }  # fmt: skip
    size_at, share_at, steps_at, seed_at = st.columns([3, 2, 3, 1.4])
    with size_at:
        name = choose_from_list("sca_size", names, _("Size"))
    with share_at:
        share = choose_from_list("sca_share", shares, _("Text"))
    with steps_at:
        n_steps = slider(
            _("Steps"), STEPS, N_STEPS, key="sca_steps",
            help=_("Bytes read in each step: {n:,}.").format(n=TOKENS_PER_STEP),
        )  # fmt: skip
    with seed_at:
        seed = number_field(_("Seed"), 0, 9_999, 1, key="sca_seed")
    return Wanted(shapes[name], SHARES[share], int(n_steps), int(seed))


def _expected(wanted: Wanted) -> str:
    """Amounts of the run, and about how long it takes by the pace of ours."""
    n, tokens = wanted.shape.n_parameters, wanted.n_steps * TOKENS_PER_STEP
    near = min(shipped(), key=lambda one: abs(one.n_parameters - n))
    seconds = near.last.seconds / near.last.n_tokens * tokens * n / near.n_parameters
    told = _("Different text: {text}, read: {tokens} (bytes); operations: {flops}. {left}")
    words = told.format(
        text=short(len(part_of(whole_text(), wanted.share))),
        tokens=short(tokens), flops=short(flops(n, tokens)),
        left=_("By the pace of our own runs about {n:.0f} s, longer while others train.").format(
            n=max(1.0, seconds)
        ),
    )  # fmt: skip
    if wanted.share < 1 or tokens != usual_tokens(shipped()):
        more = _(
            "It will stand in the picture; for the law of parameters only runs count that differ in size "
            "alone."
        )
        words = f"{words} {more}"
    return words


def _start(context: PageContext, wanted: Wanted) -> None:
    """Queue the run; a callback."""
    st.session_state[ERROR] = None
    try:
        request = scaling_request(
            whole_text(), wanted.shape, context.owner, share=wanted.share, n_steps=wanted.n_steps,
            seed=wanted.seed,
        )  # fmt: skip
        compute.training().runs.start(request)
    except PlaygroundError as error:
        st.session_state[ERROR] = error
        return
    own_points.start(request.request_id, wanted.share)


def _states(context: PageContext) -> list[TrainingState]:
    """The runs started here that are not points yet."""
    known = compute.training().runs.of(context.owner)
    return [one for one in known if one.run_id in own_points.started() and not own_points.has(one.run_id)]


def collect(context: PageContext) -> None:
    """Make points of the runs that are done; what they have learned is let go, there is no room for many."""
    for one in _states(context):
        if one.status == "done" and one.is_settled and one.held_out:
            own_points.add(one.run_id, _run(one, own_points.started()[one.run_id]))
            if one.adapter:
                from_zero.models().remove(one.adapter, context.owner)


def _run(state: TrainingState, share: float) -> TinyRun:
    settings = state.settings
    assert isinstance(settings, PretrainingSettings)
    n = Shape(settings.d_model, settings.n_layers, settings.n_heads).n_parameters
    name = _("your run {number}").format(number=state.number)
    return tiny_run(name, whole_text(), share, state, n, {}, is_own=True)


@st.fragment(run_every=UPDATE_S)
def _moving(context: PageContext) -> None:
    states = _states(context)
    if not states or all(map(is_still, states)):
        st.rerun()
    else:
        _draw(states)


def _draw(states: list[TrainingState]) -> None:
    for one in states:
        words = " · ".join(filter(None, (status(one), left_of(one))))
        st.progress(min(1.0, one.step / max(1, one.settings.n_steps)), words)
        with st.container(horizontal=True):
            buttons(one, f"sca_{one.number}")
        if one.error is not None:
            st.error(sentence(one.error))


def _own() -> None:
    """The points that came of it."""
    found = own_points.runs()
    if not found:
        return
    told = ngettext(
        "Your point stands in the picture above: {points}.",
        "Your {n} points stand in the picture above: {points}.",
        len(found),
    )
    points = "; ".join(
        _("{name} (parameters: {n}): {loss:.3f} bits per byte").format(
            name=one.name, n=short(one.n_parameters), loss=one.last.bits_per_byte
        )
        for one in found
    )
    st.markdown(plain(told.format(n=len(found), points=points)))
    st.button(
        _("Take my points away"), key="sca_forget", icon=":material/delete:", on_click=own_points.forget
    )
