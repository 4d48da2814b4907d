"""Plain training and a remedy side by side on the reader's own rows, with both losses as they move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
import streamlit as st

from playground.charts import forgetting as charts
from playground.core.forgetting import ForgettingMethod, general
from playground.core.tables import forgetting as frames
from playground.engine.contract.forgetting_runs import (
    LEARNING_RATE,
    N_STEPS,
    bits_a_nat,
    forgetting_run,
    ordinary,
)
from playground.engine.contract.training import ENDED, FinetuneRequest, RemedyObservation, TrainingState
from playground.errors import PlaygroundError
from playground.ui import compute, show
from playground.ui.choose import choose
from playground.ui.finetuning import code, live
from playground.ui.finetuning.controls import TrainingSettings
from playground.ui.finetuning.forgetting_words import KINDS, language_of, names, strength_of, words
from playground.ui.finetuning.sets import ReadSet
from playground.ui.number import slider
from playground.ui.runs import UPDATE_S, buttons, is_still, left_of, status
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import _, plain, sentence

PAIR = "fin_pair"  # ids of the plain run and of that with a remedy
ERROR = "fin_pair_error"
outlives_reload(PAIR)
STRENGTHS: Mapping[str, tuple[float, ...]] = {
    "rehearsal": (0.1, 0.2, 0.33, 0.5, 0.67, 0.8),
    "l2sp": (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3),
    "ewc": (10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 30_000.0),
    "rank": (1, 2, 4),
}
Pair = tuple[TrainingState, TrainingState]


def panel(
    context: PageContext,
    data: ReadSet | None,
    chosen: TrainingSettings | None,
    shipped: Mapping[str, ForgettingMethod],
) -> None:
    """Draw the choice of a remedy, the button that trains both, and the pair that was started last."""
    st.markdown(f"**{_('Train it yourself')}**")
    if data is None or chosen is None:
        return
    if chosen.run.method != "lora":
        st.info(_("These remedies are for LoRA: choose it under *More settings*."))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = choose("fin_remedy", {one: names()[one] for one in KINDS}, _("Remedy"))
        method = _method(kind, shipped[kind], chosen)
        st.button(
            _("Train both"), type="primary", key="fin_pair_start", icon=":material/play_arrow:",
            on_click=_start, args=(context, data, chosen, method),
        )  # fmt: skip
    told = _(
        "Your rows and settings as above, once plainly and once with the remedy, in the same steps. Those "
        "measured above: learning rate {rate:g}, steps {n}."
    )
    st.caption(told.format(rate=LEARNING_RATE, n=N_STEPS))
    if (error := st.session_state.get(ERROR)) is not None:
        st.error(sentence(error))
    pair = _pair(context)
    if pair is None:
        return
    if all(map(is_still, pair)):
        _draw(pair)
    else:
        _moving(context)
    show.under_picture(
        "fin_pair", frame=lambda: _table(_pair(context) or pair), code=lambda: _code(pair),
        picture="fin_pair_general",
    )  # fmt: skip


def _method(kind: str, shipped: ForgettingMethod, chosen: TrainingSettings) -> ForgettingMethod:
    """The remedy with the strength of its slider; at first the best of those measured."""
    label = {"rank": _("Rank r"), "rehearsal": _("Share of old rows")}.get(kind, _("Strength"))
    first = shipped.r if kind == "rank" else shipped.strength
    picked = float(slider(label, STRENGTHS[kind], first, key=f"fin_remedy_{kind}", width=220))
    if kind == "rank":
        return ForgettingMethod(kind, 0.0, int(picked))
    return ForgettingMethod(kind, picked, chosen.run.lora.r)


def _start(context: PageContext, data: ReadSet, chosen: TrainingSettings, method: ForgettingMethod) -> None:
    """Begin both runs, or neither."""
    st.session_state[ERROR] = None
    runs, begun = compute.training().runs, list[FinetuneRequest]()
    try:
        texts = ordinary(compute.training(), data.base_id, language_of(data.base_id))
        for one in (ForgettingMethod("plain", 0.0, chosen.run.lora.r), method):
            name = f"{data.data.name} · {names()[one.kind]} {strength_of(one)}".strip()
            settings = replace(chosen.run, name=name)
            request = forgetting_run(one, settings, (data.texts, data.held_out), texts, context.owner)
            runs.start(request)
            begun.append(request)
    except PlaygroundError as error:
        for request in begun:
            runs.cancel(request.request_id)
        st.session_state[ERROR] = error
        return
    st.session_state[PAIR] = tuple(one.request_id for one in begun)
    own = replace(data, general=texts.general)
    live.remember(context.owner, {one.request_id: own for one in begun})


def _pair(context: PageContext) -> Pair | None:
    """Both runs as they are now; None where none were started, or one is forgotten."""
    known = {one.run_id: one for one in live.runs(context)}
    ids = st.session_state.get(PAIR, ())
    found = [known[one] for one in ids if one in known]
    return (found[0], found[1]) if len(found) == 2 else None


@st.fragment(run_every=UPDATE_S)
def _moving(context: PageContext) -> None:
    pair = _pair(context)
    if pair is None or all(map(is_still, pair)):
        st.rerun()
    else:
        _draw(pair)


def _draw(pair: Pair) -> None:
    for place, state in enumerate(pair):
        with st.container(horizontal=True, vertical_alignment="center"):
            told = " · ".join(filter(None, (status(state), left_of(state))))
            st.markdown(f"**{plain(state.settings.name)}** · {told}", width="content")
            buttons(state, f"fin_pair_{place}")
        if state.error is not None:
            st.error(sentence(state.error))
    table, last = _table(pair), max(one.settings.n_steps for one in pair)
    left, right = st.columns(2)
    alts = {
        "general": _("Loss on ordinary prose of both runs against the steps"),
        "held_out": _("Held-out loss of both runs against the steps"),
    }
    for column, text in ((left, "general"), (right, "held_out")):
        with column:
            kinds = [kind_of(one) for one in pair]
            spec = charts.loss_steps(words(), text=text, remedies=kinds, last=last, y_ends=None)
            show.show_chart(spec, f"fin_pair_{text}", alts[text], data=table)
    st.markdown(reading(pair))
    st.caption(plain(pair[0].settings.model))


def _table(pair: Pair) -> pd.DataFrame:
    """Curves of both, by the kind of each."""
    of = {kind_of(one): (one.held_out, one.general) for one in pair}
    return frames.curves(of, _bits_a_nat(pair[0].settings.model))


def _bits_a_nat(base_id: str) -> float:
    language = language_of(base_id)
    spelled = [compute.cut(base_id, text).token_bytes for text in general(language)]
    return bits_a_nat(ordinary(compute.training(), base_id, language).general, spelled)


def kind_of(state: TrainingState) -> str:
    """Kind of a run of a pair: its remedy, smaller rank, or plain."""
    settings = live.adapter_settings(state)
    if settings.remedy.kind != "none":
        return settings.remedy.kind
    return "rank" if state.run_id == st.session_state[PAIR][1] else "plain"


def reading(pair: Pair) -> str:
    """Both runs in words, once each has been measured twice."""
    if not all(len(one.general) > 1 and len(one.held_out) > 1 for one in pair):
        return _("Both begin as the same model; the first losses come in a moment.")
    rises = [one.general[-1][1] / one.general[0][1] - 1 for one in pair]
    told = _(
        "On ordinary prose the loss changed by {a:+z.1%} plainly and by {b:+z.1%} with {name}; on held-out "
        "rows it is {c:.2f} and {d:.2f} nats per token."
    )
    said = told.format(
        a=rises[0], b=rises[1], name=names()[kind_of(pair[1])], c=pair[0].held_out[-1][1],
        d=pair[1].held_out[-1][1],
    )  # fmt: skip
    if all(one.status in ENDED for one in pair):
        said += " " + _verdict(rises, [one.held_out[-1][1] for one in pair])
    seen = pair[1].observed[-1] if pair[1].observed else None
    if isinstance(seen, RemedyObservation) and seen.penalty:
        told = _(
            "The weights have moved by {far:.1f}, for which the remedy adds {penalty:.4f} nats to the loss."
        )
        said += " " + told.format(far=seen.distance, penalty=seen.penalty)
    return said


def _verdict(rises: list[float], held_out: list[float]) -> str:
    if rises[0] <= live.NOTHING:
        return _("Plain training has forgotten hardly anything here, so there is nothing to keep.")
    keeps, learns = rises[1] < rises[0], held_out[1] <= held_out[0]
    if keeps and learns:
        return _("With the remedy less is lost, and no less is learned.")
    if keeps:
        return _("With the remedy less is lost, and less is learned.")
    return _("Here the remedy does not help: no less is lost than plainly.")


def _code(pair: Pair) -> str:
    data, settings = live.data_of(pair[1]), live.adapter_settings(pair[1])
    if data is None:
        return ""
    method = ForgettingMethod(kind_of(pair[1]), settings.remedy.strength, settings.lora.r)
    return code.remedied(method, settings, (data.trained_rows, data.tested_rows), language_of(settings.model))
