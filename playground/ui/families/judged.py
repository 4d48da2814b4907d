"""One family's answers to the job, computed with progress, remembered for all readers of this process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from playground.core.families import trained_head
from playground.core.few_shot import label_probabilities
from playground.core.sentences import sentence_vector
from playground.core.trace import Trace
from playground.engine.contract.models import ModelInfo
from playground.errors import PlaygroundError
from playground.ui import compute, stepwise
from playground.ui.families.players import Family
from playground.ui.families.sets import Item, prompt, source, test_items, training_items
from playground.ui.progress import Progress
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.waiting import stop_with

N_KNOWN = 32
LABELS = ("positive", "negative")


@dataclass(frozen=True, slots=True)
class Judged:
    """One model's answers to all items.

    Attributes:
        family: Its family.
        model: The model.
        probs: p(positive) of each item.
        seconds: Time for the items.
        n_trained: Numbers that were trained for the job, 0 for none.
        training_s: Time for that training, reading its texts included.
    """

    family: Family
    model: ModelInfo
    probs: tuple[float, ...]
    seconds: float
    n_trained: int = 0
    training_s: float = 0.0

    @property
    def right(self) -> list[bool]:
        """True for each item that was answered right."""
        return [(p > 0.5) == item.is_positive for p, item in zip(self.probs, test_items(), strict=True)]


_known: OrderedDict[tuple[str, str], Judged] = OrderedDict()  # a few hundred bytes each


def known(model: ModelInfo) -> Judged | None:
    """The answers of a model, as far as somebody has asked for them."""
    return _known.get((model.model_id, model.revision))


def _remember(judged: Judged) -> Judged:
    _known[judged.model.model_id, judged.model.revision] = judged
    while len(_known) > N_KNOWN:
        _known.popitem(last=False)
    return judged


def by_head(context: PageContext) -> Judged:
    """Frozen sentence vectors and a linear head trained on texts that are not asked about."""
    train, test = training_items(), test_items()
    bar = Progress("families_head", context.model.model_id, len(train) + len(test), _("Encoder and head"))
    begun_at = time.monotonic()
    vectors = _vectors(context, train, bar, 0)
    head = trained_head(vectors, [item.is_positive for item in train])
    trained_at = time.monotonic()
    probs = head.probabilities(_vectors(context, test, bar, len(train)))
    return _remember(
        Judged(
            "encoder", context.model, tuple(probs.tolist()), time.monotonic() - trained_at,
            head.n_parameters, trained_at - begun_at,
        )
    )  # fmt: skip


def _vectors(context: PageContext, items: Sequence[Item], bar: Progress, done: int) -> NDArray[np.float32]:
    model = context.model
    texts = [model.prefixes.text + item.text for item in items]
    found: dict[int, NDArray[np.float32]] = {}
    reads = compute.traces(
        context, model.model_id, texts, hidden_states=(model.n_layer,), max_tokens=model.max_seq_length
    )
    for place, read in reads:
        if isinstance(read, PlaygroundError):
            stop_with(read)
        assert isinstance(read, Trace)
        found[place] = sentence_vector(read)
        bar.draw(done + len(found), _("Encoder and head"))
    return np.stack([found[place] for place in range(len(items))])


def by_scores(family: Family, context: PageContext) -> Judged | None:
    """The two labels compared as continuations, or as targets; None when a click ended it.

    Args:
        family: The decoder's or the encoder-decoder's.
        context: Its model.
    """
    items = test_items()
    is_decoder = family == "decoder"
    texts = [prompt(item) if is_decoder else source(item) for item in items]
    labels = tuple(f" {label}" for label in LABELS) if is_decoder else LABELS
    words = _("Decoder with a prompt") if is_decoder else _("Encoder-decoder")
    bar = Progress(f"families_{family}", context.model.model_id, len(items), words)
    begun_at = time.monotonic()
    probs: list[float] = []
    asked = stepwise.scores(replace(context), texts, [labels] * len(items), topic="families_job")
    with closing(asked):
        for _place, scores in asked:
            lengths = [len(ids) for ids in scores.input_ids]
            probs.append(float(label_probabilities(scores.logprobs, lengths)[0]))
            bar.draw(len(probs), words)
    if len(probs) < len(items):
        return None
    return _remember(Judged(family, context.model, tuple(probs), time.monotonic() - begun_at))
