"""The target that an encoder-decoder writes, greedily or found by a search, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from playground.core import pieces
from playground.core.beams import Hypothesis
from playground.core.sampling import GREEDY
from playground.engine.contract.beams import BeamStep
from playground.engine.contract.generation import GenerateStep
from playground.ui import compute, stepwise
from playground.ui.components.written_steps import WrittenStep
from playground.ui.state import PageContext

MAX_NEW = 32  # tokens of a target
N_TOP = 5
_GREEDY, _BEAMS = "fam_greedy", "fam_beams_found"


@dataclass(frozen=True, eq=False)
class Written:
    """A target, token by token.

    Attributes:
        token_ids: Its tokens, with the end mark where the model wrote one.
        labels: Label of each.
        text: The target as text.
        logprobs: Log-probability of each token, nats.
        read_labels: Label of what the decoder read at each step: the start mark, then what it had written.
        others: The most probable tokens of each step; () where they are not known.
    """

    token_ids: tuple[int, ...]
    labels: tuple[str, ...]
    text: str
    logprobs: tuple[float, ...]
    read_labels: tuple[str, ...]
    others: tuple[Sequence[tuple[str, float]], ...] = ()

    @property
    def read_ids(self) -> tuple[int, ...]:
        """Tokens that the decoder read after its start mark: all but the last."""
        return self.token_ids[:-1]

    @property
    def logprob(self) -> float:
        """Log-probability of the whole target, nats."""
        return sum(self.logprobs)

    def steps(self) -> list[WrittenStep]:
        """The steps, to be drawn."""
        others = self.others or ((),) * len(self.labels)
        return [
            WrittenStep(label, float(np.exp(logprob)), other)
            for label, logprob, other in zip(self.labels, self.logprobs, others, strict=True)
        ]


def written(context: PageContext, source_ids: tuple[int, ...]) -> Written:
    """The target that the model writes greedily; the last one of a session is remembered.

    Args:
        context: The encoder-decoder.
        source_ids: The source.
    """
    key = (context.model.model_id, context.model.revision, source_ids)
    known: tuple[object, list[GenerateStep]] | None = st.session_state.get(_GREEDY)
    if known is None or known[0] != key:
        settings = {"input_ids": source_ids, "sampling": GREEDY, "max_new_tokens": MAX_NEW, "n_top": N_TOP}
        with closing(stepwise.generate(context, settings)) as steps:
            known = (key, list(steps))
        if known[1][-1].finish_reason is not None:
            st.session_state[_GREEDY] = known
    steps_made = known[1]
    ids = tuple(step.token_id for step in steps_made)
    named = _named(context, np.unique([step.top_ids for step in steps_made]))
    others = tuple(
        [
            (named[int(token)], float(np.exp(logit - step.log_sum_exp)))
            for token, logit in zip(step.top_ids, step.top_logits, strict=True)
        ]
        for step in steps_made
    )
    return replace(_target(context, ids, [step.logprob for step in steps_made]), others=others)


@dataclass(frozen=True, eq=False)
class Found:
    """The outcome of a beam search.

    Attributes:
        best: The best target.
        hypotheses: All targets, best first.
        n_steps: Steps that it took.
    """

    best: Written
    hypotheses: tuple[Hypothesis, ...]
    n_steps: int


def searched(context: PageContext, n_beams: int) -> Found | None:
    """The target of a beam search; None when the reader did something else meanwhile.

    Args:
        context: The encoder-decoder and its source.
        n_beams: Number of targets kept at every step.
    """
    key = (context.model.model_id, context.model.revision, context.text, n_beams)
    known: tuple[object, list[BeamStep]] | None = st.session_state.get(_BEAMS)
    if known is None or known[0] != key:
        steps = stepwise.beams(context, n_beams=n_beams, length_penalty=1.0, max_new_tokens=MAX_NEW)
        with closing(steps):
            known = (key, list(steps))
        if not known[1] or not known[1][-1].done:
            return None
        st.session_state[_BEAMS] = known
    made = known[1]
    best = made[-1].hypotheses[0]
    logprobs = [made[step].candidates[place].token_logprob for step, place in enumerate(best.path)]
    return Found(_target(context, best.token_ids, logprobs), made[-1].hypotheses, len(made))


def _target(context: PageContext, ids: tuple[int, ...], logprobs: Sequence[float]) -> Written:
    tokenizers, model_id = compute.tokenizers(), context.model.model_id
    labels = pieces.sequence_labels(tokenizers.token_texts(model_id, ids))
    text = tokenizers.text_of(model_id, ids)
    return Written(ids, labels, text, tuple(logprobs), ("▷", *labels[:-1]))


def _named(context: PageContext, token_ids: np.ndarray) -> dict[int, str]:
    texts = compute.token_texts(context, token_ids)
    return {int(one): pieces.piece(text).label for one, text in zip(token_ids, texts, strict=True)}
