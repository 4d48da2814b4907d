"""A model as a judge: which of two answers is better, in both orders, and with one of them lengthened."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import streamlit as st

from playground.charts import judge as charts
from playground.core.judging import JudgedPair, Share, Verdict, shares
from playground.core.tables import judge as frames
from playground.ui import show, unread_language
from playground.ui.choose import choose
from playground.ui.evaluation import judged, own_pair
from playground.ui.evaluation.judged import Rival, asked_of, shipped
from playground.ui.evaluation.shown import Shown
from playground.ui.panels import Later
from playground.ui.roles import player
from playground.ui.state import PageContext
from playground.ui.text import _, plain
from playground.ui.url import setting

WANTED = "ev_judge_wanted"
LANGUAGES = ("en", "ko")
RIVALS: tuple[Rival, ...] = ("worse", "longer")


def panel(context: PageContext, shown: Shown) -> Later | None:
    """Draw the judge's verdicts on our pairs, or on the reader's.

    Args:
        context: From `frame.page`.
        shown: Takes the verdict that a task asks about.

    Returns:
        What asks the judge, once the reader wanted it.
    """
    st.markdown(f"## {_('Which of two answers does the judge prefer, and why?')}")
    decoder = player(context, "decoder")
    if decoder is None:
        return None
    names = {"ours": _("Our pairs"), "mine": _("My own pair")}
    if choose("ev_judge_of", names, _("Pairs")) == "mine":
        own_pair.draw(decoder)
        return None
    return _ours(decoder, shown)


def _ours(context: PageContext, shown: Shown) -> Later | None:
    names = {"en": _("English"), "ko": _("Korean")}
    first = context.language if context.language in names else "en"
    with st.container(horizontal=True, vertical_alignment="center"):
        language = choose("ev_judge_lang", {first: names[first]} | names, _("Language of the pairs"))
        longer = st.toggle(_("The worse answer lengthened"), **setting("ev_judge_longer", False))
    rival: Rival = "longer" if longer else "worse"
    places = [at for at, one in enumerate(shipped()) if one.language == language]
    unread_language.say(shipped()[places[0]].question, context.model, {"logits"})
    later, place = _controls(context)
    with place.container():
        judged.measure(context, asked_of(places[:1], (rival,)))  # the first one at once: never empty
    if later is None:
        place.empty()
    found = judged.verdicts(context.model, places, rival)
    if found:
        shown.verdict = found.get(places[0])
        _draw(context, found, rival)
        _summary(context)
    _literal(context, places[0], rival)
    return later


def _controls(context: PageContext) -> tuple[Later | None, Any]:
    """The buttons; what asks all questions that are left, and where its bar stands."""
    every = asked_of(range(len(shipped())), RIVALS)
    n_left = sum(one not in judged.known(context.model) for one in every)
    wanted = bool(st.session_state.get(WANTED)) and n_left > 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            _("Judge all pairs"), type="primary", key="ev_judge_start", icon=":material/gavel:",
            on_click=_want, args=(True,), disabled=wanted or not n_left,
        )  # fmt: skip
        st.button(
            _("Stop"), key="ev_judge_stop", icon=":material/stop:", on_click=_want, args=(False,),
            disabled=not wanted,
        )  # fmt: skip
    told = _(
        "Our own pairs ({n}), half of them Korean: each in both orders, and once more with the worse answer "
        "lengthened."
    )
    st.caption(told.format(n=len(shipped())))
    place = st.empty()
    return (partial(_measure, context, place) if wanted else None), place


def _want(wanted: bool) -> None:
    st.session_state[WANTED] = wanted


def _measure(context: PageContext, place: Any) -> None:  # noqa: ANN401 - Streamlit's container
    with place.container():
        done = judged.measure(context, asked_of(range(len(shipped())), RIVALS))
    if done:
        _want(False)
        st.rerun()


# ---------------------------------------------------------------- what was judged


def _draw(context: PageContext, found: dict[int, Verdict], rival: Rival) -> None:
    pairs = [shipped()[at] for at in found]
    rivals = [one.worse if rival == "worse" else one.longer for one in pairs]
    table = frames.verdicts(pairs, list(found.values()), rivals)
    alt = _("How probable it is that the better answer wins, in both orders, pair by pair")
    show.show_chart(_verdicts(context.language), "ev_judge_pairs", alt, data=frames.points(table))
    first = table.iloc[0]
    turned = int(table["turns"].sum())
    told = _(
        "{question} Shown first, the better answer wins with {a:.0%}, shown second with {b:.0%}."
    ).format(question=f"*{plain(first['question'])}*", a=first["shown_first"], b=first["shown_second"])
    if len(table) > 1:
        counted = _("Of {n} pairs, the verdict turns with the order in {turned}.")
        told = f"{counted.format(n=len(table), turned=turned)} {told}"
    st.markdown(told)
    show.source(context.model)
    show.under_picture(
        "judge", frame=table, code=partial(_code, context, pairs, rivals), picture="ev_judge_pairs"
    )


def _code(context: PageContext, pairs: Sequence[JudgedPair], rivals: Sequence[str]) -> str:
    model = context.model
    return show.code(
        "judge", folder=show.model_folder(model.model_id), is_chat=judged.is_chat(model),
        labels=list(judged.labels(model)),
        templates={name: judged.template(model, name) for name in judged.TEMPLATES},
        pairs=[
            (one.language, one.question, one.better, rival)
            for one, rival in zip(pairs, rivals, strict=True)
        ],
    )  # fmt: skip


def _summary(context: PageContext) -> None:
    """The shares of all pairs and by language, once all have been judged."""
    found = measured(context)
    if not found:
        st.caption(_("What the verdicts depend on is counted once all pairs have been judged."))
        return
    st.markdown(f"## {_('What do the verdicts depend on?')}")
    table = frames.shares(found)
    names = [one.name for one in found["all"]]
    alt = _("Shares of the verdicts with their 95 % intervals")
    show.show_chart(_shares(context.language, tuple(names)), "ev_judge_shares", alt, data=table)
    st.markdown("\n".join(_told(found["all"])))
    show.source(context.model)
    code = partial(_code, context, shipped(), [one.worse for one in shipped()])
    show.under_picture("judge_shares", frame=table, code=code, picture="ev_judge_shares")


def measured(context: PageContext) -> dict[str, list[Share]]:
    """Shares of all pairs and by language; empty while not all pairs have been judged."""
    groups: dict[str, Sequence[int]] = {"all": range(len(shipped()))}
    groups |= {name: [at for at, one in enumerate(shipped()) if one.language == name] for name in LANGUAGES}
    found: dict[str, list[Share]] = {}
    for name, places in groups.items():
        plain_, longer = (judged.verdicts(context.model, places, rival) for rival in RIVALS)
        if len(plain_) < len(places):
            return {}
        whole = list(longer.values()) if len(longer) == len(places) else None
        found[name] = shares([shipped()[at] for at in places], list(plain_.values()), whole)
    return found


def _told(found: Sequence[Share]) -> list[str]:
    """Each share in words, and whether it may be chance."""
    lines = []
    for one in found:
        low, high = one.interval
        told = _("{what}: {share:.0%} ({n_yes} of {n}; 95 % interval {low:.0%} to {high:.0%}).")
        said = told.format(
            what=_names()[one.name], share=one.share, n_yes=one.n_yes, n=one.n, low=low, high=high
        )
        if one.chance is not None:
            said += " " + (
                _("Guessing, {chance:.0%}, lies inside: it may be chance.")
                if one.may_be_chance
                else _("Guessing, {chance:.0%}, lies outside: this is more than chance.")
            ).format(chance=one.chance)
        lines.append(f"- {said}")
    return lines


def _literal(context: PageContext, place: int, rival: Rival) -> None:
    pair = shipped()[place]
    with st.expander(_("What the judge reads"), icon=":material/article:"):
        worse = pair.worse if rival == "worse" else pair.longer
        own_pair.literal(context, pair.language, pair.question, pair.better, worse)


@lru_cache
def _verdicts(language: str) -> dict[str, Any]:
    words = {
        "wins": _("Probability that the better answer wins"), "first": _("better answer shown first (A)"),
        "second": _("better answer shown second (B)"), "question": _("Question"),
        "better": _("Better answer"), "worse": _("Worse answer"),
    }  # fmt: skip
    return charts.verdicts(words)


@lru_cache
def _shares(language: str, names: tuple[str, ...]) -> dict[str, Any]:
    words = {
        "share": _("Share of the verdicts"), "low": _("95 % interval from"), "high": _("to"),
        "n_yes": _("Verdicts of this kind"), "n": _("Verdicts in all"), "chance": _("guessing"),
        "all": _("all pairs"), "en": _("English"), "ko": _("Korean"),
    }  # fmt: skip
    return charts.shares(words | _names(), names=names)


def _names() -> dict[str, str]:
    return {
        "turns": _("The verdict turns with the order"),
        "first": _("The answer shown first wins"),
        "right": _("The better answer wins (mean of both orders)"),
        "longer": _("The longer answer wins (mean of both orders)"),
        "lengthened": _("The verdict changes once the worse answer is lengthened"),
    }
