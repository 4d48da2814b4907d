"""One continuation of the reader's text: what was written, and what the model expected at every step."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from playground.core import pieces
from playground.core.frames import GeneratedToken
from playground.engine.base import GenerateStep
from playground.ui import compute
from playground.ui.components.sampler import SamplerValue
from playground.ui.components.scored_text import Expected, ScoredToken
from playground.ui.state import PageContext
from playground.ui.text import N_, _, ngettext

_FINISH = {
    "end_of_text": N_("The model ended the text."),
    "length": N_("The chosen length is reached."),
    "context_full": N_("The model's context is full."),
    "": N_("Stopped."),
}


@dataclass(slots=True)
class Run:
    """One continuation, kept in the session so that it stays on the screen after it ended or was stopped.

    Attributes:
        context, chosen, seed, n_max, penalties: What was asked: at most `n_max` tokens in all.
        text, tokens, scored: What there is so far.
        elapsed_ms: It took.
        finish: Why it ended, "" when the reader stopped it.
        parent: The path it left, None for the first.
        at: How many of its tokens were not drawn: its parent's, and the one the reader chose instead.
    """

    context: PageContext
    chosen: SamplerValue
    seed: int
    n_max: int
    penalties: dict[str, Any]
    text: str = ""
    elapsed_ms: float = 0.0
    tokens: list[GeneratedToken] = field(default_factory=list)
    scored: list[ScoredToken] = field(default_factory=list)
    finish: str = ""
    parent: Run | None = None
    at: int = 0

    @property
    def written(self) -> list[int]:
        """Tokens that it took from its parent, and what the reader chose instead."""
        return [token.token_id for token in self.tokens[: self.at]]

    def add(self, step: GenerateStep) -> None:
        """Append one token."""
        self.text += step.text
        self.finish = step.finish_reason or ""
        self.tokens.append(
            GeneratedToken(
                step=len(self.tokens) + 1,
                token=pieces.piece(step.token).label,
                token_id=step.token_id,
                surprisal_bits=abs(step.logprob) / math.log(2),
                model=math.exp(step.logprob),
                drawn=step.prob,
                rank=step.rank + 1,
                n_kept=step.n_kept,
                entropy_bits=step.entropy_bits,
            )
        )
        self.scored.append(_scored(self.context, step, self.tokens[-1]))

    def ending(self) -> str:
        """Why it ended, and how surprising it was."""
        words = [_(_FINISH[self.finish])]
        if self.tokens:
            mean = sum(token.surprisal_bits for token in self.tokens) / len(self.tokens)
            counted = ngettext("{n:,} token", "{n:,} tokens", len(self.tokens)).format(n=len(self.tokens))
            words.append(
                _("{tokens}, {bits:.2f} bits of surprisal on average.").format(tokens=counted, bits=mean)
            )
        return " ".join(words)


def _scored(context: PageContext, step: GenerateStep, token: GeneratedToken) -> ScoredToken:
    """The token with what the model itself expected: temperature 1, nothing cut."""
    texts = compute.token_texts(context, step.top_ids)
    probs = np.exp(step.top_logits.astype(np.float64) - step.log_sum_exp)
    expected = [
        Expected(int(token_id), pieces.piece(text).label, float(p))
        for token_id, text, p in zip(step.top_ids, texts, probs, strict=True)
    ]
    return ScoredToken(
        step.token_id, token.token, token.surprisal_bits, token.rank, token.entropy_bits, expected
    )


def last_run(context: PageContext) -> Run | None:
    """This session's latest continuation of this very text by this model."""
    run: Run | None = st.session_state.get("sam_run")
    same = run is not None and (run.context.model.model_id, run.context.text) == (
        context.model.model_id,
        context.text,
    )
    return run if same else None
