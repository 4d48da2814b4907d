"""The same job by all three families: sentiment of the same reviews, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import pandas as pd
import streamlit as st

from playground.charts import families as charts
from playground.core.tables import families as frames
from playground.engine.models.catalogue import catalogue
from playground.ui import compute, download, show, state
from playground.ui.choose import choose
from playground.ui.families.judged import Judged, by_head, by_scores, known
from playground.ui.families.maps import NAMES
from playground.ui.families.players import FAMILIES, Family, Player
from playground.ui.families.sets import Item, prompt, source, test_items, training_items
from playground.ui.families.sources import knows_dates_only
from playground.ui.panels import Later
from playground.ui.roles import encoder_of, player
from playground.ui.state import PageContext
from playground.ui.text import _, large, plain, share

WANTED = "fam_job_wanted"


def panel(context: PageContext, found: Sequence[Player]) -> Later | None:
    """Draw the button and what was measured last.

    Args:
        context: From `frame.page`.
        found: The models that are in memory.

    Returns:
        What measures, to be called once the page is drawn; None when nothing is asked.
    """
    st.markdown(f"## {_('The same job three ways: is a review positive or negative?')}")
    able = {one.family: one for one in found if _can(one)}
    results = measured(context, found)
    missing = [
        family for family in FAMILIES if family not in results and (family in able or family == "encoder")
    ]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            _("Measure"), type="primary", key="fam_job_start", icon=":material/query_stats:",
            on_click=_want, args=(True,), disabled=not missing,
        )  # fmt: skip
        wanted = bool(st.session_state.get(WANTED)) and bool(missing)
        st.button(
            _("Stop"), key="fam_job_stop", icon=":material/stop:", on_click=_want, args=(False,),
            disabled=not wanted,
        )  # fmt: skip
    place = st.empty()
    _say_unable(found)
    if results:
        _draw(context, results)
    else:
        n, n_train = len(test_items()), len(training_items())
        told = _(
            "Reviews of our own ({n}), half of them Korean. The encoder's head is trained on others "
            "({n_train}); the decoder sees four of those in its prompt."
        )
        st.caption(told.format(n=n, n_train=n_train))
    return partial(_measure, context, able, missing, place) if wanted else None


def measured(context: PageContext, found: Sequence[Player]) -> dict[Family, Judged]:
    """The answers that are known of the models of the page."""
    models = {one.family: one.context.model for one in found}
    encoder = _encoder_id(context)
    models["encoder"] = next(info for info in compute.models() if info.model_id == encoder) if (
        context.model.kind != "encoder"
    ) else context.model  # fmt: skip
    answers = {family: known(models[family]) for family in FAMILIES if family in models}
    return {family: answer for family, answer in answers.items() if answer is not None}


def _want(wanted: bool) -> None:
    st.session_state[WANTED] = wanted


def _can(one: Player) -> bool:
    return not (one.family == "encoder-decoder" and knows_dates_only(one.context.model))


def _encoder_id(context: PageContext) -> str:
    """The encoder that reads both languages, where it is on this machine; else the default one."""
    return encoder_of(_korean())


def _korean() -> str:
    return " ".join(item.text for item in test_items() if item.language == "ko")


def _say_unable(found: Sequence[Player]) -> None:
    """Say that an encoder-decoder cannot do the job, and which one can."""
    for one in found:
        if _can(one):
            continue
        entries = catalogue(state.settings()).values()
        others = [entry for entry in entries if entry.kind == "encoder-decoder" and entry.source == "hub"]
        infos = {info.model_id: info for info in compute.models()}
        names = ", ".join(plain(entry.name) for entry in others)
        told = _(
            "{model} knows dates alone: it cannot tell praise from blame. An encoder-decoder that can: "
            "{models}; choose it in the sidebar."
        ).format(model=plain(one.context.model.name), models=names)
        if others and not any(download.is_on_this_machine(infos[entry.model_id]) for entry in others):
            told += " " + _("It has to be downloaded first, by whoever sits at the server.")
        st.info(told)


def _measure(context: PageContext, able: dict[Family, Player], missing: list[Family], place: Any) -> None:  # noqa: ANN401
    """Measure the families that are missing; Stop, or anything else the reader does, ends it."""
    with place.container():
        for family in missing:
            if family == "encoder":
                one = player(replace(context, text=_korean()), "encoder")
                if one is None:
                    return  # its line draws the page anew once it is in memory
                by_head(one)
            elif by_scores(family, able[family].context) is None:
                return
    _want(False)
    st.rerun()


# ---------------------------------------------------------------- what was measured


def _draw(context: PageContext, results: dict[Family, Judged]) -> None:
    languages = [item.language for item in test_items()]
    table = frames.accuracies({family: one.right for family, one in results.items()}, languages)
    alt = _("Share of right answers of each family with its 95 % interval, all reviews and by language")
    show.show_chart(_picture(context.language), "families_accuracies", alt, data=table)
    st.markdown(told(results, table))
    _costs(results)
    for one in results.values():
        show.source(one.model, f"{one.seconds:.1f} s")
    answers = _answers(results)
    show.under_picture(
        "families_job", frame=answers, code=partial(_code, results), picture="families_accuracies"
    )
    _errors(answers)


def told(results: dict[Family, Judged], table: pd.DataFrame) -> str:
    """Accuracy of each family, and whether the intervals tell the best from the next."""
    rows = table[table["language"] == "all"].set_index("family")
    told_each = _("{family} {accuracy:.1%} (95 % interval {low:.0%} to {high:.0%})")
    words = [
        told_each.format(
            family=_(NAMES[family]), accuracy=rows.loc[family, "accuracy"], low=rows.loc[family, "low"],
            high=rows.loc[family, "high"],
        )
        for family in results
    ]  # fmt: skip
    said = _("Right answers to the same reviews ({n}): {each}.").format(
        n=len(test_items()), each=", ".join(words)
    )
    if len(rows) > 1:
        ordered = rows.sort_values("accuracy", ascending=False)
        apart = ordered["low"].iloc[0] > ordered["high"].iloc[1]
        said += " " + (
            _("The best interval lies above the next one: the difference is more than chance.")
            if apart
            else _("The two best intervals overlap: so few reviews cannot tell these two apart for sure.")
        )
    return said


def _costs(results: dict[Family, Judged]) -> None:
    """Time and parameters side by side."""
    for column, (family, one) in zip(st.columns(len(results)), results.items(), strict=True):
        with column:
            lines = [
                _("{n} parameters").format(n=large(one.model.n_parameters)),
                _("{seconds:.2f} s for all reviews").format(seconds=one.seconds),
            ]
            if one.n_trained:
                told = _("Trained in {seconds:.1f} s: weights {n:,}, reviews {texts}")
                texts = len(training_items())
                lines.append(told.format(n=one.n_trained, texts=texts, seconds=one.training_s))
            else:
                lines.append(_("nothing trained"))
            st.markdown(f"**{_(NAMES[family])}** · {plain(one.model.name)}  \n" + "  \n".join(lines))


def _answers(results: dict[Family, Judged]) -> pd.DataFrame:
    items = test_items()
    table = pd.DataFrame(
        {
            "text": [item.text for item in items],
            "language": [item.language for item in items],
            "label": ["positive" if item.is_positive else "negative" for item in items],
        }
    )
    for family, one in results.items():
        table[family] = [round(p, 4) for p in one.probs]
        table[f"{family} right"] = one.right
    return table


def _errors(answers: pd.DataFrame) -> None:
    """The items, or those that somebody answered wrong: p(positive) of each family."""
    names = {"wrong": _("Answered wrong by somebody"), "all": _("All reviews")}
    chosen = choose("fam_items", names, _("Which reviews"))
    families = [family for family in FAMILIES if family in answers]
    rights = answers[[f"{family} right" for family in families]]
    shown = answers if chosen == "all" else answers[~rights.all(axis=1)]
    words = {True: "✓", False: "✗"}
    table = pd.DataFrame(
        {
            _("Review"): shown["text"],
            _("Label"): shown["label"].map({"positive": _("positive"), "negative": _("negative")}),
        }
    )
    for family in families:
        marks = shown[f"{family} right"].map(words)
        table[_(NAMES[family])] = marks + " " + shown[family].map(lambda p: share(p, ".0%"))
    st.dataframe(table, hide_index=True)
    st.caption(_("✓ right, ✗ wrong; beside it how probable the model finds *positive*."))


def _code(results: dict[Family, Judged]) -> str:
    def rows(items: Sequence[Item]) -> list[tuple[str, bool]]:
        return [(item.text, item.is_positive) for item in items]

    folders = {family: show.model_folder(one.model.model_id) for family, one in results.items()}
    items = test_items()
    asked: dict[Family, Callable[[Item], str]] = {"decoder": prompt, "encoder-decoder": source}
    encoder = results.get("encoder")
    return show.code(
        "families_job",
        folders=folders,
        prefix=encoder.model.prefixes.text if encoder else "",
        training=rows(training_items()) if encoder else [],
        test=rows(items),
        texts={family: [ask(item) for item in items] for family, ask in asked.items() if family in results},
    )


@lru_cache
def _picture(language: str) -> dict[str, Any]:
    words = {
        "accuracy": _("Right answers"), "low": _("95 % interval from"), "high": _("to"),
        "n_right": _("Right"), "n": _("Reviews"), "chance": _("guessing"), "all": _("all reviews"),
        "en": _("English"), "ko": _("Korean"),
    }  # fmt: skip
    names: dict[str, str] = {family: _(name) for family, name in NAMES.items()}
    return charts.accuracies(words | names)
