"""What is trained on: the sets that come with the page, and the reader's own file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import streamlit as st

from playground.core.files.training_rows import TrainingFile, TrainingRow, pairs, split
from playground.engine.contract.models import AdapterName
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
        text: It.
        answer, others: The right answer and the wrong ones.
        kind: memorised (word for word among the rows) or generalised.
    """

    text: str
    answer: str
    others: tuple[str, ...]
    kind: str


@dataclass(frozen=True)
class TrainingSet:
    """One set, for one model; kept in the session, for its rows are read as tokens only once.

    Attributes:
        context: From `frame.page` when it was made: its model may have another adapter by now.
        id, name: Which, and in words.
        rows: All of them.
        prompts: What is sampled at milestones.
        asked: Questions that come with it.
    """

    context: PageContext
    id: str
    name: str
    rows: tuple[TrainingRow, ...]
    prompts: tuple[str, ...]
    asked: tuple[ChoiceQuestion, ...] = ()

    @cached_property
    def questions(self) -> tuple[ChoiceQuestion, ...]:
        """What can be scored afterwards: memorised is what is learned word for word, not what is held out."""
        learned = {text for row in self.trained_rows for role, text in row.messages if role == "user"}
        return tuple(
            replace(one, kind="memorised" if one.text in learned else "generalised") for one in self.asked
        )

    @property
    def base_id(self) -> str:
        """The model that is trained: the chosen one, without an adapter."""
        return AdapterName.of(self.context.model.model_id).base_id

    @cached_property
    def parts(self) -> tuple[tuple[TrainingRow, ...], tuple[TrainingRow, ...]]:
        """What is learned from, and what is held out."""
        return split(self.rows)

    @cached_property
    def every_text(self) -> tuple[TrainingText, ...]:
        """All rows as tokens."""
        return self._read(self.rows)

    @cached_property
    def trained_rows(self) -> tuple[TrainingRow, ...]:
        """What is learned from; rows that have nothing to learn once they are cut are left out."""
        return self._usable(self.parts[0])

    @cached_property
    def tested_rows(self) -> tuple[TrainingRow, ...]:
        """What is held out, as many as are tested; none that is like a trained one once both are cut."""
        trained = {text.input_ids for text in self.texts}
        rows = self._usable(self.parts[1])
        texts = self._read(rows)
        new = [row for row, text in zip(rows, texts, strict=True) if text.input_ids not in trained]
        return tuple(new[:MOST_TESTED])

    @cached_property
    def texts(self) -> tuple[TrainingText, ...]:
        """What is learned from, as tokens."""
        return self._read(self.trained_rows)

    @cached_property
    def held_out(self) -> tuple[TrainingText, ...]:
        """What is held out, as tokens."""
        return self._read(self.tested_rows)

    @cached_property
    def general(self) -> tuple[TrainingText, ...]:
        """Texts of every other kind, as tokens."""
        rows = GENERAL["ko" if "ko" in self.context.model.languages else "en"]
        return self._read([TrainingRow(text=text) for text in rows])

    def tokens_a_step(self, batch_size: int) -> tuple[float, float]:
        """Tokens of a batch on average: all, and those left when what all texts begin with is read once."""
        ids = sorted(text.input_ids for text in self.texts)
        mean = sum(map(len, ids)) / len(ids)
        same = [one == other for one, other in zip(ids[0], ids[-1], strict=False)]  # all others lie between
        shared = [*same, False].index(False)
        return batch_size * mean, batch_size * mean - (batch_size - 1) * shared

    def prompt_ids(self, text: str) -> tuple[int, ...]:
        """A prompt as the trained model reads it."""
        return prompt_ids(self.base_id, text)

    def _usable(self, rows: Sequence[TrainingRow]) -> tuple[TrainingRow, ...]:
        return tuple(row for row, text in zip(rows, self._read(rows), strict=True) if text.n_trained)

    def _read(self, rows: Sequence[TrainingRow]) -> tuple[TrainingText, ...]:
        return compute.training().texts(self.base_id, rows)


def prompt_ids(model_id: str, text: str) -> tuple[int, ...]:
    """A prompt as an instruct model reads it: in its chat template; else alone on its line."""
    base_id = AdapterName.of(model_id).base_id
    info = next(one for one in compute.models() if one.model_id == base_id)
    if "chat_template" not in info.capabilities:
        return compute.cut(base_id, f"{text}\n").input_ids
    return compute.tokenizers().chat(base_id, [{"role": "user", "content": text}]).input_ids


def names() -> dict[str, str]:
    """Set id -> its name in the reader's language."""
    found = {set_id: _(name) for set_id, name in NAMES.items()}
    return found | {OWN: _("My own")}


def chosen(context: PageContext, set_id: str) -> TrainingSet | None:
    """The set of this id; None for the reader's own while there is none."""
    asked = (set_id, context.language, AdapterName.of(context.model.model_id).base_id)
    file = own_file()
    known = st.session_state.get("fin_made")
    if known is None or known[0] != asked or known[1] is not file:
        known = st.session_state["fin_made"] = (asked, file, _made(context, set_id))
    found: TrainingSet | None = known[2]
    return found


def _made(context: PageContext, set_id: str) -> TrainingSet | None:
    if set_id != OWN:
        read = _shipped(set_id, context.language)
        questions = tuple(
            ChoiceQuestion(one["text"], one["answer"], tuple(one["others"]), one["kind"])
            for one in read["questions"]
        )
        rows = pairs(read["rows"])
        return TrainingSet(context, set_id, _(NAMES[set_id]), rows, tuple(read["prompts"]), questions)
    file, name = own_file(), st.session_state.get(FILE_NAME, "")
    if file is None:
        return None
    asked = [next((text for role, text in row.messages if role == "user"), row.text) for row in file.rows]
    prompts = tuple(dict.fromkeys(one[:MOST_CHARS] for one in asked if one))[:3]
    return TrainingSet(context, OWN, name or _("My own"), file.rows, prompts)


def own_file() -> TrainingFile | None:
    """What was uploaded in this session."""
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
