"""Runs that show what is forgotten: the same rows, plain or with a remedy; ordinary prose is the meter."""

from __future__ import annotations

import math
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
    remedy = Remedy.of(method.kind, method.strength)
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


def bits_a_nat(training_tokens: Sequence[TrainingText], token_bytes: Sequence[Sequence[bytes]]) -> float:
    """Bits a byte of general texts, for a loss of one nat a token on them.

    Args:
        training_tokens: The texts as a model reads them; the first token of each is given.
        token_bytes: Bytes of each of their tokens.
    """
    n_tokens = sum(text.n_trained for text in training_tokens)
    spelled = [own[1 : text.n_tokens] for text, own in zip(training_tokens, token_bytes, strict=True)]
    return n_tokens / math.log(2) / sum(len(one) for text in spelled for one in text)


def _without_end(text: TrainingText) -> TrainingText:
    if text.n_cut:
        return text
    return TrainingText(text.input_ids[:-1], text.is_trained[:-1])
