"""The runs that come with the playground, made by `make trained ARGS="pretraining pretraining-compared"`."""

from __future__ import annotations

from functools import lru_cache

from playground.core.pretraining import halves
from playground.core.pretraining_compared import ComparedRun, compared_run
from playground.core.pretraining_run import LANGUAGES, shipped_run, shipped_text
from playground.engine.contract.pretraining import PretrainingObservation, PretrainingSettings
from playground.engine.contract.training import Sample
from playground.ui import state
from playground.ui.pretraining import texts
from playground.ui.pretraining.seen import Read, Seen
from playground.ui.text import N_, _

RUNS = LANGUAGES  # those of the first pictures
_NAMES = {
    "next": N_("{text}: next byte"),
    "masked": N_("{text}: masked bytes"),
    "span": N_("{text}: hidden spans"),
    "half": N_("{text}: first half only"),
}


def seen(language: str) -> Seen:
    """The run of the first pictures on the text of a language, named in the reader's."""
    return _seen(language, state.language())


def compared(language: str, kind: str) -> Seen:
    """A run that others are compared with: its losses alone."""
    found = compared_run(language, kind)
    text, other = shipped_text(language), ""
    if kind == "half":
        text, other = halves(text)
    return Seen(
        f"{language}-{kind}", _name(language, kind), PretrainingSettings(**found.settings),
        Read(text, other, (), (), ()), found.train, found.held_out, found.general,
        n_parameters=found.n_parameters, is_shipped=True,
    )  # fmt: skip


def transfer(language: str) -> ComparedRun:
    """The run whose body was asked what it saves."""
    return compared_run(language, "next")


def _name(language: str, kind: str) -> str:
    return _(_NAMES[kind]).format(text=texts.text_name(language))


@lru_cache(maxsize=32)
def _seen(language: str, _language: str) -> Seen:
    found = shipped_run(language)
    prompts = tuple(dict.fromkeys(one.prompt for one in found.samples))
    return Seen(
        language, _name(language, "next"), PretrainingSettings(**found.settings),
        Read(shipped_text(language), "", prompts, found.tokens, found.mapped), found.train, found.held_out,
        samples=[Sample(one.step, prompts.index(one.prompt), one.text, "whole") for one in found.samples],
        observed=tuple(
            PretrainingObservation(step, attention, embedding)
            for step, attention, embedding in zip(found.steps, found.attention, found.embedding, strict=True)
        ),
        n_parameters=compared_run(language, "next").n_parameters, seconds=found.cpu_s, is_shipped=True,
    )  # fmt: skip
