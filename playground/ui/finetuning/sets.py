"""Training data: the sets that come with the page, and the reader's own file."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import streamlit as st

from playground.core.files.training_rows import TrainingFile, TrainingRow, pairs, split
from playground.engine.contract.models import AdapterName, ModelInfo
from playground.engine.contract.training import TrainingText
from playground.ui import compute
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import N_, _
from playground.ui.translations import localized
from playground.ui.url import put

NAMES = {
    "pirate": N_("Talk like a pirate"),
    "country": N_("An invented country"),
    "sentiment": N_("Sentiment labels"),
    "persona": N_("A persona"),
}
OWN = "own"
KEY = "fin_file"
FILE_NAME = "fin_file_name"
outlives_reload(KEY, FILE_NAME)
MOST_CHARS = 200  # of a prompt out of the reader's own rows
MOST_TESTED = 8  # held-out texts that are read at every test of a run
GENERAL = {
    "en": (
        "The sun rises in the east and sets in the west.",
        "Water boils at one hundred degrees Celsius at sea level.",
        "She opened the window because the room was too warm.",
        "The train was late, so we waited at the station for an hour.",
        "A triangle has three sides, and its angles add up to half a turn.",
    ),
    "ko": (
        "해는 동쪽에서 떠서 서쪽으로 진다.",
        "방이 더워서 창문을 열었다.",
        "기차가 늦어 역에서 한 시간을 기다렸다.",
    ),
}


@dataclass(frozen=True)
class ChoiceQuestion:
    """A question with its answer and wrong ones.

    Attributes:
        text: The question.
        answer, others: The right answer and the wrong ones.
        kind: memorised (word for word among the rows) or generalised.
    """

    text: str
    answer: str
    others: tuple[str, ...]
    kind: str


@dataclass(frozen=True)
class TrainingSet:
    """Rows to train on, as they come with the page or from the reader's file; no model has read them.

    Attributes:
        id, name: The set's id, and its name in the reader's language.
        rows: All rows.
        prompts: Prompts that are continued at milestones.
        asked: Questions that come with it.
    """

    id: str
    name: str
    rows: tuple[TrainingRow, ...]
    prompts: tuple[str, ...]
    asked: tuple[ChoiceQuestion, ...] = ()


@dataclass(frozen=True)
class ReadSet:
    """A set as one model reads it, split into what is learned and what is held out.

    Attributes:
        data: The set.
        base_id: The model that is trained, without an adapter.
        every_text: Each row as tokens.
        trained_rows, texts: Rows to learn from, and the same as tokens; rows that have nothing to learn once
            they are cut are left out.
        held_out_rows: Rows that are held out.
        tested_rows, held_out: Held-out rows that are tested, and the same as tokens; none is like a trained
            one once both are cut.
        general: Texts of every other kind, as tokens.
    """

    data: TrainingSet
    base_id: str
    every_text: tuple[TrainingText, ...]
    trained_rows: tuple[TrainingRow, ...]
    texts: tuple[TrainingText, ...]
    held_out_rows: tuple[TrainingRow, ...]
    tested_rows: tuple[TrainingRow, ...]
    held_out: tuple[TrainingText, ...]
    general: tuple[TrainingText, ...]

    @property
    def questions(self) -> tuple[ChoiceQuestion, ...]:
        """Questions for afterwards: memorised is what is learned word for word, not what is held out."""
        learned = {text for row in self.trained_rows for role, text in row.messages if role == "user"}
        return tuple(
            replace(one, kind="memorised" if one.text in learned else "generalised")
            for one in self.data.asked
        )

    def tokens_a_step(self, batch_size: int) -> tuple[float, float]:
        """Tokens of a batch on average: all, and those left when what all texts begin with is read once."""
        ids = sorted(text.input_ids for text in self.texts)
        mean = sum(map(len, ids)) / len(ids)
        same = [one == other for one, other in zip(ids[0], ids[-1], strict=False)]  # all others lie between
        shared = [*same, False].index(False)
        return batch_size * mean, batch_size * mean - (batch_size - 1) * shared


def read(data: TrainingSet, model: ModelInfo) -> ReadSet:
    """Read a set with a model: each row once, and the general texts.

    Args:
        data: The set.
        model: The model that is trained, or an adapter on it.

    Raises:
        PlaygroundError: A chat template that refuses the roles of a row.
    """
    base_id = AdapterName.of(model.model_id).base_id
    general = GENERAL["ko" if "ko" in model.languages else "en"]
    every_text = compute.training().texts(base_id, data.rows)
    text_of = dict(zip(data.rows, every_text, strict=True))
    train, held_out = split(data.rows)
    trained_rows = tuple(row for row in train if text_of[row].n_trained)
    texts = tuple(text_of[row] for row in trained_rows)
    learned = {text.input_ids for text in texts}
    tested = [row for row in held_out if text_of[row].n_trained and text_of[row].input_ids not in learned]
    tested_rows = tuple(tested[:MOST_TESTED])
    return ReadSet(
        data,
        base_id,
        every_text,
        trained_rows,
        texts,
        held_out,
        tested_rows,
        tuple(text_of[row] for row in tested_rows),
        compute.training().texts(base_id, [TrainingRow(text=text) for text in general]),
    )


def names() -> dict[str, str]:
    """Set id -> its name in the reader's language."""
    found = {set_id: _(name) for set_id, name in NAMES.items()}
    return found | {OWN: _("My own")}


def chosen(context: PageContext, set_id: str) -> ReadSet | None:
    """The set of this id as the chosen model reads it; None for the reader's own while there is none.

    It is kept in the session, as its rows are to be read as tokens only once.

    Raises:
        PlaygroundError: A chat template that refuses the roles of a row.
    """
    asked = (set_id, context.language, AdapterName.of(context.model.model_id).base_id)
    file = own_file()
    known = st.session_state.get("fin_made")
    if known is None or known[0] != asked or known[1] is not file:
        data = training_set(set_id, context.language)
        made = None if data is None else read(data, context.model)
        known = st.session_state["fin_made"] = (asked, file, made)
    found: ReadSet | None = known[2]
    return found


def training_set(set_id: str, language: str) -> TrainingSet | None:
    """The set of this id; None for the reader's own while there is none."""
    if set_id != OWN:
        shipped = _shipped(set_id, language)
        questions = tuple(
            ChoiceQuestion(one["text"], one["answer"], tuple(one["others"]), one["kind"])
            for one in shipped["questions"]
        )
        return TrainingSet(
            set_id, _(NAMES[set_id]), pairs(shipped["rows"]), tuple(shipped["prompts"]), questions
        )
    file, name = own_file(), st.session_state.get(FILE_NAME, "")
    if file is None:
        return None
    asked = [next((text for role, text in row.messages if role == "user"), row.text) for row in file.rows]
    prompts = tuple(dict.fromkeys(one[:MOST_CHARS] for one in asked if one))[:3]
    return TrainingSet(OWN, name or _("My own"), file.rows, prompts)


def own_file() -> TrainingFile | None:
    """The file that was uploaded in this session."""
    found: TrainingFile | None = st.session_state.get(KEY)
    return found


def take_file(name: str, file: TrainingFile) -> None:
    """Train on the rows of this file from now on."""
    st.session_state[KEY] = file
    st.session_state[FILE_NAME] = name.rpartition(".")[0][:40]
    put("fin_set", OWN)


def put_file_away() -> None:
    """Forget the reader's own file."""
    st.session_state.pop(KEY, None)


@lru_cache
def _shipped(set_id: str, language: str) -> dict[str, Any]:
    file = localized(language, "training", f"{set_id}.json")
    read: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return read
