"""What holds for every picture drawn by Vega: it is valid, can read its rows, and names its axes."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import altair as alt
import pytest

from playground import charts
from playground.charts.theme import LOCALE, side_by_side
from tests.charts.sample_tables import SAMPLE_TABLES

SHARE = re.compile(r"""(?:"format": "|format\(datum\.\w+, ')[^"']*[%p]["']""")
LITERAL = re.compile(r"""\"(?:[^"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'""")  # a string in an expression of Vega
OF_ROWS = ("calculate", "filter", "test")  # expressions about the rows of a table
EXPRESSIONS = (*OF_ROWS, "expr", "labelExpr", "signal")


class Words(dict[str, str]):
    """Any word in a language, with the quotes that break an expression in which it is not escaped."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self.language = language

    def __missing__(self, name: str) -> str:
        return {"en": f'«it\'s the "{name}"»', "ko": f"«'{name}'의 \"값\"»"}[self.language]

    def __contains__(self, name: object) -> bool:
        return True


# What a parameter gets by its name; a parameter without a name here gets what its annotation says.
BY_NAME: Mapping[str, Any] = {
    "measures": {"cosine": "a"}, "series": {"raw": "a", "centred": "b"}, "maps": {"a": "b"},
    "models": ("a", "b"), "prompts": ("a", "b"), "conditions": ("true",), "n_shots": (0, 1),
    "x_ends": (1.0, 3.0), "y_ends": (0.5, 1.5), "text": "general", "last": 3,
    "numbers": (10.0, 1e4), "steps": 3, "modules": ("q_proj",), "tokenizers": ("a", "b"), "ink": "#fafafa",
    "log": True,
    "best": 1,
    "remedies": ("plain", "ewc"), "ways": ("it's", "둘"), "groups": ("it's", "둘"), "sizes": ("it's", "둘"),
    "names": ("it's", "둘"), "tasks": {"rte": ("it's", "둘")}, "shares": (0.7, 0.75),
    "who": ("model", "baseline"), "metrics": ("it's", "둘"), "labels": ("a", "둘"),
    "xs": (1, 10), "ys": (1, 10), "budgets": (1e20, 1e21), "kinds": ("all", "law"),
    "times": ("before", "after"), "strides": [4, 8], "contexts": [8, 16], "extent": 1.5, "chance": 0.5,
    "measure": "bits", "named": {"m": "it's"}, "branches": ("it's", "둘"), "goal": 0.8, "n_texts": 2,
    "most": 8.0,
    "sets": {"held_out": "it's", "others": "둘"}, "judges": ("it's", "둘"),
    "schemes": {"data": "it's", "zero3": "둘"}, "n_most": 1e9, "longest": 64,
    "field": "n_right", "roles": ("it's", "둘"),
}  # fmt: skip


def _drawn() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every function of playground.charts that gives a specification."""
    for path in sorted(Path(charts.__file__).parent.glob("*.py")):
        if path.stem == "bertviz":  # pages of its own
            continue
        module = importlib.import_module(f"playground.charts.{path.stem}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            words = inspect.signature(function).parameters.keys() & {"words"}
            if function.__module__ == module.__name__ and not name.startswith("_") and words:
                yield f"{path.stem}.{name}", function


DRAWN = dict(_drawn())
EACH = pytest.mark.parametrize("name", DRAWN)
BOTH = pytest.mark.parametrize("language", ["en", "ko"])


def _spec(name: str, language: str = "en") -> dict[str, Any]:
    given = {
        name: range(3) if one.annotation == "range" else BY_NAME.get(name, 1)
        for name, one in inspect.signature(DRAWN[name]).parameters.items()
    }
    spec: dict[str, Any] = DRAWN[name](**given | {"words": Words(language)})
    return spec


def under(spec: Any, *keys: str) -> Iterator[Any]:
    """Every value that stands under one of these keys, at any depth; of a list each."""
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key in keys:
                yield from value if isinstance(value, list) else [value]
            yield from under(value, *keys)
    elif isinstance(spec, list):
        for value in spec:
            yield from under(value, *keys)


def texts(spec: Any, *keys: str) -> set[str]:
    return {value for value in under(spec, *keys) if isinstance(value, str)}


def axes(view: dict[str, Any], channel: str) -> Iterator[dict[str, Any]]:
    """What each layer of a view says of one of its axes: type, title, labels; nothing where it draws none."""
    for layer in view.get("layer", []):
        yield from axes({**layer, "encoding": view.get("encoding", {}) | layer.get("encoding", {})}, channel)
    own = view.get("encoding", {}).get(channel, {})
    if "layer" not in view and {"field", "aggregate"} & own.keys() and own.get("axis", {}) is not None:
        yield {key: own[key] for key in ("type", "title") if key in own} | own.get("axis", {})


@EACH
@BOTH
def test_a_picture_over_its_rows_is_valid_vega_lite(name: str, language: str) -> None:
    spec = _spec(name, language)
    assert list(under(spec, "data")) == [], "the rows come beside it"
    if "columns" in spec:
        assert spec.pop("columns") == side_by_side(spec["hconcat"], 0)["columns"]  # Vega's, not Vega-Lite's
    rows = json.loads(SAMPLE_TABLES[name]().to_json(orient="records"))
    assert rows
    alt.TopLevelSpec.validate({"data": {"values": rows}, **spec})


@EACH
def test_a_picture_reads_only_columns_of_its_table(name: str) -> None:
    spec = _spec(name)
    columns, made = set(SAMPLE_TABLES[name]().columns), texts(spec, "as")
    read = texts(spec, "field", "groupby")
    read |= {name for text in texts(spec, *OF_ROWS) for name in re.findall(r"datum\.(\w+)", text)}
    assert read - made <= columns
    assert read & columns


@EACH
@BOTH
def test_words_in_expressions_are_escaped(name: str, language: str) -> None:
    for expression in texts(_spec(name, language), *EXPRESSIONS):
        assert not re.search(r"[«»'\"]", LITERAL.sub("", expression)), expression


@EACH
def test_an_axis_says_what_it_shows(name: str) -> None:
    """By a word of the reader's, never by the name of a column; categories speak for themselves."""
    spec = _spec(name)
    for view in spec.get("hconcat", [spec]):
        for channel in "xy":
            drawn = list(axes(view, channel))
            titles = [axis["title"] for axis in drawn if "title" in axis]
            assert titles or not drawn, f"{channel}: Vega would write the column's name"
            if any(titles):
                assert all(title.startswith("«") for title in titles if title)
            elif any(axis.get("labels", True) for axis in drawn) and "title" not in view:
                assert {axis["type"] for axis in drawn} <= {"nominal", "ordinal"}, channel


@EACH
def test_a_share_has_a_space_before_its_sign(name: str) -> None:
    spec = _spec(name)
    shows_shares = SHARE.search(json.dumps(spec))
    assert spec.get("config") == (LOCALE if shows_shares else None), name


def test_every_picture_has_a_sample_of_its_table() -> None:
    assert SAMPLE_TABLES.keys() == DRAWN.keys()
    assert len(DRAWN) > 30
    assert sum("config" in _spec(name) for name in DRAWN) > 15


def test_vega_knows_the_number_format() -> None:
    assert alt.Config.from_dict(dict(LOCALE)).to_dict() == LOCALE
    number = LOCALE["locale"]["number"]
    assert number["percent"].strip() == "%"
    assert number["percent"] != "%"
