"""A pair as the chosen model reads it: what each token of both answers costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.core import pieces
from playground.core.trace import Trace
from playground.engine.contract.preferences import PairExample
from playground.engine.contract.traces import Capture, TraceRequest
from playground.ui import compute, preferences
from playground.ui.alignment.pairs import Shown
from playground.ui.state import PageContext


@dataclass(frozen=True)
class ReadAnswer:
    """One answer of a pair under a model.

    Attributes:
        trace: The pass over prompt and answer.
        labels: Tokens of the answer, the mark of its end last where nothing was cut.
        spelled: Bytes of each.
        logprobs: Log-probability of each, nats. Shape [token].
    """

    trace: Trace
    labels: tuple[str, ...]
    spelled: tuple[bytes, ...]
    logprobs: NDArray[np.float64]

    @property
    def bits(self) -> list[float]:
        """Surprisal of each token."""
        return [float(one) for one in -self.logprobs / math.log(2)]

    @property
    def characters(self) -> list[tuple[str, float]]:
        """Tokens with their surprisal in bits; those that are parts of one character are taken together.

        Example: of a syllable that is three tokens of a byte each, the syllable and the sum.
        """
        found: list[tuple[str, float]] = []
        begun, cost = b"", 0.0
        for spelled, bits in zip(self.spelled, self.bits, strict=True):
            begun, cost = begun + spelled, cost + bits
            if not pieces.open_bytes(begun):
                found.append((pieces.visible(begun.decode("utf-8", "replace")), cost))
                begun, cost = b"", 0.0
        if begun:
            found.append((pieces.visible(begun.decode("utf-8", "replace")), cost))
        return found

    @property
    def total(self) -> float:
        """Log-probability of the answer, nats."""
        return float(self.logprobs.sum())

    @property
    def mean(self) -> float:
        """Log-probability a token, nats."""
        return float(self.logprobs.mean())


@dataclass(frozen=True)
class ReadPair:
    """Both answers of a pair, as they stand on the page.

    Attributes:
        first, second: The answers.
        n_cut: Tokens that were left out because the pair is too long.
    """

    first: ReadAnswer
    second: ReadAnswer
    n_cut: int


def read(context: PageContext, shown: Shown) -> ReadPair:
    """A pair under the model with its adapter, read behind the prompt as the model's base reads it.

    Raises:
        PlaygroundError: The model is no decoder, or cannot read it.
    """
    (example,) = preferences.examples(context, [shown.pair])
    answers = (example.chosen_ids, example.rejected_ids)
    first, second = reversed(answers) if shown.is_turned else answers
    capture = Capture(predictions=1)
    requests = [
        TraceRequest(context.model.model_id, input_ids=(*example.prompt_ids, *answer), capture=capture)
        for answer in (first, second)
    ]
    traces = compute.traces_together(context, requests, topic="al_pair")
    both = [_answer(context, example, trace) for trace in traces]
    return ReadPair(both[0], both[1], example.n_cut)


def _answer(context: PageContext, example: PairExample, trace: Trace) -> ReadAnswer:
    n = len(example.prompt_ids)
    assert trace.predictions is not None
    texts = compute.token_texts(context, trace.input_ids[n:])
    spelled = tuple(map(pieces.bytes_of, texts))
    return ReadAnswer(
        trace, pieces.sequence_labels(texts), spelled, trace.predictions.logprobs[n - 1 :].astype(np.float64)
    )
