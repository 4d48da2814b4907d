"""The sets of the five jobs, as the page measures models on them."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, get_args

import streamlit as st

from playground.core.jobs.items import NamesItem, part, read_names, read_questions, read_writing
from playground.core.jobs.prompts import Writes, WritingJob
from playground.core.labelled_sets import LabelledItem, Split, read_labelled_set
from playground.paths import site_root
from playground.ui.choose import choose
from playground.ui.state import PageContext
from playground.ui.text import N_, _

Job = Literal["classification", "ner", "translation", "summarization", "qa"]
JOBS: tuple[Job, ...] = get_args(Job)
LANGUAGES = {"en": N_("English"), "ko": N_("Korean")}
LANGUAGE = "tsk_language"
LABELS = ("negative", "positive")
KINDS = {"PER": N_("person"), "ORG": N_("organisation"), "LOC": N_("place"), "DATE": N_("date")}
OWN = {
    "classification": {
        "en": "The waiter was lovely, but that does not help when the fish is raw.",
        "ko": "점원은 참 친절했지만 생선이 덜 익었는데 무슨 소용이에요.",
    },
    "ner": {
        "en": "Apple is a company in California.",
        "ko": "Apple은 캘리포니아에 위치한 기업입니다.",
    },
    "translation": {"en": "I drink a cup of tea every evening.", "ko": "나는 저녁마다 차를 한 잔 마신다."},
    "summarization": {
        "en": "The bridge over the river was closed this morning. A truck had damaged one of its pillars. "
        "Engineers will test it until Friday. Until then buses take the long way through the valley.",
        "ko": "오늘 아침 강 위의 다리가 통제되었다. 화물차가 기둥 하나를 들이받았기 때문이다. "
        "기술자들이 금요일까지 다리를 살펴본다. 그때까지 버스는 골짜기로 돌아간다.",
    },
}  # fmt: skip
"""Text that a job reads until the reader types one of their own."""


@lru_cache
def classified(split: Split, language: str) -> tuple[LabelledItem, ...]:
    """Reviews with their label, in one language."""
    return read_labelled_set(_raw("classification")).part(split, [language])


@lru_cache
def named(split: Split, language: str) -> tuple[NamesItem, ...]:
    """Texts with their names, in one language."""
    return part(read_names(_raw("ner")), split, [language])


@lru_cache
def writing(job: WritingJob, split: Split, language: str) -> tuple[Writes, ...]:
    """Texts to translate or to summarise, or questions, in one language."""
    items: tuple[Writes, ...] = (read_questions if job == "qa" else read_writing)(_raw(job))
    return part(items, split, [language])


def choose_language(context: PageContext) -> str:
    """Draw the picker of the set's language, the reader's first; its code."""
    return choose(LANGUAGE, {code: _(LANGUAGES[code]) for code in _codes(context)}, _("Language of the set"))


def language_of(context: PageContext) -> str:
    """The code of the set's language, also where its picker is not drawn."""
    chosen = str(st.session_state.get(LANGUAGE, ""))
    return chosen if chosen in LANGUAGES else _codes(context)[0]


def _codes(context: PageContext) -> list[str]:
    own = context.language if context.language in LANGUAGES else "en"
    return [own, *(code for code in LANGUAGES if code != own)]


def _raw(job: Job) -> str:
    return (site_root() / "assets" / "samples" / "jobs" / f"{job}.json").read_text("utf-8")
