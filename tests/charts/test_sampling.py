"""The pictures have fixed axes, and their rows come from core.tables."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playground.charts import sampling as charts
from playground.core.tables import continuations as frames_many
from playground.core.tables import sampling as frames

CURVE_WORDS = {word: f"«{word}»" for word in ("temperature", "entropy", "n_kept", "all", "kept", "now")}
BAR_WORDS = {word: f"«{word}»" for word in ("token", "surprisal", "model", "drawn", "rank", "kept")}


def columns(spec: Any) -> set[str]:
    """Every field a specification reads."""
    if isinstance(spec, dict):
        own = {spec["field"]} if isinstance(spec.get("field"), str) else set()
        return own.union(*map(columns, spec.values()))
    return set().union(*map(columns, spec)) if isinstance(spec, list) else set()


def test_entropy_curve_has_fixed_axes_and_the_readers_words() -> None:
    text = json.dumps(charts.entropy_curve(CURVE_WORDS), ensure_ascii=False)
    assert '"domain": [0, 3]' in text
    assert '"domain": [0, 16]' in text
    assert all(word in text for word in CURVE_WORDS.values())


def test_surprisal_bars_have_a_place_for_every_step() -> None:
    spec = charts.surprisal_bars(BAR_WORDS, steps=range(1, 8))
    assert spec["encoding"]["x"]["scale"]["domain"] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("n_steps", [5, 32, 57, 128, 1500])
def test_no_name_of_a_bar_stands_on_another(n_steps: int) -> None:
    [_bar, names] = charts.surprisal_bars(BAR_WORDS, steps=range(1, n_steps + 1))["layer"]
    frames_ = [step["frame"] for step in names["transform"] if "frame" in step]
    for width, (before, after) in zip(charts.PICTURE_WIDTHS, frames_, strict=True):
        assert before == -after
        pitch = width / n_steps * (after + 1)  # the most surprising of so many bars on each side
        assert pitch >= charts.NAME_PITCH
        assert after == 0 or width / n_steps * after < charts.NAME_PITCH, "as many names as fit"


def test_quality_against_diversity_reads_the_columns_of_its_table() -> None:
    words = {w: f"«{w}»" for w in ("diversity", "quality", "temperature", "distinct", "repeated", "texts")}
    spec = charts.quality_against_diversity(words)
    assert columns(spec) <= set(frames_many.by_temperature([]).columns)
    assert all(word in json.dumps(spec, ensure_ascii=False) for word in words.values())


def test_path_tree_reads_the_columns_of_its_table() -> None:
    words = {word: f"«{word}»" for word in ("step", "path", "token", "text", "surprisal")}
    spec = charts.path_tree(words, steps=32)
    assert columns(spec) <= set(frames.Path._fields)
    assert all(word in json.dumps(spec, ensure_ascii=False) for word in words.values())
