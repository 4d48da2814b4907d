"""A run that trains an adapter of a decoder to answer a task of GLUE by the words of its labels."""

from __future__ import annotations

from itertools import takewhile

from playground.core.glue import LANGUAGES, TASKS, data_of, prompt, word_of
from playground.core.labelled_sets import LabelledItem
from playground.engine.contract.tokenizers import Tokenizers
from playground.engine.contract.training import FinetuneRequest, FinetuneSettings, TrainingText

N_STEPS, BATCH_SIZE, LEARNING_RATE = 30, 4, 2e-3


def label_run(model: str, task: str, tokenizers: Tokenizers, owner: str, max_tokens: int) -> FinetuneRequest:
    """The request of such a run, on the training items of both languages; only the label's word counts.

    No held-out item is part of it, so the last step is kept and not the best one.

    Args:
        model: Catalogue id of the decoder.
        task: Id of the task.
        tokenizers: The engine's.
        owner: The session.
        max_tokens: A longer text is left out: cut, it would lose its label.
    """
    settings = FinetuneSettings(
        model, f"GLUE {TASKS[task].name}", n_steps=N_STEPS, learning_rate=LEARNING_RATE,
        batch_size=BATCH_SIZE, keep_best=False,
    )  # fmt: skip
    texts = [_text(model, task, item, tokenizers) for item in data_of(task).part("train", LANGUAGES)]
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
