"""Pictures of few-shot prompts: labels before and after, accuracy against the number of examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from playground.charts.theme import (
    AFTER,
    BEFORE,
    CUT,
    KEY,
    LOCALE,
    NEUTRAL,
    PERCENT,
    QUERY,
    VALUE,
    legend_columns,
)

# a change that is shown as zero has no sign
CHANGE = "abs(datum.change) < 0.0005 ? '0.0%' : format(datum.change, '+.1%')"


def label_bars(words: Mapping[str, str]) -> dict[str, Any]:
    """The probability of each answer without and with the examples; the data come beside it.

    Args:
        words: label, probability, logprob, tokens, none, shots, prompt in the reader's language.
    """
    prompt = f"datum.prompt === 'none' ? {_js(words['none'])} : {_js(words['shots'])}"
    rows = alt.Chart(alt.NamedData("rows")).transform_calculate(said=prompt)
    y = alt.Y("label:N", title=None, sort=None, axis=alt.Axis(labelLimit=150, labelFontSize=14))
    x = alt.X(
        "probability:Q", title=words["probability"], scale=alt.Scale(domain=[0, 1.12], nice=False),
        axis=alt.Axis(format="%", values=[0, 0.2, 0.4, 0.6, 0.8, 1]),
    )  # fmt: skip
    domain = [words["none"], words["shots"]]
    color = alt.Color(
        "said:N", scale=alt.Scale(domain=domain, range=[BEFORE, AFTER]),
        legend=alt.Legend(title=None, orient="top", labelLimit=220, columns=1),
    )  # fmt: skip
    tooltip = [
        alt.Tooltip("label:N", title=words["label"]),
        alt.Tooltip("said:N", title=words["prompt"]),
        alt.Tooltip("probability:Q", title=words["probability"], format=PERCENT),
        alt.Tooltip("logprob:Q", title=words["logprob"], format=".2f"),
        alt.Tooltip("n_tokens:Q", title=words["tokens"]),
    ]
    offset = alt.YOffset("said:N", scale=alt.Scale(domain=domain))
    bars = rows.mark_bar().encode(y=y, x=x, yOffset=offset, color=color, tooltip=tooltip)
    share = rows.mark_text(align="left", dx=4, color=NEUTRAL, fontSize=12).encode(
        y=y, x=x, yOffset=offset, text=alt.Text("probability:Q", format=".0%")
    )
    mark = (
        rows.transform_filter("datum.right && datum.prompt === 'shots'")
        .mark_point(shape="triangle-right", filled=True, size=70, color=VALUE, opacity=1)
        .encode(y=y, x=alt.value(-6))
    )
    return _spec(alt.layer(bars, share, mark), 300)


def accuracy_by_shots(
    words: Mapping[str, str], *, conditions: Sequence[str], n_shots: Sequence[int], chance: float
) -> dict[str, Any]:
    """Accuracy of each prompt of the sweep, their means joined, with 95 % intervals; the rows hold both.

    Args:
        words: n_shot, accuracy, draw, true, flipped, random, chance, labels, low, high in the reader's
            language.
        conditions: Conditions that are measured: true, flipped, random.
        n_shots: Numbers of examples, the axis.
        chance: Accuracy of guessing.
    """
    word = f"{{true: {_js(words['true'])}, flipped: {_js(words['flipped'])}, random: {_js(words['random'])}}}"
    rows = alt.Chart(alt.NamedData("rows")).transform_calculate(said=f"{word}[datum.condition]")
    x = alt.X(
        "n_shot:O", title=words["n_shot"], scale=alt.Scale(domain=list(n_shots)), axis=alt.Axis(labelAngle=0)
    )
    y = alt.Y(
        "accuracy:Q", title=words["accuracy"], scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")
    )
    looks = {"true": (QUERY, [1, 0]), "flipped": (AFTER, [6, 3]), "random": (KEY, [2, 3])}
    domain = [words[name] for name in conditions]
    color = alt.Color(
        "said:N", scale=alt.Scale(domain=domain, range=[looks[name][0] for name in conditions]),
        legend=alt.Legend(title=None, orient="top", columns=legend_columns()),
    )  # fmt: skip
    dash = alt.StrokeDash(
        "said:N", scale=alt.Scale(domain=domain, range=[looks[name][1] for name in conditions]), legend=None
    )
    offset = alt.XOffset("said:N", scale=alt.Scale(domain=domain))
    mean = rows.transform_filter("datum.draw == null")
    tips = [
        alt.Tooltip("said:N", title=words["labels"]),
        alt.Tooltip("n_shot:O", title=words["n_shot"]),
        alt.Tooltip("accuracy:Q", title=words["accuracy"], format=".1%"),
    ]
    range_ = [
        alt.Tooltip("low:Q", title=words["low"], format=".1%"),
        alt.Tooltip("high:Q", title=words["high"], format=".1%"),
    ]
    band = mean.mark_rule(strokeWidth=2, opacity=0.55).encode(
        x=x, xOffset=offset, color=color, y=alt.Y("low:Q", title=words["accuracy"]), y2="high:Q",
        tooltip=tips + range_,
    )  # fmt: skip
    line = mean.mark_line(strokeWidth=2.5).encode(x=x, xOffset=offset, y=y, color=color, strokeDash=dash)
    spots = mean.mark_circle(size=110, opacity=1).encode(
        x=x, xOffset=offset, y=y, color=color, tooltip=tips + range_
    )
    each = (
        rows.transform_filter("datum.draw != null")
        .mark_tick(thickness=2, size=16, opacity=0.8)
        .encode(
            x=x, xOffset=offset, y=y, color=color, tooltip=[*tips, alt.Tooltip("draw:Q", title=words["draw"])]
        )
    )
    guess = rows.mark_rule(color=CUT, strokeDash=[4, 3]).encode(
        y=alt.YDatum(chance, type="quantitative"), tooltip=alt.value(words["chance"])
    )
    return _spec(alt.layer(guess, band, line, each, spots), 320)


def changes(words: Mapping[str, str], *, n_demos: int) -> dict[str, Any]:
    """Effect of each example on the probability of the answer, one bar each.

    Args:
        words: place, change, text, label, without in the reader's language.
        n_demos: Examples, for the height.
    """
    y = alt.Y("left_out:O", title=words["place"], axis=alt.Axis(labelFontSize=13))
    x = alt.X(
        "change:Q", title=words["change"], scale=alt.Scale(domain=[-1.05, 1.05], nice=False),
        axis=alt.Axis(format="+%", values=[-1, -0.5, 0, 0.5, 1]),
    )  # fmt: skip
    tooltip = [
        alt.Tooltip("left_out:O", title=words["place"]),
        alt.Tooltip("text:N", title=words["text"]),
        alt.Tooltip("label:N", title=words["label"]),
        alt.Tooltip("probability:Q", title=words["without"], format=".1%"),
        alt.Tooltip("shown:N", title=words["change"]),
    ]
    rows = alt.Chart(alt.NamedData("rows")).transform_calculate(shown=CHANGE).encode(y=y, tooltip=tooltip)
    color = alt.condition("datum.change >= 0", alt.value(VALUE), alt.value(AFTER))
    bars = rows.mark_bar().encode(x=x, color=color)
    text = rows.transform_calculate(
        said="datum.shown + '  ' + datum.label + ' ← ' + "
        "(length(datum.text) > 40 ? slice(datum.text, 0, 39) + '…' : datum.text)"
    )
    right = (
        text.transform_filter("datum.change >= 0")
        .mark_text(align="right", dx=-8, color=NEUTRAL, fontSize=12)
        .encode(x=alt.XDatum(0, type="quantitative"), text="said:N")
    )
    left = (
        text.transform_filter("datum.change < 0")
        .mark_text(align="left", dx=8, color=NEUTRAL, fontSize=12)
        .encode(x=alt.XDatum(0, type="quantitative"), text="said:N")
    )
    return _spec(alt.layer(bars, right, left), 34 * n_demos + 70)


def orders(words: Mapping[str, str], *, chance: float) -> dict[str, Any]:
    """Accuracy of each order of the same examples.

    Args:
        words: order, labels, accuracy, chance in the reader's language.
        chance: Accuracy of guessing.
    """
    x = alt.X(
        "accuracy:Q", title=words["accuracy"], scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")
    )
    y = alt.Y("order:O", title=words["order"])
    tooltip = [
        alt.Tooltip("order:O", title=words["order"]),
        alt.Tooltip("labels:N", title=words["labels"]),
        alt.Tooltip("accuracy:Q", title=words["accuracy"], format=".1%"),
    ]
    rows = alt.Chart(alt.NamedData("rows")).encode(y=y, tooltip=tooltip)
    stem = rows.mark_rule(color=CUT).encode(x=x, x2=alt.X2Datum(0))
    spots = rows.mark_circle(size=130, color=QUERY, opacity=1).encode(x=x)
    whole = alt.Chart(alt.NamedData("rows"))
    guess = whole.mark_rule(color=CUT, strokeDash=[4, 3]).encode(
        x=alt.XDatum(chance, type="quantitative"), tooltip=alt.value(words["chance"])
    )
    return _spec(alt.layer(guess, stem, spots), 230)


def _spec(chart: alt.LayerChart | alt.FacetChart, height: int) -> dict[str, Any]:
    """The layers alone: their data come beside them."""
    layers = chart.to_dict()["layer"]
    return {
        "layer": [{k: v for k, v in layer.items() if k != "data"} for layer in layers],
        "height": height,
        "config": LOCALE,
    }


def _js(text: str) -> str:
    """A string of Vega's expression language."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
