"""The reader's own project: a typical request, data, metric and goal, carried into every link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st

from playground import navigation
from playground.core.canonical import canonical
from playground.core.files.encoding import readable_text
from playground.core.metrics.rouge import rouge
from playground.ui import in_class
from playground.ui.choose import choose_from_list
from playground.ui.number import slider
from playground.ui.state import DEFAULT_TEXT, PageContext
from playground.ui.text import _
from playground.ui.url import setting

MOST_CHARS = 300
GOALS = tuple(range(50, 100, 5))
DATA = ("documents", "pirate", "country", "sentiment", "persona")
METRICS = ("contains", "rouge", "thumbs", "bits")
_TASK_JOBS = {"documents": "qa", "sentiment": "classification"}
_METRIC_PANELS = {"contains": "own", "rouge": "rouge", "thumbs": "judge", "bits": "perplexity"}


@dataclass(frozen=True, slots=True)
class Project:
    """The reader's project.

    Attributes:
        request: A typical request, "" while none is typed.
        data: Where its knowledge or its rows come from: an id of `DATA`.
        metric: An id of `METRICS`.
        right: A right answer, "" while none is typed.
        goal: Share of good answers that is wanted, 0 to 1.
    """

    request: str
    data: str
    metric: str
    right: str
    goal: float

    def value(self, output: str, bits: float, thumb: str) -> float | None:
        """The metric of one run, None where it has none.

        Args:
            output: The text that came.
            bits: Its surprisal per token.
            thumb: The reader's opinion, "" for none.
        """
        if self.metric == "bits":
            return bits
        if self.metric == "thumbs":
            return {"up": 1.0, "down": 0.0}.get(thumb)
        if not self.right:
            return None
        if self.metric == "rouge":
            return rouge(output, [self.right], "syllables")["rougeL"].f1
        return float(canonical(self.right).casefold() in canonical(output).casefold())


def draw() -> Project:
    """Draw the fields of the project, below the picture on a phone."""
    with st.container(key="below_picture_lc_project"):
        first, second = st.columns([3, 2])
        with first:
            request = _typed(_("A typical request"), "lc_request", _("What is the capital of France?"))
        with second:
            right = _typed(_("A right answer to it"), "lc_right", _("Paris"))
        data_at, metric_at, goal_at = st.columns(3, vertical_alignment="bottom")
        with data_at:
            data = choose_from_list("lc_data", data_names(), _("Data"))
        with metric_at:
            metric = choose_from_list("lc_metric", metric_names(), _("Metric"))
        with goal_at:
            goal = slider(_("Goal (percent of good answers)"), GOALS, 80, key="lc_goal")
    return Project(request, data, metric, right, goal / 100)


def _typed(label: str, key: str, example: str) -> str:
    typed = st.text_input(label, max_chars=MOST_CHARS, placeholder=example, **setting(key, ""))
    return readable_text(typed)[0].strip()[:MOST_CHARS]


def data_names() -> dict[str, str]:
    """Id -> name of the data; all but the documents are sets of *Fine-tuning*."""
    return {
        "documents": _("Documents to look up in"), "pirate": _("Talk like a pirate"),
        "country": _("An invented country"), "sentiment": _("Sentiment labels"), "persona": _("A persona"),
    }  # fmt: skip


def metric_names() -> dict[str, str]:
    """Id -> name of the metric."""
    return {
        "contains": _("the right answer is in the text"), "rouge": _("ROUGE-L with the right answer"),
        "thumbs": _("thumbs up"), "bits": _("bits per token"),
    }  # fmt: skip


def link(context: PageContext, project: Project, page: str, params: Mapping[str, str]) -> str:
    """A link to a page with its settings, the reader's model and text, and what it takes of the project.

    Args:
        context: From `frame.page`.
        project: From `draw`.
        page: Name of the page.
        params: Settings of the page, `[a-z0-9_]+` -> value.
    """
    own = {"model": st.session_state.get("model", ""), "text": context.text}
    if own["text"] == DEFAULT_TEXT:
        own["text"] = ""
    carried = {name: value for name, value in (own | _carried(project, page) | dict(params)).items() if value}
    path = "/" if page == navigation.FIRST else f"/{page}"
    return in_class.base_path() + path + (f"?{urlencode(carried)}" if carried else "")


def _carried(project: Project, page: str) -> dict[str, str]:
    """Settings of a page that take something of the project."""
    if page == "lifecycle":
        return {
            "lc_request": project.request, "lc_right": project.right,
            "lc_data": "" if project.data == DATA[0] else project.data,
            "lc_metric": "" if project.metric == METRICS[0] else project.metric,
            "lc_goal": "" if project.goal == 0.8 else f"{100 * project.goal:.0f}",
        }  # fmt: skip
    taken = {
        "sampling": {"text": project.request},
        "tokenization": {"text": project.request},
        "memory": {"text": project.request},
        "tasks": {"tsk_job": _TASK_JOBS.get(project.data, "ways")},
        "retrieval": {"ret_query": project.request},
        "finetuning": {
            "fin_compare_prompt": project.request,
            "fin_set": "" if project.data in ("documents", "pirate") else project.data,
        },
        "alignment": {"al_asked": project.request[:200]},
        "agents": {"ag_question": project.request[:200], "ag_problem": "own" if project.request else ""},
        "evaluation": {"ev_panel": _METRIC_PANELS[project.metric]},
    }
    return taken.get(page, {})
