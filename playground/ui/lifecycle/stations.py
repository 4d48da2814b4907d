"""The stations of the life cycle: the page that each opens, and the facts that this session has of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from playground import navigation
from playground.ui import adapters, compute, course, findings, run_log
from playground.ui.state import PageContext
from playground.ui.text import N_, _, lesson, ngettext
from playground.ui.try_this import n_solved

State = Literal["done", "seen", "open"]


@dataclass(frozen=True, slots=True)
class Station:
    """A station of the life cycle.

    Attributes:
        id: Its name.
        page: Name of the page it opens.
        ask: Question that is answered there, a msgid.
        title: Its name where that is not the page's, a msgid.
        params: Settings of the page.
    """

    id: str
    page: str
    ask: str
    title: str = ""
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name in the reader's language."""
        return _(self.title) if self.title else lesson(self.page).title


GROUPS: Mapping[str, tuple[Station, ...]] = {
    N_("1 Define the task"): (
        Station("task", "tasks", N_("Which job is it, and how good must it be?")),
        Station("tokens", "tokenization", N_("How many tokens does a request cost?")),
    ),
    N_("2 Choose a model"): (
        Station("kind", "families", N_("Which kind reads and writes what the task needs?")),
        Station("memory", "memory", N_("Does it fit?")),
        Station("size", "scaling", N_("Is bigger worth it?")),
        Station("zero", "pretraining", N_("Does none of the known models fit?")),
    ),
    N_("3 Adapt"): (
        Station("prompt", "prompting", N_("Are instructions and examples enough?"),
        params={"pro_panel": "shots"}),
        Station("retrieval", "retrieval", N_("Does it need to look things up?"),
        params={"ret_panel": "answers"}),
        Station("adapter", "finetuning", N_("Do some trained weights help?")),
    ),
    N_("4 Evaluate and align"): (
        Station("evaluation", "evaluation", N_("What does the number see?")),
        Station("alignment", "alignment", N_("Which answers do people prefer?")),
    ),
    N_("5 Use and watch"): (
        Station("agents", "agents", N_("Does it need tools and several steps?")),
        Station(
            "serve", "lifecycle", N_("How do programs ask it?"), N_("Serve"), {"lc_panel": "serve"}
        ),
        Station("track", "lifecycle", N_("Which prompt, settings, model?"), N_("Prompt tracking"),
        {"lc_panel": "track"}),
        Station("drift", "lifecycle", N_("What does a new model change?"), N_("Drift"),
        {"lc_panel": "drift"}),
        Station("watch", "lifecycle", N_("What goes wrong in use?"), N_("Watch"), {"lc_panel": "watch"}),
    ),
}  # fmt: skip


def groups() -> dict[str, list[Station]]:
    """Heading, in the reader's language -> its stations, those whose page is here."""
    return {
        _(heading): [one for one in stations if one.page in navigation.BY_NAME]
        for heading, stations in GROUPS.items()
    }


def facts(context: PageContext) -> dict[str, list[str]]:
    """Station -> what this session has measured, made or solved there, in words; the most telling first."""
    every = [one for stations in groups().values() for one in stations]
    found = {one.id: _measured(context, one.id) for one in every}
    texts = run_log.log().runs
    for one in every:
        if one.page == "lifecycle":
            continue
        if n := sum(run.page == one.page for run in texts):
            found[one.id].append(ngettext("{n:,} text written", "{n:,} texts written", n).format(n=n))
        if n := n_solved(one.page):
            found[one.id].append(ngettext("{n} task solved", "{n} tasks solved", n).format(n=n))
    return found


def _measured(context: PageContext, station: str) -> list[str]:
    """Facts on what was measured or made there, in words."""
    kinds: Mapping[str, tuple[findings.Kind, ...]] = {
        "prompt": ("prompt",), "retrieval": ("answers", "search"), "adapter": ("adapter",),
    }  # fmt: skip
    said = []
    for kind in kinds.get(station, ()):
        if (one := findings.latest(kind)) is not None:
            said.append(_(_FOUND[kind]).format(share=one.share, n=one.n))
    if station == "adapter":
        said += _adapters(context)
    elif station == "zero" and (n := len(adapters.from_zero())):
        said.append(ngettext("{n} model of your own", "{n} models of your own", n).format(n=n))
    elif station == "alignment":
        said += _aligned(context)
    elif station == "track" and (n := len(run_log.log().runs)):
        said.append(ngettext("{n:,} run in the log", "{n:,} runs in the log", n).format(n=n))
    elif station == "watch" and (n := len(run_log.log().thumbs)):
        said.append(ngettext("{n:,} thumb given", "{n:,} thumbs given", n).format(n=n))
    return said


_FOUND: Mapping[findings.Kind, str] = {
    "prompt": N_("right: {share:.0%} of {n}"),
    "answers": N_("right with the right chunks: {share:.0%} of {n}"),
    "search": N_("found among the first 3: {share:.0%} of {n}"),
    "adapter": N_("right in other words: {share:.0%} of {n}"),
}


def _adapters(context: PageContext) -> list[str]:
    said = []
    losses = held_out_losses(context.owner, "sft")
    if losses:
        first, best = losses[-1]
        said.append(_("held-out loss {first:.2f} → {best:.2f}").format(first=first, best=best))
    if n := len(adapters.mine()):
        said.append(ngettext("{n} adapter of your own", "{n} adapters of your own", n).format(n=n))
    return said


def _aligned(context: PageContext) -> list[str]:
    losses = held_out_losses(context.owner, "dpo")
    if not losses:
        return []
    first, best = losses[-1]
    return [_("held-out loss of DPO {first:.2f} → {best:.2f}").format(first=first, best=best)]


def held_out_losses(owner: str, objective: str) -> list[tuple[float, float]]:
    """(Loss on held-out examples before training, least after) of each own run, oldest first."""
    engine = compute.running_engine()
    if engine is None:
        return []
    return [
        (one.held_out[0][1], min(loss for _step, loss in one.held_out[1:]))
        for one in engine.training.runs.of(owner)
        if one.settings.objective == objective and len(one.held_out) > 1
    ]


def state_of(station: Station, said: Mapping[str, list[str]]) -> State:
    """done (there is a fact), seen (its page was opened), or open."""
    if said[station.id]:
        return "done"
    return "seen" if station.page in course.opened() and station.page != "lifecycle" else "open"


def first_missing(context: PageContext) -> Station | None:
    """The first station without any fact, None where each has one."""
    said = facts(context)
    every = [one for stations in groups().values() for one in stations]
    return next((one for one in every if not said[one.id]), None)
