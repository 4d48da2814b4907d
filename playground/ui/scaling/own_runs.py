"""Held-out loss of tiny models against parameters, data or compute, with the law through the points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd
import streamlit as st

from playground.charts import scaling as charts
from playground.core.known_models import KnownModel, known_model
from playground.core.metrics.perplexity import Cost
from playground.core.scaling import FORMS, Form, PowerFit, can_fit, fit
from playground.core.scaling_runs import AXES, Axis, Point, TinyRun, points, shipped, usual_tokens
from playground.core.tables import scaling as frames
from playground.engine.contract.models import ModelInfo
from playground.ui import show
from playground.ui.choose import choose
from playground.ui.scaling import code, measured, own_points
from playground.ui.scaling.amounts import short
from playground.ui.state import PageContext
from playground.ui.text import N_, _, plain
from playground.ui.url import setting

AXIS_NAMES: dict[Axis, str] = {
    "parameters": N_("Parameters"),
    "data": N_("Data"),
    "compute": N_("Compute"),
}
FORM_NAMES: dict[Form, str] = {"line": N_("Straight line"), "floor": N_("With a floor")}
TITLES: dict[Axis, str] = {
    "parameters": N_("Parameters"),
    "data": N_("Different text to learn from (bytes)"),
    "compute": N_("Compute of the training (operations, 6ND)"),
}


@dataclass(frozen=True)
class Choice:
    """The reader's choice.

    Attributes:
        axis: The amount that grows.
        form: The law.
        has_model: True if the model at hand stands in the picture.
    """

    axis: Axis
    form: Form
    has_model: bool


@dataclass(frozen=True)
class Seen:
    """The picture.

    Attributes:
        choice: The reader's choice.
        points: The points of the axis.
        law: The law through those that count; None where they are too few.
        before: The law without the reader's own points; None where they have none.
    """

    choice: Choice
    points: list[Point]
    law: PowerFit | None
    before: PowerFit | None


@dataclass(frozen=True)
class AtHand:
    """The model at hand as a point.

    Attributes:
        model: The model.
        known: Its published facts, None where they are not listed.
        cost: Its measured loss.
        x: Its place on the axis.
    """

    model: ModelInfo
    known: KnownModel | None
    cost: Cost
    x: float


def _axis() -> Axis:
    """Draw the choice of the axis."""
    chosen = choose("sca_axis", {axis: _(AXIS_NAMES[axis]) for axis in AXES}, _("Axis"))
    return next(axis for axis in AXES if axis == chosen)


def choose_them() -> Choice:
    """Draw the controls above the picture."""
    with st.container(horizontal=True, vertical_alignment="center", key="sca_choice"):
        axis = _axis()
        chosen = choose("sca_form", {form: _(FORM_NAMES[form]) for form in FORMS}, _("Law"))
        form = next(form for form in FORMS if form == chosen)
        has_model = st.toggle(
            _("Show the model at hand"), **setting("sca_model", False),
            help=_("The axis then reaches up to its size, data or compute."),
        )  # fmt: skip
    return Choice(axis, form, has_model)


def picture(context: PageContext, choice: Choice) -> Seen:
    """Draw the picture, the sentence that reads it, and what stands below it."""
    own = own_points.runs()
    every = [*shipped(), *own]
    found = points(every, choice.axis)
    law = law_of(found, choice.form)
    before = law_of(points(shipped(), choice.axis), choice.form) if own else None
    seen = Seen(choice, found, law, before)
    hand = at_hand(context, choice.axis) if choice.has_model else None
    _draw(seen, hand)
    st.markdown(" ".join(filter(None, (_reading(seen), _with_own(seen), _far(seen, hand)))))
    if choice.has_model:
        measured.say(context)
    _provenance(every, choice.axis)
    show.under_picture(
        "scaling", frame=frames.points(found, law), code=lambda: code.law(seen.points, choice.form),
        picture="sca_losses",
    )  # fmt: skip
    return seen


def law_of(found: Sequence[Point], form: Form) -> PowerFit | None:
    """The law through the points that count, None where they are too few."""
    counted = [one for one in found if one.is_fitted]
    x = tuple(one.x for one in counted)
    return _law(x, tuple(one.loss for one in counted), form) if can_fit(x, form) else None


@lru_cache(maxsize=64)
def _law(x: tuple[float, ...], loss: tuple[float, ...], form: Form) -> PowerFit:
    return fit(x, loss, form)


def at_hand(context: PageContext, axis: Axis) -> AtHand | None:
    """The model at hand on an axis; None until it is measured, or where its place is not published."""
    found = measured.known(context)
    if found is None:
        return None
    model, cost = found
    facts = known_model(model.model_id)
    if axis == "parameters":
        n = facts.n_parameters if facts else model.n_parameters
        return AtHand(model, facts, cost, n) if n else None
    if facts is None:
        return None
    bytes_per_token = cost.n_bytes / cost.n_pieces
    return AtHand(model, facts, cost, facts.n_tokens * bytes_per_token if axis == "data" else facts.flops)


def ends(values: Sequence[float]) -> tuple[float, float]:
    """Ends of a logarithmic axis around some values: half a power of ten to both sides, on thirds of one.

    Example:
        >>> tuple(round(one) for one in ends([2e4, 9e5]))
        (4642, 4641589)
    """
    low, high = math.log10(min(values)), math.log10(max(values))
    return 10 ** (math.floor(3 * (low - 0.4)) / 3), 10 ** (math.ceil(3 * (high + 0.4)) / 3)


def loss_ends(values: Sequence[float]) -> tuple[float, float]:
    """Ends of the axis of losses: the marks next to some values.

    Example:
        >>> loss_ends([1.9, 3.1])
        (1.5, 4)
    """
    marks = charts.LOSS_MARKS
    low = max((mark for mark in marks if mark < 0.97 * min(values)), default=marks[0])
    high = min((mark for mark in marks if mark > 1.03 * max(values)), default=2 * marks[-1])
    return low, high


def _draw(seen: Seen, hand: AtHand | None) -> None:
    choice = seen.choice
    xs = ends([*(one.x for one in seen.points), *([hand.x] if hand else [])])
    ys = loss_ends([*(one.loss for one in seen.points), *([hand.cost.bits_per_byte] if hand else [])])
    laws = {"law": seen.law, "law_before": seen.before}
    drawn = frames.laws({name: law for name, law in laws.items() if law is not None}, *xs)
    rows = [frames.points(seen.points, seen.law), drawn]
    if hand is not None:
        rows.insert(1, frames.model(hand.model.name, hand.x, hand.cost.bits_per_byte, seen.law, hand.known))
    data = pd.concat(rows, ignore_index=True)
    spec = charts.losses(
        _words(choice.axis),
        xs=xs,
        ys=ys,
        sizes=choice.axis == "compute",
        kinds=tuple(data["kind"].unique()),
    )
    alt = _(
        "Held-out loss of tiny models on logarithmic axes, with the law through them and its 95 % interval"
    )
    show.show_chart(spec, "sca_losses", alt, data=data)


def _words(axis: Axis) -> dict[str, str]:
    return {
        "x": _(TITLES[axis]),
        "loss": _("Held-out loss (bits per byte)"),
        "name": _("Run"),
        "n_parameters": _("Parameters"),
        "n_bytes": _("Different text (bytes)"),
        "n_tokens": _("Bytes or tokens read"),
        "flops": _("Operations (6ND)"),
        "seconds": _("Training time (s)"),
        "said": _("The law says"),
        "all": _("our runs, all of the text"),
        "part": _("our runs, a part of the text"),
        "own": _("your runs"),
        "model": _("the model at hand"),
        "law": _("law"),
        "law_before": _("law without your runs"),
    }


# ---------------------------------------------------------------- in words


def formula(law: PowerFit, axis: Axis) -> str:
    """A law as it is written.

    Example:
        >>> formula(fit([1, 10, 100], [8.0, 4.0, 2.0]), "compute")
        '$L = 8.00\\\\,C^{-0.301}$'
    """
    name = {"parameters": "N", "data": "D", "compute": "C"}[axis]
    a = (
        f"{law.a:.2f}"
        if 0.01 <= law.a < 1e4
        else rf"{law.a:.2e}".replace("e+0", "e").replace("e", r"\cdot 10^{") + "}"
    )
    floor = f" + {law.c:.2f}" if law.c else ""
    return rf"$L = {a}\,{name}^{{{-law.b:.3f}}}{floor}$"


def _reading(seen: Seen) -> str:
    law, axis = seen.law, seen.choice.axis
    if law is None:
        return _("There are too few points for a law of this form.")
    low, high = law.exponent_interval
    if seen.choice.form == "floor":
        told = _(
            "{formula}: the loss falls towards a floor of {floor:.2f} bits per byte (95 % interval "
            "{f_low:.2f} to {f_high:.2f}); the exponent is {b:.3f} (95 % interval {low:.3f} to {high:.3f}; "
            "points: {n})."
        )
        f_low, f_high = law.floor_interval
        return told.format(
            formula=formula(law, axis), floor=law.c, f_low=f_low, f_high=f_high, b=law.b, low=low, high=high,
            n=len(law.x),
        )  # fmt: skip
    told = _(
        "{formula}: ten times as much multiplies the held-out loss by **{factor:.3f}**. The exponent is "
        "{b:.3f} (95 % interval {low:.3f} to {high:.3f}; points: {n})."
    )
    return told.format(
        formula=formula(law, axis), factor=10**-law.b, b=law.b, low=low, high=high, n=len(law.x)
    )


def _with_own(seen: Seen) -> str:
    if seen.law is None or seen.before is None:
        return ""
    n_own = sum(one.run.is_own and one.is_fitted for one in seen.points)
    if not n_own:
        return _("Your points do not count for this law: something else than this amount differs too.")
    told = _("Your points ({n}) are in it; without them the exponent is {b:.3f}.")
    return told.format(n=n_own, b=seen.before.b)


def _far(seen: Seen, hand: AtHand | None) -> str:
    """The law continued to the model at hand, beside what was measured."""
    if hand is None or seen.law is None:
        return ""
    low, high = (float(side) for side in seen.law.band(hand.x))
    told = _(
        "Continued to {name} ({x}), the law says {said:.2f} bits per byte (95 % interval {low:.2f} to "
        "{high:.2f}); measured on the same held-out text: **{loss:.2f}**."
    )
    return told.format(
        name=plain(hand.model.name), x=short(hand.x), said=float(seen.law.at(hand.x)), low=low, high=high,
        loss=hand.cost.bits_per_byte,
    )  # fmt: skip


def _provenance(every: Sequence[TinyRun], axis: Axis) -> None:
    runs = [one for one in every if not one.is_own]
    told = {
        "parameters": _("Every run that counts read as many bytes ({tokens}), in as many steps."),
        "data": _("One size (parameters: {size}); the best held-out loss on the way counts."),
        "compute": _(
            "Every measurement of the runs on all of the text; those that no cheaper one beats count. "
            "Points of one run depend on each other, so the interval is too narrow."
        ),
    }[axis]
    size = next((one.run.n_parameters for one in points(runs, "data")), 0)
    tokens = usual_tokens(runs)
    words = [
        _("{n} tiny models trained from zero by our own script").format(n=len(runs)),
        told.format(tokens=short(tokens), size=short(size)),
    ]
    st.caption(plain(" · ".join(words)))
