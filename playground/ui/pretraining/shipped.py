"""The runs that come with the playground, made by `make trained ARGS=from-zero-runs`."""

from __future__ import annotations

from functools import lru_cache

from playground.core.pretraining import halves
from playground.core.run_history import RunHistory, of_file
from playground.engine.contract.pretraining import PretrainingObservation, PretrainingSettings
from playground.engine.contract.training import Sample
from playground.paths import site_root
from playground.ui import state
from playground.ui.pretraining import texts
from playground.ui.pretraining.seen import Read, Seen
from playground.ui.text import N_, _

RUNS = ("en", "ko")  # those of the first pictures; each has others beside it
BESIDE = ("masked", "span", "half")
_NAMES = {
    "": N_("{text}: next byte"),
    "masked": N_("{text}: masked bytes"),
    "span": N_("{text}: hidden spans"),
    "half": N_("{text}: first half only"),
}


@lru_cache
def history(run: str) -> RunHistory:
    """A run by its file's name: a language, with a dash and what is different of it."""
    file = site_root() / "assets" / "trained" / "from-zero-runs" / f"{run}.npz"
    return of_file(file.read_bytes())


def seen(run: str) -> Seen:
    """A run as the pictures show it, named in the reader's language."""
    return _seen(run, state.language())


@lru_cache(maxsize=32)
def _seen(run: str, _language: str) -> Seen:
    found = history(run)
    language, _dash, kind = run.partition("-")
    text, other = texts.shipped(language), ""
    if kind == "half":
        text, other = halves(text)
    return Seen(
        run, _(_NAMES[kind]).format(text=texts.text_name(language)),
        PretrainingSettings(**found.settings), Read(text, other, found.prompts, found.tokens, found.mapped),
        found.train, found.held_out, found.general,
        [Sample(step, prompt, written, "whole") for step, prompt, written in found.samples],
        _observed(run), n_parameters=found.n_parameters, is_shipped=True,
    )  # fmt: skip


@lru_cache
def _observed(run: str) -> tuple[PretrainingObservation, ...]:
    found = history(run)
    return tuple(
        PretrainingObservation(step, attention, embedding)
        for step, attention, embedding in zip(found.steps, found.attention, found.embedding, strict=True)
    )
