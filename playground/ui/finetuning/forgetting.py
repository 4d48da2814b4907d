"""Against forgetting: what each remedy was measured to keep and to cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from playground.charts import forgetting as charts
from playground.core import forgetting as core
from playground.core.files.training_rows import split
from playground.core.forgetting import BesidePlain, ForgettingMethod, ForgettingTable
from playground.core.tables import forgetting as frames
from playground.engine.contract.forgetting_runs import measured_settings
from playground.ui import show
from playground.ui.choose import choose
from playground.ui.finetuning import code, forgetting_live, sets
from playground.ui.finetuning.controls import TrainingSettings
from playground.ui.finetuning.forgetting_words import KINDS, names, strength_of, words
from playground.ui.finetuning.sets import ReadSet
from playground.ui.state import PageContext
from playground.ui.text import _, plain, share

SET = "country"


def panel(context: PageContext, found: ReadSet | None, chosen: TrainingSettings | None) -> None:
    """Draw what was measured, then what trains both on the reader's rows."""
    st.markdown(f"## {_('What keeps the old skill, and what does it cost?')}")
    st.caption(
        _(
            "Rehearsal mixes old rows into every batch. L2-SP adds the squared distance of all weights to "
            "the start to the loss. EWC does so too, but holds most the weights that old texts depend on. A "
            "smaller rank gives the change fewer directions."
        )
    )
    table = core.shipped()
    beside = {kind: core.beside_plain(table.runs, kind) for kind in KINDS}
    views = {
        "both": _("Learned and lost"),
        "general": _("Lost, step by step"),
        "held_out": _("Learned, step by step"),
    }
    view = choose("fin_forget_view", views, _("Picture"))
    methods = [core.best(table.runs, "plain"), *(one.method for one in beside.values())]
    drawn = _points(table, methods) if view == "both" else _steps(table, methods, view)
    st.markdown(told(table, beside))
    with st.expander(_("All measured runs")):
        st.dataframe(_shown(table), hide_index=True)
    st.caption(_source(table))
    show.under_picture("fin_forget", frame=drawn, code=lambda: _code(beside), picture="fin_forget_picture")
    forgetting_live.panel(context, found, chosen, {kind: one.method for kind, one in beside.items()})


def told(table: ForgettingTable, beside: Mapping[str, BesidePlain]) -> str:
    """The picture in words: plain training, and each remedy beside it."""
    plain_runs = [one for one in table.runs if one.method.kind == "plain"]
    rises = [one.general[-1][1] / one.general[0][1] - 1 for one in plain_runs]
    held_out = [one.end[0] for one in plain_runs]
    begins = _(
        "Plain training brought the held-out loss from {first:.2f} to {last:.2f} nats per token. "
        "On ordinary prose the loss changed by {rise} (one number per seed)."
    ).format(
        first=plain_runs[0].held_out[0][1], last=_mean(held_out),
        rise=", ".join(share(one, "+z.1%") for one in rises),
    )  # fmt: skip
    said = [begins]
    sentences = {
        "keeps": _("Less is lost than that, with every seed (means of the seeds):"),
        "loses": _("More is lost than that, with every seed (means of the seeds):"),
        "unclear": _("The seeds do not agree (their means):"),
    }
    for verdict, sentence in sentences.items():
        mine = [_method(one) for one in beside.values() if one.verdict == verdict]
        if mine:
            said.append("\n".join([sentence, "", *(f"- {one}" for one in mine)]))
    return "\n\n".join(said)


def _method(one: BesidePlain) -> str:
    """A remedy with what it keeps and what it misses, means over the seeds."""
    told = _("{name}: {kept:+z.2f} nats per token on prose, {missed:+z.2f} on held-out rows")
    return told.format(name=_named(one.method), kept=-_mean(one.kept), missed=_mean(one.missed))


def _named(method: ForgettingMethod) -> str:
    size = strength_of(method)
    return f"{names()[method.kind]} {size}".strip()


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _points(table: ForgettingTable, methods: Sequence[ForgettingMethod]) -> pd.DataFrame:
    drawn = frames.points(table, methods)
    spec = charts.losses(words(), x_ends=_ends(drawn["held_out"]), y_ends=_ends(drawn["bits"]))
    alt = _(
        "Loss on ordinary prose against the held-out loss: the start, and a point for the end of each run"
    )
    show.show_chart(spec, "fin_forget_picture", alt, data=drawn)
    return drawn


def _steps(table: ForgettingTable, methods: Sequence[ForgettingMethod], text: str) -> pd.DataFrame:
    mine = [one for one in table.runs if one.method in methods and one.seed == 0]
    curves = {one.method.kind: (one.held_out, one.general) for one in mine}
    drawn = frames.curves(curves, table.bits_per_byte(1.0))
    ends = _ends(drawn.loc[drawn["text"] == text, "loss"])
    spec = charts.loss_steps(words(), text=text, remedies=list(curves), last=table.n_steps, y_ends=ends)
    alt = _("Loss of each remedy after every few steps of training, beside plain training")
    show.show_chart(spec, "fin_forget_picture", alt, data=drawn)
    return drawn


def _ends(values: pd.Series) -> tuple[float, float]:
    """Ends of an axis on tenths, around all values."""
    return math.floor(10 * float(values.min()) - 0.5) / 10, math.ceil(10 * float(values.max()) + 0.5) / 10


def _shown(table: ForgettingTable) -> pd.DataFrame:
    rows = [
        {
            _("Method"): names()[one.method.kind],
            _("Strength or rank"): strength_of(one.method) or "–",
            _("Seed"): one.seed,
            _("Held-out, nats per token"): f"{one.end[0]:.3f}",
            _("Prose, bits per byte"): f"{table.bits_per_byte(one.end[1]):.3f}",
            _("Change on prose"): share(one.general[-1][1] / one.general[0][1] - 1, "+z.1%"),
            _("Length of the change"): f"{one.distance:.1f}",
            _("Processor time, s"): f"{one.seconds:.0f}",
        }
        for one in table.runs
    ]
    return pd.DataFrame(rows)


def _source(table: ForgettingTable) -> str:
    said = _(
        "{model}, revision {hash}, on the rows {set} in English; steps: {n}, learning rate: {rate:g}, rank 8 "
        "where no other stands. Prose: the beginning of a story that no run reads. Filled: the best strength "
        "of each kind with the first seed (least sum of both losses), and the same with a second seed, which "
        "chose nothing."
    )
    return said.format(
        model=plain(table.model), hash=table.revision[:12], set=f"*{_(sets.NAMES[SET])}*", n=table.n_steps,
        rate=table.learning_rate,
    )  # fmt: skip


def _code(beside: Mapping[str, BesidePlain]) -> str:
    """The run with EWC, as our script trained it."""
    data = sets.training_set(SET, "en")
    assert data is not None
    train, held_out = split(data.rows)
    rows = (train, held_out[: sets.MOST_TESTED])
    return code.remedied(beside["ewc"].method, measured_settings(core.shipped().model, "", 0), rows, "en")
