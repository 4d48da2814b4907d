"""The runs of this session: start, pause, cancel, and the picture that moves while one trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import streamlit as st

from playground.charts import finetuning as charts
from playground.core.forgetting import ForgettingMethod
from playground.core.tables import finetuning as frames
from playground.engine.contract.training import ENDED, FinetuneSettings, TrainingState
from playground.errors import PlaygroundError
from playground.ui import compute, show
from playground.ui.choose import choose, choose_from_list, default_of, list_key
from playground.ui.finetuning import code
from playground.ui.finetuning.controls import TrainingSettings
from playground.ui.finetuning.forgetting_words import language_of
from playground.ui.finetuning.sets import ReadSet
from playground.ui.runs import UPDATE_S, buttons, is_still, left_of, status
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import _, ngettext, plain, sentence

if TYPE_CHECKING:
    import pandas as pd

RUN = "fin_run"  # id of the run that is shown
NOTHING = 0.01  # a smaller change of the loss on general text is not worth a word
MOST_AVERAGED = 8  # steps at each end of a run whose training losses are averaged
JUDGED = 3  # with fewer of them, one batch decides
DATA = "fin_data_of"  # id of a run -> what it was trained on
outlives_reload(RUN, DATA)


def runs(context: PageContext) -> list[TrainingState]:
    """This session's runs that train adapters on texts, oldest first; those on preferences are elsewhere."""
    known = compute.training().runs.of(context.owner)
    return [one for one in known if type(one.settings) is FinetuneSettings]


def adapter_settings(state: TrainingState) -> FinetuneSettings:
    """Settings of one of them."""
    assert isinstance(state.settings, FinetuneSettings)
    return state.settings


def shown(context: PageContext) -> TrainingState | None:
    """The run that is shown: the last one, unless the reader picked another."""
    known = runs(context)
    picked = [one for one in known if one.run_id == st.session_state.get(RUN)]
    return picked[0] if picked else (known[-1] if known else None)


def seconds_a_token(context: PageContext) -> float | None:
    """Seconds per token in the last step of this session's runs, None before."""
    for one in reversed(runs(context)):
        if one.n_tokens and one.step_s and one.step:
            return one.step_s * one.step / one.n_tokens / max(1, one.n_together)
    return None


def start_button(context: PageContext, data: ReadSet, chosen: TrainingSettings) -> None:
    """Draw the button; an error of the engine's becomes its sentence, and nothing is lost."""
    st.button(
        _("Start training"), type="primary", key="fin_start", icon=":material/play_arrow:",
        on_click=start, args=(context.owner, data, chosen),
    )  # fmt: skip


def show_start_error() -> None:
    """Say why the last start was refused."""
    if (error := st.session_state.get("fin_error")) is not None:
        st.error(sentence(error))


def start(owner: str, data: ReadSet, chosen: TrainingSettings) -> None:
    """Begin a run; a callback.

    Args:
        owner: The session.
        data: Data to train on.
        chosen: Settings of the run.
    """
    st.session_state["fin_error"] = None
    runs = compute.training().runs
    try:
        request = chosen.request(data, owner)
        runs.start(request)
    except PlaygroundError as error:
        st.session_state["fin_error"] = error
        return
    remember(owner, {request.request_id: data})


def remember(owner: str, data: Mapping[str, ReadSet]) -> None:
    """Show the first of these runs, and keep what each was trained on for as long as it is known.

    Args:
        owner: The session.
        data: Id of each run -> its data.
    """
    st.session_state[RUN] = next(iter(data))
    of_run = {**st.session_state.get(DATA, {}), **data}
    known = [one.run_id for one in compute.training().runs.of(owner)]
    st.session_state[DATA] = {run: of_run[run] for run in known if run in of_run}


def panel(context: PageContext) -> None:
    """Draw the run that is shown; while it is alive, it is drawn again every second."""
    state = shown(context)
    if state is None:
        return
    known = runs(context)
    if len(known) > 1:
        names = {one.run_id: _name(one) for one in known}
        drawn = list_key("fin_run_choice", names)
        st.segmented_control(
            _("Runs"), tuple(names), default=default_of(drawn, state.run_id), key=drawn,
            format_func=names.__getitem__, required=True, label_visibility="collapsed", on_change=_show,
            args=(drawn,),
        )  # fmt: skip
    if is_still(state):
        _draw(state)
    else:
        _moving(context)
    show.under_picture(
        "fin_loss",
        frame=lambda: _table(shown(context) or state),
        code=lambda: _code(state),
        picture="fin_loss_picture",
    )


def _show(drawn: str) -> None:
    st.session_state[RUN] = st.session_state[drawn]


def _code(state: TrainingState) -> str:
    data, settings = data_of(state), adapter_settings(state)
    if data is None:
        return ""
    if settings.remedy.kind != "none":
        method = ForgettingMethod(settings.remedy.kind, settings.remedy.strength, settings.lora.r)
        rows = data.trained_rows, data.tested_rows
        return code.remedied(method, settings, rows, language_of(settings.model))
    return code.reproduce(settings, data)


def _name(state: TrainingState) -> str:
    settings = adapter_settings(state)
    rank = f" · r {settings.lora.r}" if settings.method == "lora" else ""
    return plain(f"{state.number} · {settings.name} · {settings.learning_rate:g}{rank}")


@st.fragment(run_every=UPDATE_S)
def _moving(context: PageContext) -> None:
    state = shown(context)
    if state is None or is_still(state):
        st.rerun()
    else:
        _draw(state)


def _draw(state: TrainingState) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(state.settings.name)}** · {status(state)}", width="content")
        buttons(state, "fin")
        scale = choose("fin_scale", {"linear": _("linear"), "log": _("logarithmic")}, _("Scale of the loss"))
    if state.error is not None:
        st.error(sentence(state.error))
    picture, samples = st.columns((3, 2))
    with picture:
        best = state.best_step if state.status in ENDED else None
        spec = charts.loss_curves(_words(best), log=scale == "log", best=best, n_steps=state.settings.n_steps)
        alt = _("Training loss, held-out loss and loss on general text against the steps")
        show.show_chart(spec, "fin_loss_picture", alt, data=_table(state))
    with samples:
        _samples(state)
    st.markdown(reading(state))
    words = [state.settings.model, _speed(state)]
    st.caption(plain(" · ".join(word for word in words if word)))


def _speed(state: TrainingState) -> str:
    if not state.step or not state.step_s:
        return ""
    words = _("{s:.2f} s per step, {n:.0f} tokens per second, {seconds:.0f} s so far").format(
        s=state.step_s, n=state.n_tokens / state.step / state.step_s, seconds=state.elapsed_s
    )
    if state.status == "running":
        words = " · ".join(filter(None, (words, left_of(state))))
    if state.n_together > 1:
        n = state.n_together - 1
        words += " · " + ngettext("shared with {n} other run", "shared with {n} other runs", n).format(n=n)
    return words


def _table(state: TrainingState) -> pd.DataFrame:
    return _losses(tuple(state.train), tuple(state.held_out), tuple(state.general))


Curve = tuple[tuple[int, float], ...]


@lru_cache(maxsize=64)
def _losses(train: Curve, held_out: Curve, general: Curve) -> pd.DataFrame:
    """The table of a run that has not moved since it was drawn last."""
    return frames.losses(train, held_out, general)


def _words(best: int | None) -> Mapping[str, str]:
    return {
        "step": _("Training step"),
        "loss": _("Loss (nats per token)"),
        "train": _("training, each batch"),
        "smoothed": _("training, smoothed"),
        "held_out": _("held-out"),
        "general": _("general text"),
        "best": _("best: step {step}").format(step=best),
    }


def reading(state: TrainingState) -> str:
    """One sentence that reads the picture."""
    if state.held_out and not state.train:
        told = _("Before any training the held-out loss is {loss:.2f} nats per token: that is step 0.")
        return told.format(loss=state.held_out[0][1])
    if not state.train:
        coming = _("The first losses come in a moment; step 0 is the model as it was.")
        return "" if state.status in ENDED else coming
    words = _training([loss for _step, loss in state.train])
    if len(state.held_out) > 1:
        words += " " + _held_out(state.held_out)
    if state.general:
        words += " " + _general(state.general[-1][1] / state.general[0][1] - 1)
    return words


def _training(losses: Sequence[float]) -> str:
    """A sentence on the training loss: means of as many steps at both ends, for each batch has other rows.

    The smoothed line is not quoted: it follows late, and beside the held-out loss it would seem to lie lower
    or higher than it is.
    """
    n = max(1, min(MOST_AVERAGED, len(losses) // 3))
    first, last = sum(losses[:n]) / n, sum(losses[-n:]) / n
    if len(losses) == 1:
        return _("The training loss of the first step is {first:.2f} nats per token.").format(first=first)
    told = ngettext(
        "The training loss went from {first:.2f} nats per token in the first step to {last:.2f} in the last.",
        "The training loss went from {first:.2f} nats per token, the mean of the first {n} steps, to "
        "{last:.2f}, that of the last {n}.",
        n,
    )
    words = told.format(n=n, first=first, last=last)
    if n >= JUDGED and last >= first:
        words += " " + _("With these settings it is not learning.")
    return words


def _general(change: float) -> str:
    """A sentence on the loss on other texts; a change of 1 is twice the loss."""
    if change > NOTHING:
        return _("On general text the loss rose by {change:.1%}: some of it is forgotten.").format(
            change=change
        )
    if change < -NOTHING:
        told = _("On general text the loss fell by {change:.1%}: it has become more probable, not less.")
        return told.format(change=-change)
    told = _("On general text the loss changed by {change:+.1%}: hardly anything is forgotten.")
    return told.format(change=change)


def _held_out(losses: Sequence[tuple[int, float]]) -> str:
    """A sentence on the held-out loss, with its turn where it has risen again by as much as is shown."""
    first, last = losses[0][1], losses[-1][1]
    step, least = min(losses, key=lambda one: one[1])
    if step == losses[0][0] or round(least, 2) >= round(last, 2):
        return _("The held-out loss went from {first:.2f} to {last:.2f}.").format(first=first, last=last)
    told = _(
        "The held-out loss fell from {first:.2f} to {least:.2f} at step {step} and has risen to {last:.2f} "
        "since."
    )
    return told.format(first=first, least=least, step=step, last=last)


def _samples(state: TrainingState) -> None:
    """Draw the continuations of the prompts at each milestone."""
    if not state.samples:
        st.caption(_("At milestones the same prompts are continued here."))
        return
    data = data_of(state)
    names = {str(place): prompt for place, prompt in enumerate(data.data.prompts if data else ())}
    if not names:
        return
    place = int(choose_from_list("fin_prompt", names, _("Prompt, continued at milestones")))
    with st.container(height=300, border=False):
        for sample in state.samples:
            if sample.prompt == place:
                mark = {"open": " …", "whole": "", "cut": " … " + _("(cut off)")}[sample.status]
                step = _("step {step}").format(step=sample.step)
                st.markdown(f":small[{step}] · {plain(sample.text) or '∅'}{mark}")


def data_of(state: TrainingState) -> ReadSet | None:
    """Data that a run of this session was trained on."""
    found: ReadSet | None = st.session_state.get(DATA, {}).get(state.run_id)
    return found
