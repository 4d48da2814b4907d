"""Other ways to adapt: held-out loss, trained numbers and time of a token, shipped and the reader's own."""

from __future__ import annotations

import math
import time
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import pairwise
from statistics import median
from typing import cast

import streamlit as st

from playground.charts import adapting as charts
from playground.core.adapting import DATA, LANGUAGE, N_STEPS, SIZE, SIZES, WAYS, Measured, WayPoint, shipped
from playground.core.sampling import GREEDY
from playground.core.tables import adapting as frames
from playground.engine.contract.adapters import Method
from playground.engine.contract.adapting import way_settings
from playground.engine.contract.models import AdapterName
from playground.engine.contract.training import ENDED, FinetuneSettings
from playground.ui import compute, show, stepwise
from playground.ui.choose import choose
from playground.ui.finetuning import code, live, sets
from playground.ui.finetuning.controls import NAMES, TrainingSettings
from playground.ui.lora_modules import modules_of
from playground.ui.number import slider
from playground.ui.panels import Later
from playground.ui.prompted import context_of
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import N_, _, plain

MINE = "fin_ways"  # ids of the runs that were started here
TIMES = "fin_way_times"  # adapter -> its time a token relative to the base's
N_TOKENS, N_ROUNDS = 16, 3  # of a measured time
LEAST_MORE = 0.005  # of the time of a token: less is written as nothing
outlives_reload(MINE, TIMES)
SIZE_NAMES = {
    "lora": N_("Rank r"),
    "bottleneck": N_("Width of the bottleneck"),
    "prompt": N_("Virtual tokens"),
    "prefix": N_("Virtual tokens"),
}


def names() -> dict[str, str]:
    """Way -> its name in the reader's language."""
    return {method: _(NAMES[method]) for method in WAYS}


def panel(context: PageContext) -> Later | None:
    """Draw the picture, and what trains and measures another point.

    Returns:
        What measures a time, to be called once the page is drawn; None when nothing is asked.
    """
    st.markdown(f"## {_('What does another way to adapt cost, and what does it bring?')}")
    measured, base_id = shipped(), AdapterName.of(context.model.model_id).base_id
    mine = _own_points(context, base_id)
    points = [("shipped", one) for one in measured.points] if base_id == measured.model_id or not mine else []
    points += [("mine", one) for _adapter, one in mine]
    base = _base_loss(context, base_id, measured, has_own=bool(mine))
    table = frames.ways(points)
    ends = [10.0 ** math.floor(math.log10(one.n_trained)) for _who, one in points]
    spec = charts.ways(_words(), base=base, numbers=(min(ends), 10 * max(ends)))
    alt = _(
        "Held-out loss of each way against the numbers it trains, with what it adds to the time of a token"
    )
    show.show_chart(spec, "fin_ways_picture", alt, data=table)
    st.markdown(told([one for _who, one in points], base))
    st.caption(_source(measured, base_id))
    chosen = _train(context, base_id)
    show.under_picture(
        "fin_ways", frame=table, code=lambda: code.reproduce(chosen, read_set(context)),
        picture="fin_ways_picture",
    )  # fmt: skip
    later = _measure(context, [adapter for adapter, one in mine if one.token_s is None])
    return later


def told(points: list[WayPoint], base: float | None) -> str:
    """The picture in words: the least loss, the fewest numbers, the dearest token.

    Args:
        points: The points.
        base: Loss without training, nats a token; None where it was not measured.
    """
    best, fewest = min(points, key=lambda one: one.held_out), min(points, key=lambda one: one.n_trained)
    words = _(
        "Lowest is {way} with {best:.2f} nats per token and {n:,} trained numbers; {other} trains the "
        "fewest, {fewest:,}, and ends at {loss:.2f}."
    ).format(
        best=best.held_out, way=_(NAMES[best.method]), n=best.n_trained, fewest=fewest.n_trained,
        other=_(NAMES[fewest.method]), loss=fewest.held_out,
    )  # fmt: skip
    if base is not None:
        began = _("Without training the held-out loss is {base:.2f} nats per token.").format(base=base)
        words = f"{began} {words}"
    timed = [one for one in points if one.token_s is not None]
    if not timed:
        return words
    dear = max(timed, key=lambda one: one.token_s or 0)
    more = (dear.token_s or 1) - 1
    if more < LEAST_MORE:
        return f"{words} {_('No way was measured to make a token take longer.')}"
    grows = _("The time of a token grows most with {way}: {share:+.0%}.")
    return f"{words} {grows.format(way=_(NAMES[dear.method]), share=more)}"


def _source(measured: Measured, base_id: str) -> str:
    words = _(
        "Filled points: {model} on the rows {set} in English, {n} steps each, size {size}, one seed; the "
        "numbers "
        "beside them say what is added to the time of a token. Rings: your own."
    ).format(
        model=plain(measured.model_id), set=f"*{_(sets.NAMES[DATA])}*", n=N_STEPS, size=SIZE
    )  # fmt: skip
    if base_id != measured.model_id:
        words += " " + _("{model} is another model: its losses are not comparable.").format(
            model=plain(base_id)
        )
    return words


def _words() -> dict[str, str]:
    return {
        **names(),
        "n_trained": _("Trained numbers"),
        "held_out": _("Held-out loss (nats per token)"),
        "time": _("Time of a token"),
        "base": _("without training"),
        "who": _("Measured by"),
        "shipped": _("us"),
        "mine": _("you"),
    }


# ---- the reader's own points


def _own_points(context: PageContext, base_id: str) -> list[tuple[str, WayPoint]]:
    """Adapter and point of every run that was started here and has ended."""
    started, times, found = st.session_state.get(MINE, ()), st.session_state.get(TIMES, {}), []
    for state in live.runs(context):
        if (
            state.run_id not in started
            or state.status not in ENDED
            or not state.adapter
            or state.settings.model != base_id
        ):
            continue
        settings = live.adapter_settings(state)
        info = next(
            (one for one in compute.adapters().of(context.owner) if one.model_id == state.adapter), None
        )
        if info is None or len(state.held_out) < 2:
            continue
        step, loss = min(state.held_out[1:], key=lambda one: one[1])
        size = {"lora": settings.lora.r, "bottleneck": settings.bottleneck, "last_block": 0}
        found.append((state.adapter, WayPoint(
            settings.method, size.get(settings.method, settings.num_virtual_tokens), settings.learning_rate,
            info.n_parameters, state.held_out[0][1], loss, step, times.get(state.adapter),
        )))  # fmt: skip
    return found


def _base_loss(context: PageContext, base_id: str, measured: Measured, *, has_own: bool) -> float | None:
    """The loss without training: the shipped one, of another model that of a run that begins as it.

    None where only such runs were started there as do not begin as the model: virtual positions come first.
    """
    if base_id == measured.model_id or not has_own:
        return measured.base
    started = st.session_state.get(MINE, ())
    for state in live.runs(context):
        is_own = state.run_id in started and state.settings.model == base_id
        if is_own and live.adapter_settings(state).method not in ("prompt", "prefix") and state.held_out:
            return state.held_out[0][1]
    return None


def _train(context: PageContext, base_id: str) -> FinetuneSettings:
    """Draw the choice of a way, its size, and the button; gives the settings of its run."""
    st.markdown(f"**{_('Train it yourself')}**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = cast(Method, choose("fin_way", names(), _("Way")))
        size = 0
        if method in SIZE_NAMES:
            size = int(slider(_(SIZE_NAMES[method]), SIZES, SIZE, key="fin_way_size", width=220))
        modules = modules_of(compute.training().linears(base_id), "attention")
        name = f"{_(NAMES[method])} {size or ''}".strip()
        settings = way_settings(base_id, method, size, modules, name=name)
        st.button(
            _("Train this way"), type="primary", key="fin_way_start", icon=":material/play_arrow:",
            on_click=_start, args=(context, settings),
        )  # fmt: skip
    told_ = _(
        "{n} steps on the same rows. The run moves at the top of the page; at its end a ring appears here."
    )
    st.caption(told_.format(n=N_STEPS))
    return settings


def _start(context: PageContext, settings: FinetuneSettings) -> None:
    before = {state.run_id for state in live.runs(context)}
    live.start(context.owner, read_set(context), TrainingSettings.of(settings))
    coming = [state.run_id for state in live.runs(context) if state.run_id not in before]
    st.session_state[MINE] = (*st.session_state.get(MINE, ()), *coming)


def read_set(context: PageContext) -> sets.ReadSet:
    """The rows of this picture as the model reads them, whatever set the page is at."""
    found = sets.training_set(DATA, LANGUAGE)
    assert found is not None
    read = sets.read(found, context.model)
    return replace(read, general=())


# ---- times


def _measure(context: PageContext, unknown: list[str]) -> Later | None:
    """Draw the button that times the reader's own points."""
    if not unknown:
        return None
    place = st.container(horizontal=True, vertical_alignment="center")
    with place:
        start = st.button(_("Measure the time of a token"), key="fin_way_time", icon=":material/timer:")
        st.button(_("Stop"), key="fin_way_time_stop", icon=":material/stop:", disabled=not start)
    bar = st.empty()
    return partial(_timed, context, unknown, bar) if start else None


def _timed(context: PageContext, adapters: list[str], bar: st.delta_generator.DeltaGenerator) -> None:
    """Continue a text with the base and with each adapter in turn; a click stops within a step."""
    base_id = AdapterName.of(context.model.model_id).base_id
    found: dict[str, list[float]] = {one: [] for one in (base_id, *adapters)}
    n_all = N_ROUNDS * len(found)
    for number in range(N_ROUNDS):
        for place, model in enumerate(found):
            bar.progress((number * len(found) + place) / n_all, _("One text is continued by each in turn …"))
            found[model].append(_token_s(context, model))
    known = dict(st.session_state.get(TIMES, {}))
    for one in adapters:
        known[one] = median(own / of for own, of in zip(found[one], found[base_id], strict=True))
    st.session_state[TIMES] = known
    st.rerun()


def _token_s(context: PageContext, model: str) -> float:
    """Median seconds between two tokens."""
    ids = compute.cut(AdapterName.of(model).base_id, "The ship sails on, and the crew").input_ids
    asked = {"input_ids": ids, "sampling": GREEDY, "max_new_tokens": N_TOKENS, "n_top": 1}
    at = []
    with closing(stepwise.generate(replace(context_of(context, model), text=""), asked)) as steps:
        for _step in steps:
            at.append(time.perf_counter())
    apart = [later - earlier for earlier, later in pairwise(at)]
    return median(apart) if apart else math.nan
