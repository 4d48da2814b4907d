"""Prompt, retrieval, adapter or alignment: a tree walked with what this session has measured."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import streamlit as st

from playground.charts import lifecycle as charts
from playground.core import ways
from playground.core.glue import LANGUAGES, SENTIMENT
from playground.core.lifecycle import BRANCHES, Branch, Decision, Evidence, decide, items_needed
from playground.core.tables import lifecycle as frames
from playground.ui import findings, run_log, show
from playground.ui.components.station_map import Group, Mark, Station, station_map
from playground.ui.lifecycle import project, stations
from playground.ui.lifecycle.project import Project
from playground.ui.state import PageContext
from playground.ui.text import N_, _, share

NAMES: Mapping[Branch, str] = {
    "prompt": N_("Prompt"), "retrieval": N_("Retrieval"), "adapter": N_("Adapter"),
    "alignment": N_("Alignment"),
}  # fmt: skip
_ASKS: Mapping[Branch, str] = {
    "prompt": N_("Are instructions and examples enough?"),
    "retrieval": N_("Is it enough to put the right passage into the prompt?"),
    "adapter": N_("Is it enough to train some weights on rows of yours?"),
    "alignment": N_("Do people like what it writes?"),
}
_MEASURES: Mapping[Branch, str] = {
    "prompt": N_("right labels with the best number of examples"),
    "retrieval": N_("right answers with the right chunks in the prompt"),
    "adapter": N_("right answers in other words, after training"),
    "alignment": N_("thumbs up among the texts that you rated in Prompt tracking"),
}
_MARKS: Mapping[str, Mark] = {"enough": "yes", "short": "no", "unclear": "unclear", "open": "open"}
_TOLD: Mapping[str, str] = {
    "enough": N_("enough: stop here"), "short": N_("not enough: go on"),
    "unclear": N_("undecided: the goal lies within the interval"), "open": N_("not measured in this session"),
}  # fmt: skip
_PLACES: Mapping[Branch, tuple[str, Mapping[str, str]]] = {
    "prompt": ("prompting", {"pro_panel": "shots"}),
    "retrieval": ("retrieval", {"ret_panel": "answers", "ret_closer": "all"}),
    "adapter": ("finetuning", {"fin_panel": "questions"}),
    "alignment": ("lifecycle", {"lc_panel": "track"}),
}
_KINDS: Mapping[Branch, findings.Kind] = {"prompt": "prompt", "retrieval": "answers", "adapter": "adapter"}


def panel(context: PageContext) -> None:
    """Draw the tree, the measured shares against the goal, and what is missing."""
    st.markdown(f"## {_('What is the least that reaches the goal?')}")
    place = st.container()
    own = project.draw()
    measured = evidence()
    decision = decide(measured, own.goal)
    with place, st.container(key="lc_tree_picture"):
        station_map(
            [_branch(context, own, branch, measured, decision) for branch in BRANCHES],
            label=_("Decision tree from prompt to alignment"), back="", key="lc_tree",
        )  # fmt: skip
    st.markdown(_read(measured, decision, own.goal))
    _picture(context, measured, decision, own)


def evidence() -> dict[Branch, Evidence]:
    """Branch -> what this session measured of it, else what a script took down on a set of ours."""
    measured = dict(_shipped())
    for branch, kind in _KINDS.items():
        if (one := findings.latest(kind)) is not None:
            measured[branch] = Evidence(one.share, one.n, one.before)
    log = run_log.log()
    if log.thumbs:
        up = sum(thumb == "up" for thumb in log.thumbs.values())
        measured["alignment"] = Evidence(up / len(log.thumbs), len(log.thumbs))
    return measured


@lru_cache
def _shipped() -> Mapping[Branch, Evidence]:
    """Right labels of reviews behind a prompt with examples, and with an adapter; before: without either."""
    labels = [item.label for item in ways.held_out(SENTIMENT, LANGUAGES)]
    right = {
        one.way: sum(answer == label for answer, label in zip(one.answers, labels, strict=True)) / len(labels)
        for one in ways.shipped()
        if one.task == SENTIMENT and one.languages == LANGUAGES
    }
    return {
        "prompt": Evidence(right["few"], len(labels), right["zero"], is_own=False),
        "adapter": Evidence(right["adapter"], len(labels), right["zero"], is_own=False),
    }


def _branch(
    context: PageContext,
    own: Project,
    branch: Branch,
    measured: Mapping[Branch, Evidence],
    decision: Decision,
) -> Group:
    state = decision.verdicts[branch]
    told = _(_TOLD[state])
    page, params = _PLACES[branch]
    fact = " · ".join([*_figures(context, branch, measured.get(branch)), told])
    card = Station(
        branch, _(_ASKS[branch]), _(_MEASURES[branch]), fact, _MARKS[state], told,
        project.link(context, own, page, params),
    )  # fmt: skip
    return Group(f"{BRANCHES.index(branch) + 1} {_(NAMES[branch])}", [card])


def _figures(context: PageContext, branch: Branch, one: Evidence | None) -> list[str]:
    """The measured figures of a branch in words."""
    said = []
    if one is not None and one.is_own:
        said.append(_("{share:.0%} of {n}").format(share=one.share, n=one.n))
    elif one is not None:
        said.append(
            _("on our set {share:.0%} of {n}, taken down by a script").format(share=one.share, n=one.n)
        )
    if branch == "adapter" and (losses := stations.held_out_losses(context.owner, "sft")):
        first, best = losses[-1]
        said.append(_("held-out loss {first:.2f} → {best:.2f}").format(first=first, best=best))
    if branch == "retrieval" and (hits := findings.latest("search")) is not None:
        said.append(_("found among the first 3: {share:.0%} of {n}").format(share=hits.share, n=hits.n))
    return said


def _read(measured: Mapping[Branch, Evidence], decision: Decision, goal: float) -> str:
    """The tree in a sentence."""
    if decision.chosen is not None:
        told = _("**{branch}** is the least that reaches the goal of {goal}: what costs more is not needed.")
        return told.format(branch=_(NAMES[decision.chosen]), goal=share(goal))
    if decision.missing is None:
        return _(
            "Nothing that was measured reaches the goal of {goal}: a larger model, better data, or a "
            "lower goal."
        ).format(goal=share(goal))
    branch = decision.missing
    if decision.verdicts[branch] == "open":
        told = _(
            "Undecided at **{branch}**: nothing of this session says so. Its station opens the page that "
            "measures it."
        )
        return told.format(branch=_(NAMES[branch]))
    one = measured[branch]
    low, high = one.interval
    told = _("Undecided at **{branch}**: the interval from {low} to {high} holds the goal of {goal}.")
    said = told.format(branch=_(NAMES[branch]), low=share(low), high=share(high), goal=share(goal))
    if (n := items_needed(one.share, goal)) is not None:
        said += " " + _("With the same share it would be decided from so many items on: {n:,}.").format(n=n)
    return said


def _picture(
    context: PageContext, measured: Mapping[Branch, Evidence], decision: Decision, own: Project
) -> None:
    names = {branch: _(NAMES[branch]) for branch in BRANCHES}
    table = frames.evidence(measured, decision, names)
    alt = _("Measured share of each branch with its 95 % interval, and the goal")
    show.show_chart(_spec(context.language, own.goal), "lc_evidence", alt, data=table)
    st.caption(
        _(
            "Grey: taken down by a script of the playground on a set of ours; it decides nothing. "
            "Light blue: the same without examples, chunks or training. Only what this session measured "
            "decides."
        )
    )
    rows = {branch: (one.share, one.n, one.is_own) for branch, one in measured.items()}
    code = partial(show.code, "decisions", measured=rows, goal=own.goal)
    show.under_picture("lifecycle_tree", frame=table, code=code, picture="lc_evidence")


@lru_cache
def _spec(language: str, goal: float) -> dict[str, Any]:
    """The constant part of the picture; `language` is the session's."""
    words = {
        "share": _("Share of good answers"), "low": _("95 % interval from"), "high": _("to"), "n": _("Items"),
        "before": _("without it"), "branch": _("Branch"),
        "goal": _("goal: {goal}").format(goal=share(goal)),
        "enough": _("enough"), "short": _("not enough"), "unclear": _("undecided"),
        "open": _("not of this session"),
    }  # fmt: skip
    return charts.evidence(words, [_(NAMES[branch]) for branch in BRANCHES], goal)
