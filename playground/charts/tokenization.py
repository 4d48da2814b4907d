"""Pictures of tokenization: the granularity ladder, the language bill, tokens against vocabulary size."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from playground.charts.theme import (
    AFTER,
    BEFORE,
    COUNT,
    CUT,
    KEY,
    LOCALE,
    NARROW,
    PERCENT,
    QUERY,
    VALUE,
    legend_columns,
    side_by_side,
)

SERIES = (QUERY, KEY, VALUE, AFTER, BEFORE, "#CC79A7", "#666666", CUT)
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "stroke")
_RATIO = ".2f"


def ladder(words: Mapping[str, str], ink: str) -> dict[str, Any]:
    """Vega-Lite of the rows of `tables.tokenization.ladder`: one line per granularity, one panel per measure.

    Args:
        ink: Colour of the numbers, one that can be read on the page's background.
        words: granularity, jamo, syllable, subword, word, d_vocab, n_units, oov_rate, lost in the reader's
            language.
    """
    names = {name: words[name] for name in ("jamo", "syllable", "subword", "word")}
    panels = [
        _panel(words, names, "d_vocab", COUNT, QUERY, scale={"type": "symlog", "constant": 10}),
        _panel(words, names, "n_units", COUNT, VALUE),
        _panel(words, names, "oov_rate", PERCENT, AFTER, scale={"domain": [0, 1]}),
        _panel(words, names, "lost", PERCENT, KEY, scale={"domain": [0, 1]}),
    ]
    for panel in panels:
        panel["layer"][1]["mark"]["color"] = ink
    for panel in panels[1:]:
        panel["layer"][0]["encoding"]["y"] = panel["layer"][1]["encoding"]["y"] = _rows(names, NARROW)
    return side_by_side(panels, 18) | {"config": LOCALE}


def _rows(names: Mapping[str, str], named: str = "true") -> dict[str, Any]:
    shown = f"{named} ? ({json.dumps(names, ensure_ascii=False)})[datum.value] : ''"
    return {
        "field": "granularity",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelExpr": shown, "labelLimit": 170},
        "scale": {"paddingInner": 0.3},
    }


def _panel(
    words: Mapping[str, str],
    names: Mapping[str, str],
    field: str,
    number: str,
    color: str,
    *,
    scale: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    y = _rows(names)
    plain: dict[str, Any] = {"ticks": False, "labels": False, "grid": False, "domain": False}
    x = {
        "field": field,
        "type": "quantitative",
        "title": None,
        "axis": plain,
        "scale": {"nice": False, **(scale or {})},
    }
    text = {"field": field, "type": "quantitative", "format": number}
    tooltip = [
        {"field": "granularity", "type": "nominal", "title": words["granularity"]},
        {**text, "title": words[field]},
    ]
    shared = {"y": y, "x": x}
    return {
        "title": {"text": words[field], "fontSize": 13, "fontWeight": "normal", "anchor": "start"},
        "width": 150,
        "height": 130,
        "layer": [
            {"mark": {"type": "bar", "color": color}, "encoding": {**shared, "tooltip": tooltip}},
            {
                "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 13},
                "encoding": {**shared, "text": text, "tooltip": tooltip},
            },
        ],
    }


def language_bill(words: Mapping[str, str], tokenizers: Sequence[str]) -> dict[str, Any]:
    """Vega-Lite of the rows of `tables.tokenization.language_bill`: tokens relative to English.

    Args:
        words: language, tokenizer, ratio, tokens, characters, per_character, and each language's name under
            `language_<code>`, in the reader's language.
        tokenizers: The names, in the order of their colours; colour and shape both tell them apart.
    """
    prefix = "language_"
    names = {key.removeprefix(prefix): name for key, name in words.items() if key.startswith(prefix)}
    shown = f"({json.dumps(names, ensure_ascii=False)})[datum.value]"
    y = {
        "field": "language",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelExpr": shown, "grid": True, "labelLimit": 140, "labelOverlap": False},
    }
    x = {
        "field": "ratio_to_english",
        "type": "quantitative",
        "title": words["ratio"],
        "scale": {"type": "log", "base": 2, "domain": [0.5, 16], "nice": False, "clamp": True},
        "axis": {"values": [0.5, 1, 2, 4, 8, 16], "format": "~g"},
    }
    legend = {"title": None, "orient": "bottom", "columns": legend_columns(3), "labelLimit": 260}
    kinds = list(tokenizers)
    n = len(kinds)
    color = {"field": "tokenizer", "type": "nominal", "legend": legend}
    encoding = {
        "y": y,
        "x": x,
        "color": {**color, "scale": {"domain": kinds, "range": [SERIES[i % len(SERIES)] for i in range(n)]}},
        "shape": {**color, "scale": {"domain": kinds, "range": [SHAPES[i % len(SHAPES)] for i in range(n)]}},
        "tooltip": [
            {"field": "tokenizer", "type": "nominal", "title": words["tokenizer"]},
            {"field": "ratio_to_english", "type": "quantitative", "title": words["ratio"], "format": _RATIO},
            {"field": "n_tokens", "type": "quantitative", "title": words["tokens"], "format": COUNT},
            {"field": "n_characters", "type": "quantitative", "title": words["characters"], "format": COUNT},
            {
                "field": "tokens_per_character",
                "type": "quantitative",
                "title": words["per_character"],
                "format": _RATIO,
            },
        ],
    }
    rule = {"mark": {"type": "rule", "strokeDash": [4, 3], "color": CUT}, "encoding": {"x": {"datum": 1}}}
    points = {"mark": {"type": "point", "filled": True, "size": 95, "opacity": 0.95}, "encoding": encoding}
    return {"height": 400, "layer": [rule, points]}


def vocabulary_curve(words: Mapping[str, str]) -> dict[str, Any]:
    """Vega-Lite of the rows of `tables.tokenization.vocabulary_curve`; `now` marks the current one.

    Args:
        words: d_vocab, per_word, now in the reader's language.
    """
    x = {
        "field": "d_vocab",
        "type": "quantitative",
        "title": words["d_vocab"],
        "scale": {"zero": False, "nice": False},
    }
    y = {
        "field": "tokens_per_word",
        "type": "quantitative",
        "title": words["per_word"],
        "scale": {"domainMin": 1, "nice": True, "zero": False},
    }
    tooltip = [
        {"field": "d_vocab", "type": "quantitative", "title": words["d_vocab"], "format": COUNT},
        {"field": "tokens_per_word", "type": "quantitative", "title": words["per_word"], "format": _RATIO},
    ]
    line = {
        "mark": {"type": "line", "color": QUERY, "strokeWidth": 2.5},
        "encoding": {"x": x, "y": y, "tooltip": tooltip},
    }
    here = [{"filter": "datum.now"}]
    point = {
        "transform": here,
        "mark": {"type": "point", "filled": True, "size": 110, "color": AFTER, "opacity": 1},
        "encoding": {"x": x, "y": y, "tooltip": tooltip},
    }
    name = {
        "transform": here,
        "mark": {"type": "text", "align": "left", "dx": 9, "dy": -8, "color": AFTER},
        "encoding": {"x": x, "y": y, "text": {"field": "label"}},
    }
    return {"height": 210, "layer": [line, point, name]}
