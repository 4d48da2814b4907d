"""Pictures of the perplexity of a text: along it, under other windows, under two models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from playground.charts.theme import (
    AFTER,
    BITS,
    COUNT,
    CUT,
    KEY,
    NEUTRAL,
    QUERY,
    VALUE,
    legend_columns,
    side_by_side,
)

Spec = dict[str, Any]
LEAST, MOST = 2, 4_096  # perplexity where the axes of one model end
MOST_PIECES = 100_000  # where that of large pieces ends
MOST_BITS = 8  # by the byte: what a byte holds
ONE = ".3~r"  # three digits
PIECES = ",.4~r"  # as the sentence below the picture says it
COLOURS = [QUERY, KEY, VALUE, "#56B4E9", "#CC79A7", "#F0E442", AFTER, "#999999", CUT, NEUTRAL]


def running(words: Mapping[str, str], *, n_tokens: int, has_whole: bool) -> Spec:
    """Perplexity of the text up to each token; rows of `tables.court.lines`, dots where a window begins.

    Args:
        words: step, perplexity, token, context, windows, whole in the reader's language.
        n_tokens: Length of the axis.
        has_whole: Whether the line of the whole context is known too.
    """
    names = f"datum.label === 'windows' ? {_said(words['windows'])} : {_said(words['whole'])}"
    legend = {
        "title": None, "orient": "top", "columns": legend_columns(), "labelExpr": names, "labelLimit": 320,
        "symbolType": "stroke", "symbolSize": 600,
    }  # fmt: skip
    kinds = ["windows", "whole"] if has_whole else ["windows"]
    x = {
        "field": "step", "type": "quantitative", "title": words["step"],
        "scale": {"domain": [1, max(2, n_tokens)], "nice": False},
        "axis": {"tickMinStep": 1, "format": COUNT},
    }  # fmt: skip
    tooltip = [
        {"field": "token", "type": "nominal", "title": words["token"]},
        {"field": "context", "type": "quantitative", "title": words["context"], "format": COUNT},
        {"field": "perplexity", "type": "quantitative", "title": words["perplexity"], "format": ONE},
    ]
    line = {"field": "line", "type": "nominal", "legend": legend}
    return {
        "height": 320,
        "encoding": {
            "x": x,
            "y": _perplexity(words),
            "color": line | {"scale": {"domain": kinds, "range": [QUERY, CUT]}},
        },
        "layer": [
            {
                "mark": {"type": "line", "strokeWidth": 2.5, "clip": True},
                "encoding": {"strokeDash": line | {"scale": {"domain": kinds, "range": [[1, 0], [5, 4]]}}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 60, "opacity": 0},
                "encoding": {"tooltip": tooltip},
            },
        ],
    }


def by_context(words: Mapping[str, str], *, strides: list[int], contexts: list[int]) -> Spec:
    """Perplexity against the context, a line a stride; rows of `tables.court.under_windows`.

    Args:
        words: context, stride, perplexity, n_windows, now in the reader's language.
        strides: Strides of the lines.
        contexts: Ticks of the axis.
    """
    x = {
        "field": "context", "type": "quantitative", "title": words["context"],
        "scale": {"type": "log", "base": 2, "domain": [min(contexts), max(*contexts, 2)], "nice": False},
        "axis": {"values": contexts, "format": COUNT, "labelOverlap": True},
    }  # fmt: skip
    legend = {
        "title": words["stride"],
        "orient": "top",
        "columns": legend_columns(0, 5),
        "symbolType": "circle",
    }
    color = {
        "field": "stride", "type": "ordinal", "legend": legend,
        "scale": {"domain": strides, "range": COLOURS[: len(strides)]},
    }  # fmt: skip
    tooltip = [
        {"field": name, "type": "quantitative", "title": words[name], "format": form}
        for name, form in (("context", COUNT), ("stride", COUNT), ("n_windows", COUNT), ("perplexity", ONE))
    ]
    shared = {"x": x, "y": _perplexity(words), "color": color, "tooltip": tooltip}
    here = {"transform": [{"filter": "datum.now"}]}
    return {
        "height": 320,
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 2, "clip": True}, "encoding": shared},
            {"mark": {"type": "point", "filled": True, "size": 70, "opacity": 1}, "encoding": shared},
            here
            | {
                "mark": {"type": "point", "size": 260, "strokeWidth": 2.5, "color": AFTER, "filled": False},
                "encoding": {"x": x, "y": shared["y"]},
            },
            here
            | {
                "mark": {"type": "text", "dy": -18, "color": AFTER, "text": words["now"]},
                "encoding": {"x": x, "y": shared["y"]},
            },
        ],
    }  # fmt: skip


def models(words: Mapping[str, str]) -> Spec:
    """Perplexity by the piece, and bits by the byte, a bar a row of `tables.court.models`.

    Args:
        words: perplexity, bits_per_byte, model, pieces, n_pieces, total_bits in the reader's language.
    """
    tooltip = [
        {"field": name, "type": kind, "title": words[name]} | ({"format": form} if form else {})
        for name, kind, form in (
            ("model", "nominal", None), ("pieces", "nominal", None), ("n_pieces", "quantitative", COUNT),
            ("perplexity", "quantitative", ONE), ("total_bits", "quantitative", ".1f"),
            ("bits_per_byte", "quantitative", BITS),
        )
    ]  # fmt: skip
    panels = [
        _bars(words["perplexity"], _log(None, (1, MOST_PIECES), 10, [1, 100, 10_000]), PIECES, tooltip),
        _bars(
            words["bits_per_byte"],
            {
                "field": "bits_per_byte",
                "type": "quantitative",
                "title": None,
                "scale": {"domain": [0, MOST_BITS], "nice": False, "clamp": True},
            },
            BITS,
            tooltip,
        ),
    ]
    return side_by_side(panels, 40)


def _bars(title: str, x: Spec, form: str, tooltip: list[Spec]) -> Spec:
    y = {"field": "row", "type": "ordinal", "axis": None}
    above = {"type": "text", "align": "left", "dy": -18, "color": NEUTRAL, "fontSize": 12, "limit": 300}
    value = {"type": "text", "align": "left", "dx": 4, "dy": 1, "color": NEUTRAL, "fontSize": 13}
    color = {
        "field": "which",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": ["first", "second"], "range": [QUERY, KEY]},
    }
    number = {"text": {"field": x["field"], "type": "quantitative", "format": form}}
    return {
        "title": {"text": title, "anchor": "start", "fontSize": 14},
        "width": 300,
        "height": {"step": 48},
        "transform": [
            {"window": [{"op": "row_number", "as": "row"}]},
            {"calculate": "datum.model + ' · ' + datum.pieces", "as": "name"},
        ],
        "encoding": {"y": y, "tooltip": tooltip},
        "layer": [
            {"mark": {"type": "bar", "height": 14, "yOffset": 6}, "encoding": {"x": x, "color": color}},
            {"mark": above | {"dy": -10}, "encoding": {"x": {"value": 0}, "text": {"field": "name"}}},
            {"mark": value | {"dy": 7}, "encoding": {"x": x} | number},
        ],
    }


def _perplexity(words: Mapping[str, str]) -> Spec:
    return _log(words["perplexity"], (LEAST, MOST), 2, [2, 8, 32, 128, 512, 2_048])


def _log(title: str | None, domain: tuple[int, int], base: int, ticks: list[int]) -> Spec:
    return {
        "field": "perplexity", "type": "quantitative", "title": title,
        "scale": {"type": "log", "base": base, "domain": list(domain), "nice": False, "clamp": True},
        "axis": {"values": ticks, "format": COUNT},
    }  # fmt: skip


def _said(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
