"""Reward model: trained on the votes, held against simple rules, and read token by token."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.charts import rewards as charts
from playground.core.preferences.features import FEATURES, rule_accuracy
from playground.core.preferences.judged import PairAccuracy, pair_accuracy
from playground.core.tables import rewards as frames
from playground.ui import show
from playground.ui.alignment import learned, pool, rewarded, token_rewards
from playground.ui.alignment.rewarded import Given, Run
from playground.ui.number import slider
from playground.ui.panels import Later
from playground.ui.state import PageContext
from playground.ui.text import _, strong

PENALTIES = (0.001, 0.01, 0.1, 1.0, 10.0)
NO_VOTES = 0.1


def panel(context: PageContext) -> Later | None:
    """Draw the button, the run, and what the reward model has learned."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        penalty = slider(
            _("C: how freely the weights may grow"), PENALTIES, NO_VOTES, key="al_penalty", width=240,
            help=_("Logistic regression's C: the smaller, the closer to 0 the weights are held."),
        )  # fmt: skip
        st.button(
            _("Train the reward model"), type="primary", key="al_reward_start", icon=":material/play_arrow:",
            on_click=rewarded.start, args=(context, float(penalty)),
        )  # fmt: skip
        pool.whose()
    found = learned.learn_from(context)
    st.caption(found.told)
    run = rewarded.live(context)
    judges(run, rewarded.given_of(found))
    if run is not None and run.last is not None:
        features(run)
    return partial(_tokens, context, st.container())


def _tokens(context: PageContext, place: DeltaGenerator) -> None:
    head = rewarded.last_head(context)
    if head is not None:
        with place:
            token_rewards.picture(context, head)


# ---------------------------------------------------------------- in the right order


def judged(run: Run | None, given: Given) -> dict[tuple[str, str], PairAccuracy]:
    """(judge, set of pairs) -> share of pairs in the right order, of pairs that nothing was learned from."""
    sets = {"held_out": given.held_out, "others": given.others}
    found: dict[tuple[str, str], PairAccuracy] = {}
    if run is not None and (last := run.last) is not None:
        told = {"held_out": (last.chosen, last.rejected), "others": last.general}
        for name, (chosen, rejected) in told.items():
            if chosen:
                found["model", name] = pair_accuracy(chosen, rejected)
    for feature in FEATURES:
        found |= {(feature, name): rule_accuracy(feature, pairs) for name, pairs in sets.items() if pairs}
    return found


def judge_names() -> dict[str, str]:
    """Judge -> its name in the reader's language."""
    return {
        "model": _("the reward model"), "characters": _("the shorter answer"),
        "polite": _("more polite words"), "refusal": _("fewer words of refusal"),
        "marks": _("fewer ? and !"),
    }  # fmt: skip


def judges(run: Run | None, given: Given) -> None:
    """Draw the reward model beside rules that need no learning, on pairs that it has not learned from."""
    given = run.given if run is not None else given
    found = judged(run, given)
    st.markdown(f"## {_('Does it put pairs in the right order?')}")
    sets = {"held_out": _("held out of your votes") if given.is_voted else _("held out")}
    if given.others:
        sets["others"] = _("nobody voted on: as they come")
    names = judge_names()
    table = frames.accuracies(found)
    shown = table.assign(judge=table.judge.map(names))
    words = {
        "share": _("pairs in the right order"), "judge": _("judge"), "pairs": _("pairs"),
        "right": _("right pairs"),
    }  # fmt: skip
    show.show_chart(
        charts.accuracies(words, sets=sets, judges=tuple(names.values())), "al_judges",
        _("Share of pairs in the right order, of each judge, with intervals"), data=shown,
    )  # fmt: skip
    st.markdown(_order(found, given))
    show.under_picture(
        "al_judges", frame=lambda: shown,
        code=lambda: show.code("pair_accuracy", **_rewards(run, given)), picture="al_judges",
    )  # fmt: skip


def _rewards(run: Run | None, given: Given) -> dict[str, list[float]]:
    """Rewards of the held-out pairs for the shown code: those of the model, else minus the lengths."""
    if run is not None and run.last is not None:
        return {"chosen": list(run.last.chosen), "rejected": list(run.last.rejected)}
    lengths = [(-float(len(one.chosen)), -float(len(one.rejected))) for one in given.held_out]
    return {"chosen": [one for one, _other in lengths], "rejected": [other for _one, other in lengths]}


def _order(found: dict[tuple[str, str], PairAccuracy], given: Given) -> str:
    """The sentence that reads the picture; Markdown."""
    own = found.get(("model", "held_out"))
    if own is None:
        return _(
            "Rules need no learning: each puts some pairs in the right order. Train a reward model to "
            "compare."
        )
    told = _(
        "The reward model puts {right:g} of {n} held-out pairs in the right order: {share:.0%} "
        "(95 % interval {low:.0%} to {high:.0%})."
    )
    words = [told.format(right=own.n_right, n=own.n, share=own.share, low=own.low, high=own.high)]
    if (other := found.get(("model", "others"))) is not None:
        told = _("With those who wrote the pairs that nobody voted on it agrees in {right:g} of {n}.")
        words.append(told.format(right=other.n_right, n=other.n))
    if own.low <= 0.5:
        words.append(_("The interval reaches 50 %: so few pairs do not tell it from guessing."))
    return " ".join(words)


# ---------------------------------------------------------------- what it goes along with


def feature_names() -> dict[str, str]:
    """Feature -> its name in the reader's language."""
    return {
        "characters": _("length in characters"), "polite": _("polite words"),
        "refusal": _("words of refusal"), "marks": _("? and !"),
    }  # fmt: skip


def answers_of(run: Run) -> tuple[list[str], list[float]]:
    """All answers that a run has read, and their rewards."""
    last, given = run.last, run.given
    assert last is not None
    texts: list[str] = []
    rewards: list[float] = []
    for pairs, (chosen, rejected) in (
        (given.train, last.train),
        (given.held_out, (last.chosen, last.rejected)),
        (given.others, last.general),
    ):  # fmt: skip
        texts += [*(one.chosen for one in pairs), *(one.rejected for one in pairs)]
        rewards += [*chosen, *rejected]
    return texts, rewards


def features(run: Run) -> None:
    """Draw how far the reward of answers rises with simple features."""
    st.markdown(f"## {_('What does it really reward?')}")
    texts, rewards = answers_of(run)
    table = frames.correlations(texts, rewards)
    shown = table.assign(name=table.feature.map(feature_names()))
    words = {"correlation": _("correlation with the reward"), "feature": _("feature")}
    show.show_chart(
        charts.correlations(words),
        "al_features",
        _("Correlations of the reward with simple features"),
        data=shown,
    )
    st.markdown(feature_reading(texts, rewards))
    show.under_picture(
        "al_features", frame=lambda: shown,
        code=lambda: show.code("reward_features", answers=texts, rewards=[round(one, 6) for one in rewards]),
        picture="al_features",
    )  # fmt: skip


def strongest(texts: list[str], rewards: list[float]) -> str:
    """The feature that the reward goes along with most, in either direction; "" where none varies."""
    table = frames.correlations(texts, rewards)
    size = table.value.abs()
    return "" if size.isna().all() else str(table.feature.iloc[int(size.fillna(-1.0).to_numpy().argmax())])


def feature_reading(texts: list[str], rewards: list[float]) -> str:
    """The sentence that reads the correlations; Markdown."""
    name = strongest(texts, rewards)
    if not name:
        return _("All answers have as much of every feature, so nothing can go along with the reward.")
    table = frames.correlations(texts, rewards)
    row = table[table.feature == name]
    value, low, high = row[["value", "low", "high"]].to_numpy()[0].tolist()
    told = (
        _(
            "Over all answers ({n}) the reward **rises** most with {feature}: r = {value:.2f} "
            "({low:.2f} to {high:.2f})."
        )
        if value > 0
        else _(
            "Over all answers ({n}) the reward **falls** most with {feature}: r = {value:.2f} "
            "({low:.2f} to {high:.2f})."
        )
    )
    words = told.format(n=len(texts), feature=strong(feature_names()[name]), value=value, low=low, high=high)
    if low <= 0 <= high:
        words += " " + _("The interval holds 0: this may be chance.")
    share = float(np.square(value))
    return (
        words
        + " "
        + _("That is {share:.0%} of its variance; the rest is something else.").format(share=share)
    )
