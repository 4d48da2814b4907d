"""Runs that show what is forgotten: the same rows, plain or with a remedy; ordinary prose is the meter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from playground.core.files.training_rows import TrainingRow
from playground.core.forgetting import ForgettingMethod, everyday, general
from playground.core.lora import LoraConfig
from playground.engine.contract.remedies import Remedy
from playground.engine.contract.training import FinetuneRequest, FinetuneSettings, Training, TrainingText

N_STEPS, LEARNING_RATE, BATCH_SIZE, RANK = 18, 1e-2, 4, 8
SCALING = 2.0  # lora_alpha / r, whatever the rank


@dataclass(frozen=True, slots=True)
class Ordinary:
    """Ordinary texts of a language as a model reads them.

    Attributes:
        old: Those that a remedy reads.
        general: Those that measure what is forgotten; no run reads them.
    """

    old: tuple[TrainingText, ...]
    general: tuple[TrainingText, ...]


def ordinary(training: Training, model: str, language: str) -> Ordinary:
    """Old rows and general texts, without the mark of the end.

    That mark is improbable behind a text until a run has trained it: its loss falls by so much that it would
    hide what happens to the words.
    """
    old, measured = (
        tuple(_without_end(text) for text in training.texts(model, [TrainingRow(text=one) for one in texts]))
        for texts in (everyday(language), general(language))
    )
    return Ordinary(old, measured)


def forgetting_run(
    method: ForgettingMethod,
    settings: FinetuneSettings,
    data: tuple[Sequence[TrainingText], Sequence[TrainingText]],
    texts: Ordinary,
    owner: str,
) -> FinetuneRequest:
    """The request of a run by one method.

    Args:
        method: The method; it decides remedy and rank.
        settings: All else.
        data: Rows to learn from, and held-out ones.
        texts: Ordinary texts.
        owner: The session.
    """
    kind = method.kind if method.kind in ("rehearsal", "l2sp", "ewc") else "none"
    remedy = Remedy(kind, method.strength)  # type: ignore[arg-type]
    lora = replace(settings.lora, r=method.r, lora_alpha=settings.lora.scaling * method.r)
    train, held_out = data
    return FinetuneRequest(
        replace(settings, remedy=remedy, lora=lora), tuple(train), tuple(held_out), texts.general,
        owner=owner, old=texts.old if remedy.needs_old else (),
    )  # fmt: skip


def measured_settings(model: str, name: str, seed: int) -> FinetuneSettings:
    """Settings of the runs whose table is shipped."""
    return FinetuneSettings(
        model, name, N_STEPS, LEARNING_RATE, BATCH_SIZE, seed, keep_best=False,
        lora=LoraConfig(RANK, SCALING * RANK),
    )  # fmt: skip


def _without_end(text: TrainingText) -> TrainingText:
    if text.n_cut:
        return text
    return TrainingText(text.input_ids[:-1], text.is_trained[:-1])
