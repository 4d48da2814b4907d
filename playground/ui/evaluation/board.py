"""Beat the metric: an answer that scores high and is bad; the class's board, and votes against metrics."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import pandas as pd
import streamlit as st

from playground.charts import metrics as charts
from playground.core.canonical import canonical
from playground.core.files.encoding import readable_text
from playground.core.metrics.correlation import spearman
from playground.core.metrics.intervals import includes
from playground.core.tables import metrics as frames
from playground.core.tables.metrics import PostedAnswer
from playground.engine.contract.models import ModelInfo
from playground.errors import PlaygroundError
from playground.ui import frame, roles, show, state, warming
from playground.ui.choose import choose
from playground.ui.components.answer_board import BoardRow, Deed, answer_board
from playground.ui.evaluation import scored_answers
from playground.ui.evaluation.posted import Answer, Board, board_of
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain, sentence
from playground.ui.translations import localized
from playground.ui.url import setting

EVERY_S = 5.0  # until the answers and votes of others are fetched
DRAFT, REFUSED = "ev_answer", "ev_answer_refused"
METRICS = {"bleu": "BLEU", "rouge_l": "ROUGE-L", "cosine": ""}


@dataclass(frozen=True, slots=True)
class BoardTask:
    """A task for the readers, in their language.

    Attributes:
        id: Name in the URL.
        name, task, reference: Title, what is to be written, and a right answer.
        good, bad: Our own answers.
    """

    id: str
    name: str
    task: str
    reference: str
    good: str
    bad: str


def panel(context: PageContext) -> None:
    """Draw the task, the reader's answer with its scores, and the board."""
    st.markdown(f"## {_('Can you write a bad answer that the metrics like?')}")
    tasks = board_tasks(context.language)
    names = {name: task.name for name, task in tasks.items()}
    task = tasks[choose("ev_board_task", names, _("Task"))]
    st.markdown(plain(task.task))
    st.caption(_("Reference: {text}").format(text=plain(task.reference)))
    board = board_of(task.id, context.language, task.good, task.bad, state.settings())
    encoder = warming.model_when_ready(frame.models()[roles.encoder_of(task.reference)])
    _draft(context, task, board, encoder)
    _board(context, task, board, encoder)


def _draft(context: PageContext, task: BoardTask, board: Board, encoder: ModelInfo | None) -> None:
    limit = state.settings().max_board_chars
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input(
            _("Your answer: high scores, but bad; or good, but low scores"), max_chars=limit,
            **setting(DRAFT, ""),
        )  # fmt: skip
        text = " ".join(canonical(readable_text(typed)[0]).split())[:limit]
        st.button(
            _("Post it"), key="ev_post", type="primary", icon=":material/campaign:", disabled=not text,
            on_click=_post, args=(board, text, context.owner),
        )  # fmt: skip
    refused = st.session_state.pop(REFUSED, None)
    if isinstance(refused, PlaygroundError):
        st.error(sentence(refused))
    if text:
        found = scored_answers.scores(text, task.reference)
        (cosine,) = scored_answers.cosines(context, encoder, [text], task.reference)
        told = _("Your answer: BLEU {bleu:.1f}, ROUGE-L {rouge:.3f}, cosine {cosine}.")
        st.markdown(told.format(bleu=found.bleu, rouge=found.rouge_l, cosine=_three(cosine)))
    else:
        st.caption(
            _(
                "Posted answers are seen by the whole class, without a name. They are gone when the server "
                "stops, after {hours:g} h, or when you withdraw them."
            ).format(hours=state.settings().board_age_s / 3600)
        )


def _post(board: Board, text: str, owner: str) -> None:
    """Put the answer on the board; a callback."""
    try:
        board.post(text, owner)
    except PlaygroundError as error:
        st.session_state[REFUSED] = error
    else:
        st.session_state[DRAFT] = ""


@st.fragment(run_every=EVERY_S, key="ev_board_fragment")
def _board(context: PageContext, task: BoardTask, board: Board, encoder: ModelInfo | None) -> None:
    answers = board.answers(context.owner)
    rows = _scored(context, task, answers, encoder)
    answer_board(
        [
            BoardRow(
                one.number, one.text, one.kind, (f"{row.bleu:.1f}", f"{row.rouge_l:.3f}", _three(row.cosine)),
                one.n_votes, one.is_mine, one.has_my_vote,
            )
            for one, row in zip(answers, rows, strict=True)
        ],
        [name or _("cosine") for name in METRICS.values()],
        _kinds(),
        key="ev_board",
        on_deed=partial(_do, board, context.owner),
    )  # fmt: skip
    st.markdown(_told(rows))
    by_bleu, by_rouge = scored_answers.tokenizers_of(task.reference)
    words = [f"sacrebleu tok:{by_bleu}", f"rouge-score {by_rouge}"]
    st.caption(plain(" · ".join([*words, encoder.model_id] if encoder else words)))
    most = max(5, *(5 * math.ceil(row.votes / 5) for row in rows))
    alt = _("Votes of the readers against each metric, a point an answer")
    spec = _picture(state.language(), most)
    show.show_chart(spec, "ev_votes", alt, data=frames.votes_against(rows))
    st.markdown("  \n".join(_correlations(rows)))
    table = frames.board(rows)
    show.under_picture(
        "answer_board", frame=table, code=lambda: _code(task, table, encoder), picture="ev_votes"
    )


def _do(board: Board, owner: str, deed: Deed, number: int) -> None:
    if deed == "vote":
        board.vote(number, owner)
    else:
        board.withdraw(number, owner)


def _scored(
    context: PageContext, task: BoardTask, answers: tuple[Answer, ...], encoder: ModelInfo | None
) -> list[PostedAnswer]:
    cosines = scored_answers.cosines(context, encoder, [one.text for one in answers], task.reference)
    rows = []
    for one, cosine in zip(answers, cosines, strict=True):
        found = scored_answers.scores(one.text, task.reference)
        rows.append(
            PostedAnswer(one.number, one.text, one.kind, found.bleu, found.rouge_l, cosine, one.n_votes)
        )
    return rows


def _told(rows: list[PostedAnswer]) -> str:
    """The answer that BLEU likes best beside the one that readers do."""
    best = max(rows, key=lambda row: row.bleu)
    told = ngettext(
        "BLEU likes number {best} best, with {bleu:.1f}; {n} reader finds it good.",
        "BLEU likes number {best} best, with {bleu:.1f}; {n} readers find it good.",
        best.votes,
    ).format(best=best.number, bleu=best.bleu, n=best.votes)
    liked = max(rows, key=lambda row: row.votes)
    if not liked.votes:
        return f"{told} {_('Nobody has voted yet: which answers are good?')}"
    more = ngettext(
        "Most votes has number {liked}: {n} reader, BLEU {bleu:.1f}.",
        "Most votes has number {liked}: {n} readers, BLEU {bleu:.1f}.",
        liked.votes,
    )
    return f"{told} {more.format(liked=liked.number, n=liked.votes, bleu=liked.bleu)}"


def _correlations(rows: list[PostedAnswer]) -> list[str]:
    """Rank correlation of the votes with each metric, with its interval, in words."""
    lines = []
    for metric, name in METRICS.items():
        known = [(getattr(row, metric), row.votes) for row in rows if not math.isnan(getattr(row, metric))]
        found = spearman([value for value, _votes in known], [votes for _value, votes in known])
        shown = name or _("cosine")
        if math.isnan(found.value):
            lines.append(
                _("{name} and votes: no correlation can be computed while all have the same votes.").format(
                    name=shown
                )
            )
            continue
        told = _("{name} and votes, answers: {n}. Spearman {value:.2f} (95 % from {low:.2f} to {high:.2f}).")
        line = told.format(name=shown, n=found.n, value=found.value, low=found.low, high=found.high)
        if includes((found.low, found.high), 0):
            line += " " + _("The interval includes 0: so few answers do not show whether they go together.")
        lines.append(line)
    return lines


def _code(task: BoardTask, table: pd.DataFrame, encoder: ModelInfo | None) -> str:
    by_bleu, by_rouge = scored_answers.tokenizers_of(task.reference)
    return show.code(
        "answer_board", reference=task.reference, answers=table["text"].tolist(),
        votes=table["votes"].tolist(), bleu_tokenizer=by_bleu, rouge_tokenizer=by_rouge,
        folder=show.model_folder(encoder.model_id) if encoder else "",
        before_text=encoder.prefixes.text if encoder else "",
        max_tokens=(encoder.max_seq_length or encoder.n_ctx) if encoder else 0,
    )  # fmt: skip


def _three(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _kinds() -> dict[str, str]:
    return {"good": _("ours, good"), "bad": _("ours, bad"), "reader": _("a reader's")}


@lru_cache
def board_tasks(language: str) -> dict[str, BoardTask]:
    """The tasks of the board in a language."""
    rows: list[dict[str, Any]] = json.loads(localized(language, "samples", "board.json").read_text("utf-8"))
    return {row["id"]: BoardTask(**row) for row in rows}


@lru_cache
def _picture(language: str, n_votes: int) -> dict[str, Any]:
    words = {
        "votes": _("Votes"), "metric": _("Metric"), "value": _("score, 0 to 1"), "answer": _("Answer"),
        "bleu": "BLEU / 100", "rouge_l": "ROUGE-L", "cosine": _("cosine"), **_kinds(),
    }  # fmt: skip
    return charts.votes(words, n_votes=n_votes)
