"""Does a role or a chain of thought help? Three prompts on the same problems, greedy or by vote."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import pandas as pd
import streamlit as st

from playground.charts import thinking as charts
from playground.core.tables import thinking as frames
from playground.core.voting import sign_test
from playground.ui import show, state
from playground.ui.number import number_field
from playground.ui.panels import Later
from playground.ui.prompting import task_files
from playground.ui.prompting.thinking_run import KEY, PLACE, TEMPERATURE, ThinkingRun, answer
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain, strong
from playground.ui.url import setting

PROMPTS = ("plain", "role", "steps")
MAX_CHARS = 400
VOTES = (1, 3, 5)


def panel(context: PageContext) -> Later | None:
    """Draw the prompts, the controls and what was answered last.

    Args:
        context: From `frame.page`.

    Returns:
        What goes on answering, to be called once the page is drawn; None when nothing is to be answered.
    """
    st.markdown(f"## {_('Does a role or thinking step by step help a small model?')}")
    last = _last(context)
    run, start, resume = _controls(context, last)
    languages = context.model.languages
    if languages and context.language not in languages:
        told = _("{name} has hardly read this language: expect almost no right answer, whatever the prompt.")
        st.caption(told.format(name=plain(context.model.name)))
    if not start and last is None:
        told = _(
            "Each prompt gets the same {n} problems. The last number of an answer, or of what follows its "
            "“Answer:”, is compared with the right one."
        )
        st.caption(told.format(n=len(run.items)))
        return None
    picture = _picture(context.language)
    alt = _("Share of problems each prompt gets right, with its 95 % interval")
    with st.container(key="pro_think_picture"):
        chart = st.empty()
        draw = partial(chart.vega_lite_chart, spec=picture, alt=alt)
        draw((run if start or last is None else last).table())
    if start or last is None:
        return partial(answer, run, st.empty(), draw)
    if resume:
        return partial(answer, last, st.empty(), draw)
    _draw(last, is_old=last.asked != run.asked)
    return None


def _last(context: PageContext) -> ThinkingRun | None:
    """The last answers of this model in this language."""
    last: ThinkingRun | None = st.session_state.get(KEY)
    mine = (context.model.model_id, context.language)
    is_mine = last is not None and (last.context.model.model_id, last.context.language) == mine
    return last if is_mine else None


def _controls(context: PageContext, last: ThinkingRun | None) -> tuple[ThinkingRun, bool, bool]:
    """The run that the widgets ask for, True if it is to start now, True if the last run is to go on."""
    names, prompts = _names(), {}
    for column, (prompt, default) in zip(st.columns(len(PROMPTS)), _defaults().items(), strict=True):
        prompts[prompt] = column.text_area(
            names[prompt], default, max_chars=MAX_CHARS, height=150,
            **setting(f"pro_think_{prompt}_{context.language}", default),
        )  # fmt: skip
    without = [names[prompt] for prompt, text in prompts.items() if PLACE not in text]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        votes = st.segmented_control(
            _("Votes per problem"), VOTES, default=VOTES[0], required=True, width="content",
            **setting("pro_think_votes", VOTES[0]),
            help=_(
                "1: the greedy answer. 3 or 5: as many answers are drawn at temperature {temperature}, and "
                "the number that most of them give counts (self-consistency)."
            ).format(temperature=TEMPERATURE),
        )  # fmt: skip
        n_max = number_field(
            _("Tokens at most"), 16, min(64, state.settings().max_new_tokens), 48,
            key="pro_think_tokens", width=160,
        )  # fmt: skip
        items = task_files.task("problems", context.language).examples
        run = ThinkingRun(context, prompts, int(votes), int(n_max), items)
        start, resume = _buttons(run, last, is_possible=not without)
    told = ngettext(
        "{n} answer of at most {limit} tokens", "{n} answers of at most {limit} tokens", run.total
    )
    st.caption(told.format(n=run.total, limit=run.n_max))
    if without:
        told = _("Write {place} where the problem is to stand; it is missing in: {names}.")
        st.warning(told.format(place=f"`{PLACE}`", names=", ".join(without)))
    return run, start and not without, resume


def _buttons(run: ThinkingRun, last: ThinkingRun | None, *, is_possible: bool) -> tuple[bool, bool]:
    """Draw Start, Go on and Stop; whether to start, whether to go on."""
    start = st.button(
        _("Start"), type="primary", key="pro_think_start", icon=":material/play_arrow:",
        disabled=not is_possible,
    )  # fmt: skip
    is_open = last is not None and last.n_done < last.total and last.asked == run.asked
    resume = st.button(
        _("Go on"), key="pro_think_go_on", icon=":material/resume:", disabled=not is_open or start
    )
    works = (start and is_possible) or (resume and is_open)
    st.button(_("Stop"), key="pro_think_stop", icon=":material/stop:", disabled=not works)
    return start, resume and is_open


# ---------------------------------------------------------------- what was answered


def _draw(run: ThinkingRun, *, is_old: bool) -> None:
    table = run.table()
    if run.n_done < run.total:
        told = _("Partial results: stopped after {done} of {total} answers.")
        st.info(told.format(done=run.n_done, total=run.total))
    if is_old:
        st.caption(_("These are the answers to the prompts and settings of the last start."))
    if len(table):
        st.markdown(_reading(run, table))
    _draw_transcripts(run, table)
    model = run.context.model
    seconds = _("{seconds:.0f} s").format(seconds=run.elapsed_ms / 1_000)
    show.source(model, seconds, _("computed now"))
    code = show.code(
        "thinking", folder=show.model_folder(model.model_id), prompts=list(run.prompts.values()),
        problems=[(item.text, item.label) for item in run.items], n_votes=run.n_votes, n_tokens=run.n_max,
    )  # fmt: skip
    show.under_picture("thinking", frame=table, code=code, picture="pro_think_picture")


def _reading(run: ThinkingRun, table: pd.DataFrame) -> str:
    """Computed sentences: the counts, what the intervals allow to say, and how many answers were cut off."""
    names = _names()
    counts = ", ".join(
        _("{name} {right} of {n}").format(name=strong(names[row["prompt"]]), right=row["n_right"], n=row["n"])
        for row in table.to_dict("records")
    )
    said = [_("Right answers: {counts}.").format(counts=counts)]
    if run.n_done == run.total:
        said += _comparison(run)
    n_cut = sum(one.finish not in (None, "end_of_text") for one in run.written)
    if n_cut:
        told = ngettext(
            "{n} of {total} answers was cut off at {limit} tokens, perhaps before its result.",
            "{n} of {total} answers were cut off at {limit} tokens, perhaps before their result.",
            n_cut,
        )
        said.append(told.format(n=n_cut, total=run.n_done, limit=run.n_max))
    return " ".join(said)


def _comparison(run: ThinkingRun) -> list[str]:
    """Sentences on the role and on the steps, each compared with the plain instruction."""
    names = _names()
    right = frames.each_right(run.written, run.items, run.n_votes)
    found = {prompt: sign_test(right[prompt], right["plain"]) for prompt in PROMPTS[1:]}
    if set(found.values()) == {"unclear"}:
        told = _(
            "Beside {plain} the other two differ no more than chance explains (sign test, 5 %): with {n} "
            "problems **nothing can be said** about which prompt is better."
        )
        return [told.format(plain=strong(names["plain"]), n=len(run.items))]
    sentences = {
        "better": _("{name} **helps** this model more than chance explains (sign test beside {plain})."),
        "worse": _("{name} makes this model **worse** than chance explains (sign test beside {plain})."),
        "unclear": _("Of {name} nothing can be said: it differs from {plain} no more than chance explains."),
    }
    return [
        sentences[outcome].format(name=strong(names[prompt]), plain=strong(names["plain"]))
        for prompt, outcome in found.items()
    ]


def _draw_transcripts(run: ThinkingRun, table: pd.DataFrame) -> None:
    """Every transcript, a drawer for each prompt."""
    names = _names()
    written = frames.transcripts(run.written, run.items, run.n_votes)
    for row in table.to_dict("records"):
        told = _("Transcripts · {name}: {right} of {n} right")
        with st.expander(told.format(name=names[row["prompt"]], right=row["n_right"], n=row["n"])):
            _draw_table(written[written["prompt"] == row["prompt"]], with_votes=run.n_votes > 1)


def _draw_table(written: pd.DataFrame, *, with_votes: bool) -> None:
    text, tick = st.column_config.TextColumn, st.column_config.CheckboxColumn
    votes = ["read", "votes"] if with_votes else []
    st.dataframe(
        written,
        hide_index=True,
        height=400,
        row_height=90,
        column_order=["question", "transcript", *votes, "answer", "right_answer", "right", "cut_off"],
        column_config={
            "question": text(_("Problem"), width=160 if votes else 200),
            "transcript": text(_("Transcript"), width=225 if votes else 320),
            "read": text(_("Number in it"), width=100),
            "votes": text(_("Votes"), width=60, help=_("How many transcripts of this problem say the same.")),
            "answer": text(_("Answer"), width=70),
            "right_answer": text(_("Right answer"), width=105),
            "right": tick(_("Right"), width=50),
            "cut_off": tick(_("Cut off"), width=60),
        },
    )


# ---------------------------------------------------------------- words


def _names() -> dict[str, str]:
    """Prompt id -> its name."""
    return {"plain": _("Instruction"), "role": _("Role"), "steps": _("Step by step")}


def _defaults() -> dict[str, str]:
    """Prompt id -> its text before the reader changes it; they differ in one thing each."""
    instructions = {
        "plain": _("Answer with a number only."),
        "role": _("You are a careful mathematics teacher. Answer with a number only."),
        "steps": _("Let's think step by step, then write the answer after 'Answer:'."),
    }
    return {prompt: f"{instruction}\n\n{PLACE}" for prompt, instruction in instructions.items()}


@lru_cache
def _picture(language: str) -> dict[str, Any]:
    """The constant part of the picture; `language` is the session's."""
    words = {
        "accuracy": _("Right answers"), "low": _("95 % interval from"), "high": _("95 % interval to"),
        "n_right": _("Right"), "n": _("Problems"), **_names(),
    }  # fmt: skip
    return charts.prompt_accuracies(words, prompts=PROMPTS)
