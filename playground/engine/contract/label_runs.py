"""Runs that learn a labelled set: an adapter of a decoder that answers by a label's word, a task head."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from playground.core.glue import ASKED, LANGUAGES, data_of, prompt, word_of
from playground.core.labelled_sets import LabelledItem
from playground.engine.contract.task_heads import (
    FROZEN,
    WHOLE,
    HeadRequest,
    HeadSettings,
    LabelledText,
    TaskHeads,
)
from playground.engine.contract.tokenizers import Tokenizers
from playground.engine.contract.training import FinetuneRequest, FinetuneSettings, TrainingText

N_STEPS, BATCH_SIZE, LEARNING_RATE = 30, 4, 2e-3
N_EPOCHS, WHOLE_BATCH, WHOLE_RATE = 3, 8, 3e-5  # of an encoder that is trained whole


def label_run(
    model: str, task: str, tokenizers: Tokenizers, owner: str, max_tokens: int,
    languages: Sequence[str] = LANGUAGES,
) -> FinetuneRequest:  # fmt: skip
    """The request of a run that trains an adapter; only the label's word counts.

    No held-out item is part of it, so the last step is kept and not the best one.

    Args:
        model: Catalogue id of the decoder.
        task: Id of the task.
        tokenizers: The engine's.
        owner: The session.
        max_tokens: A longer text is left out: cut, it would lose its label.
        languages: Languages of the training items.
    """
    settings = FinetuneSettings(
        model, f"GLUE {ASKED[task].name}", n_steps=N_STEPS, learning_rate=LEARNING_RATE,
        batch_size=BATCH_SIZE, keep_best=False,
    )  # fmt: skip
    texts = [_text(model, task, item, tokenizers) for item in data_of(task).part("train", languages)]
    train = tuple(text for text in texts if text.n_tokens <= max_tokens)
    return FinetuneRequest(settings, train, (), owner=owner)


def _text(model: str, task: str, item: LabelledItem, tokenizers: Tokenizers) -> TrainingText:
    before = prompt(task, item, few_shot=False)
    stem, whole = (
        tokenizers.tokenize(model, text, add_special_tokens=True).input_ids
        for text in (before, f"{before} {word_of(task, item.label)}")
    )
    n_same = sum(1 for _same in takewhile(lambda pair: pair[0] == pair[1], zip(stem, whole, strict=False)))
    return TrainingText(tuple(whole), tuple(place >= max(1, n_same) for place in range(len(whole))))


def head_run(
    model: str, task: str, heads: TaskHeads, owner: str, languages: Sequence[str], *, whole: bool
) -> HeadRequest:
    """The request of a run that trains a task head, alone or with the layers of its encoder.

    A head alone learns from all training items at each step, an encoder from a few.

    Args:
        model: Catalogue id of the encoder.
        task: Id of a task with labels.
        heads: The engine's, which cuts the texts.
        owner: The session.
        languages: Languages of the items.
        whole: True to train the encoder's layers too.
    """
    data = data_of(task)
    train, held_out = data.part("train", languages), data.part("held_out", languages)
    settings = HeadSettings(model, task, labels=data.labels, objective=FROZEN, batch_size=len(train))
    if whole:
        settings = HeadSettings(
            model, task, labels=data.labels, objective=WHOLE, batch_size=WHOLE_BATCH,
            n_steps=-(-N_EPOCHS * len(train) // WHOLE_BATCH), learning_rate=WHOLE_RATE,
        )  # fmt: skip
    learned, asked = (
        heads.examples(settings, [LabelledText(one.texts, one.label) for one in part])
        for part in (train, held_out)
    )
    return HeadRequest(settings, learned, asked, owner=owner)
