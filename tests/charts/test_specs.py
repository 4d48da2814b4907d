"""What holds for every picture drawn by Vega: shares are written as on every page."""

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
from playground.charts.theme import LOCALE

SHARE = re.compile(r"""(?:"format": "|format\(datum\.\w+, ')[^"']*[%p]["']""")


class Words(dict[str, str]):
    """Any word, said as it is called."""

    def __missing__(self, name: str) -> str:
        return name

    def __contains__(self, name: object) -> bool:
        return True


# What a parameter gets by its name; a parameter without a name here gets what its annotation says.
BY_NAME: Mapping[str, Any] = {
    "words": Words(), "measures": {"cosine": "a"}, "series": {"raw": "a", "centred": "b"}, "maps": {"a": "b"},
    "models": ("a", "b"), "prompts": ("a", "b"), "conditions": ("true",), "n_shots": (0, 1),
    "steps": 3, "modules": ("q_proj",), "tokenizers": ("a", "b"), "ink": "#fafafa", "log": True, "best": 1,
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


def _spec(function: Callable[..., Any]) -> dict[str, Any]:
    given = {
        name: range(3) if one.annotation == "range" else BY_NAME.get(name, 1)
        for name, one in inspect.signature(function).parameters.items()
    }
    spec = function(**given)
    return spec if isinstance(spec, dict) else spec.to_dict()


@pytest.mark.parametrize("name", DRAWN)
def test_a_share_has_a_space_before_its_sign(name: str) -> None:
    spec = _spec(DRAWN[name])
    shows_shares = SHARE.search(json.dumps(spec))
    assert spec.get("config") == (LOCALE if shows_shares else None), name


def test_most_pictures_are_looked_at() -> None:
    assert len(DRAWN) > 30
    assert sum("config" in _spec(function) for function in DRAWN.values()) > 15


def test_vega_knows_the_number_format() -> None:
    assert alt.Config.from_dict(dict(LOCALE)).to_dict() == LOCALE
    number = LOCALE["locale"]["number"]
    assert number["percent"].strip() == "%"
    assert number["percent"] != "%"
