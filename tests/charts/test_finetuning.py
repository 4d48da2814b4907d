"""The pictures say the reader's words and no other, and keep their axes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from playground.charts import finetuning as charts


def words(*names: str) -> dict[str, str]:
    return {name: f"«it's {name}»" for name in names}


LOSS = words("step", "loss", "train", "smoothed", "held_out", "general", "best")
AREA = words("matrix", "shape", "n")
MAP = words("layer", "module", "change")
SPECTRUM = words("place", "value", "share")
LENGTH = words("n_tokens", "examples")
STRENGTH = words("strength", "probability", "token", "now")
SCORE = words("memorised", "generalised", "before", "after", "accuracy", "low", "high", "n", "chance")
PICTURES: dict[str, tuple[Any, dict[str, str]]] = {
    "losses": (charts.loss_curves(LOSS, log=False, best=40), LOSS),
    "log": (charts.loss_curves(LOSS, log=True, best=0, n_steps=200), LOSS),
    "areas": (charts.weight_areas(AREA), AREA),
    "map": (charts.delta_heat_map(MAP, ["q_proj", "up_proj"]), MAP),
    "spectrum": (charts.singular_value_bars(SPECTRUM), SPECTRUM),
    "lengths": (charts.length_histogram(LENGTH), LENGTH),
    "strengths": (charts.strength_lines(STRENGTH, 0.8), STRENGTH),
    "scores": (charts.score_bars(SCORE, chance=0.25), SCORE),
}
EACH = pytest.mark.parametrize(("spec", "said"), PICTURES.values(), ids=PICTURES)


def found(spec: Any, *keys: str) -> Iterator[Any]:
    """Every value that stands under one of these keys, at any depth."""
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key in keys:
                yield value
            yield from found(value, *keys)
    elif isinstance(spec, list):
        for value in spec:
            yield from found(value, *keys)


@EACH
def test_pictures_say_the_readers_words_and_no_other(spec: Any, said: dict[str, str]) -> None:
    shown = [text for text in found(spec, "title", "text") if isinstance(text, str)]
    assert set(shown) <= {"", *said.values()}
    assert all(word in json.dumps(spec, ensure_ascii=False) for word in said.values())
    for expression in found(spec, "labelExpr"):
        assert re.fullmatch(r"\((\{.*\})\)\[datum\.label\]", expression)
        assert set(json.loads(expression[1 : expression.rindex(")")]).values()) <= set(said.values())


def test_a_run_without_a_best_step_is_not_marked() -> None:
    spec = charts.loss_curves({**LOSS, "best": "never"}, log=False, best=None)
    assert "never" not in json.dumps(spec)


def test_loss_axes() -> None:
    spec = charts.loss_curves(LOSS, log=False, best=None, n_steps=200)
    line = spec["layer"][0]["encoding"]
    assert line["x"]["scale"]["domainMax"] == 200
    assert line["y"]["scale"] == {"zero": False}
    log = charts.loss_curves(LOSS, log=True, best=None)
    assert {y["scale"]["type"] for y in found(log, "y")} == {"log"}
    ticks = log["layer"][1]["encoding"]["y"]["axis"]["values"]
    widest = max(high / low for low, high in pairwise(ticks))
    assert widest < 1.3 * 1.3, "an axis around a single loss has a number"


def test_no_series_is_told_by_its_colour_alone() -> None:
    encoding = charts.loss_curves(LOSS, log=False, best=None)["layer"][2]["encoding"]
    dashes = dict(zip(charts.SERIES, encoding["strokeDash"]["scale"]["range"], strict=True))
    assert len({str(dashes[name]) for name in ("smoothed", "held_out", "general")}) == 3
    shape = PICTURES["strengths"][0]["layer"][3]["encoding"]["shape"]
    assert len(set(shape["scale"]["range"])) == 6


def test_a_unit_is_as_wide_as_it_is_high() -> None:
    spec = charts.weight_areas(AREA)["hconcat"][0]
    assert spec["width"] == spec["height"]
    corner = spec["layer"][0]["encoding"]
    assert corner["x"]["field"] == corner["y"]["field"]


def test_probabilities_keep_their_axis() -> None:
    axes = [y["scale"]["domain"] for name in ("strengths", "scores")
            for y in found(PICTURES[name][0], "y") if "scale" in y]  # fmt: skip
    assert axes == [[0, 1]] * len(axes)
