"""The known results of the ways as a picture, a sentence and a table, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import pandas as pd
import streamlit as st

from playground.charts import ways as charts
from playground.core import ways as core
from playground.core.glue import data_of, prompt, words
from playground.core.metrics.classification import Classification
from playground.core.tables import ways as frames
from playground.core.ways import BASELINE, OF_ENCODER, Way, WayAnswers
from playground.engine.contract.models import ModelInfo
from playground.ui import show
from playground.ui.text import N_, _, large, plain, share

NAMES: dict[str, str] = {
    "frozen": N_("Encoder + head\nfrozen"),
    "whole": N_("Encoder + head\nfine-tuned"),
    "zero": N_("Decoder\nzero-shot"),
    "few": N_("Decoder\nfew-shot"),
    "adapter": N_("Decoder\nLoRA adapter"),
    BASELINE: N_("Bag of words"),
}
Found = Mapping[Way, WayAnswers]
Languages = tuple[str, ...]


def picture(language: str, task: str, languages: Languages, found: Found) -> None:
    """Draw accuracy and cost of what is known, and the sentence that reads it."""
    table = _table(task, languages, found)
    costs = [_cost(found[way]) if way in found else "" for way in table["way"]]
    kinds = ["words" if way == BASELINE else _kind(way) for way in table["way"]]
    alt = _("Share of right answers of each way with its 95 % interval, and what it cost")
    spec = _picture(language, _levels(task, languages))
    show.show_chart(spec, "tasks_ways_picture", alt, data=table.assign(cost=costs, kind=kinds))
    st.markdown(told(task, languages, found))


def below(
    task: str, languages: Languages, found: Found, own: Sequence[Way], models: Mapping[Way, ModelInfo]
) -> None:
    """Draw the figures of each label's mean, where they come from, values and code."""
    table = _table(task, languages, found)
    st.dataframe(_shown(table, own), hide_index=True)
    for model_id in dict.fromkeys(one.model_id for one in found.values()):
        mine = [one for one in found.values() if one.model_id == model_id]
        ways = ", ".join(_name(one.way) for one in mine)
        line = [model_id, _("revision {hash}").format(hash=mine[0].revision[:12]), ways]
        st.caption(plain(" · ".join(line)))
    show.under_picture(
        "tasks_ways", frame=table, code=partial(_code, task, languages, models), picture="tasks_ways_picture"
    )


def told(task: str, languages: Languages, found: Found) -> str:
    """The best way, which intervals include guessing, and which ways cannot be told apart."""
    if not found:
        return _("Nothing is measured yet with these models: the grey point is the bag of words alone.")
    figures = _figures(task, languages, found)
    level = core.chance(task, languages)
    best = max(found, key=lambda way: figures[way].accuracy)
    low, high = figures[best].accuracy_interval
    said = _("Best of {n}: {way}, {accuracy:.1%} right (95 % interval {low:.0%} to {high:.0%}).").format(
        n=len(found), way=_name(best), accuracy=figures[best].accuracy, low=low, high=high
    )
    near = core.like_chance(figures, level)
    if near:
        told = _("The interval includes guessing ({level:.0%}), so it could be chance: {ways}.")
        said += " " + told.format(level=level, ways=", ".join(map(_name, near)))
    else:
        said += " " + _("No interval includes guessing ({level:.0%}).").format(level=level)
    right: dict[str, list[bool]] = {
        way: core.right(task, languages, one.answers) for way, one in found.items()
    }
    right[BASELINE] = core.right(task, languages, core.baseline(task, languages))
    pairs = [pair for pair in core.not_told_apart(right) if best in pair]
    others = [_name(a if b == best else b) for a, b in pairs]
    if others:
        told = _("So few items ({n}) cannot tell it apart from: {ways}.")
        said += " " + told.format(n=figures[best].n, ways=", ".join(others))
    else:
        said += " " + _("It is better than every other one by more than chance.")
    return said


def _name(way: str) -> str:
    return _(NAMES[way]).replace("\n", " ")


def _kind(way: str) -> str:
    return "encoder" if way in OF_ENCODER else "decoder"


def _figures(task: str, languages: Languages, found: Found) -> dict[str, Classification]:
    answers: dict[str, tuple[str, ...]] = {way: one.answers for way, one in found.items()}
    answers[BASELINE] = core.baseline(task, languages)
    return {who: core.scored(task, languages, one) for who, one in answers.items()}


def _table(task: str, languages: Languages, found: Found) -> pd.DataFrame:
    answers: dict[str, WayAnswers] = {way: one for way, one in found.items()}  # noqa: C416  (str keys)
    return frames.ways(answers, _figures(task, languages, found), core.chance(task, languages))


def _cost(one: WayAnswers) -> str:
    """The trained numbers, seconds of the training and of the answers."""
    if not one.n_trained:
        return _("nothing trained · {seconds:.1f} s").format(seconds=one.seconds)
    told = _("{n} trained · {training:.0f} s + {seconds:.1f} s")
    return told.format(n=large(one.n_trained), training=one.training_s, seconds=one.seconds)


def _shown(table: pd.DataFrame, own: Sequence[Way]) -> pd.DataFrame:
    where = {True: _("here"), False: _("by our script")}
    parts = {
        _("Way"): table["way"].map(_name),
        _("Right"): table["n_right"].astype(str) + " / " + table["n"].astype(str),
        _("Accuracy"): table["accuracy"].map(lambda part: share(part, ".1%")),
        _("95 % interval"): [
            f"{share(low)} – {share(high)}" for low, high in zip(table["low"], table["high"], strict=True)
        ],
        _("Precision"): table["precision"].map("{:.3f}".format),
        _("Recall"): table["recall"].map("{:.3f}".format),
        _("F1 (macro)"): table["f1"].map("{:.3f}".format),
        _("Training, s"): table["training_s"].map(_or_dash),
        _("Answers, s"): table["seconds"].map(_or_dash),
        _("Trained numbers"): table["n_trained"].map(lambda n: "–" if pd.isna(n) else f"{n:,.0f}"),
        _("Measured"): ["–" if way == BASELINE else where[way in own] for way in table["way"]],
    }
    return pd.DataFrame(parts)


def _or_dash(seconds: float) -> str:
    return "–" if pd.isna(seconds) else f"{seconds:,.1f}"


def _levels(task: str, languages: Languages) -> str:
    return share(core.chance(task, languages))


@lru_cache
def _picture(language: str, level: str) -> dict[str, Any]:
    named = {
        "accuracy": _("Right answers"), "low": _("95 % interval from"), "high": _("to"),
        "n_right": _("Right"), "n": _("Items"), "f1": _("F1 (macro)"), "seconds": _("Answers, s"),
        "training_s": _("Training, s"), "n_trained": _("Trained numbers"),
        "chance": _("guessing: {level}").format(level=level), "kind_encoder": _("encoder"),
        "kind_decoder": _("decoder"), "kind_words": _("baseline without a model"),
    }  # fmt: skip
    return charts.ways(named | {way: _(name) for way, name in NAMES.items()})


def _code(task: str, languages: Languages, models: Mapping[Way, ModelInfo]) -> str:
    data = data_of(task)
    train, test = (
        [(list(one.texts), one.label) for one in part]
        for part in (data.part("train", languages), core.held_out(task, languages))
    )
    prompts = {
        way: [prompt(task, one, few_shot=way == "few") for one in core.held_out(task, languages)]
        for way in ("zero", "few")
    }
    return show.code(
        "tasks_ways", encoder=show.model_folder(models["frozen"].model_id),
        decoder=show.model_folder(models["zero"].model_id), prefix=models["frozen"].prefixes.text,
        training=train, test=test, labels=list(data.labels), words=list(words(task)), prompts=prompts,
    )  # fmt: skip
