"""One continuation of the reader's text: what was written, and what the model expected at every step."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from playground.core import pieces
from playground.core.penalties import Penalties
from playground.core.sampling import Sampling
from playground.core.tables.sampling import GeneratedToken
from playground.engine.contract.generation import GenerateStep
from playground.ui.components.scored_text import Expected, ScoredToken
from playground.ui.expected import expected
from playground.ui.sampling.settings import written_labels
from playground.ui.state import PageContext
from playground.ui.text import N_, _, ngettext

_FINISH = {
    "end_of_text": N_("The model ended the text."),
    "length": N_("The chosen length is reached."),
    "context_full": N_("The model's context is full."),
    "": N_("Stopped."),
}


@dataclass(slots=True)
class Continuation:
    """One continuation, kept in the session so that it stays on the screen after it ended or was stopped.

    Attributes:
        context, chosen, seed, n_max, penalties, exact: Settings: at most `n_max` tokens in all, in a
            batch of its own.
        text, tokens: The text and its tokens so far.
        expected: Tokens that the model itself found most probable in place of each token.
        elapsed_ms: Milliseconds it took.
        near: True for each token whose draw was so near to another one that another batch may draw that.
        finish: Why it ended, "" when the reader stopped it, or wrote one token.
        is_stepped: True if the last action was to write one token.
        parent: The path it left, None for the first.
        at: Number of its tokens that were not drawn: its parent's, and the one the reader chose instead.
        begun: Bytes at its end that begin a character and do not finish it.
    """

    context: PageContext
    chosen: Sampling
    seed: int
    n_max: int
    penalties: Penalties
    exact: bool = False
    text: str = ""
    elapsed_ms: float = 0.0
    tokens: list[GeneratedToken] = field(default_factory=list)
    expected: list[list[Expected]] = field(default_factory=list)
    finish: str = ""
    is_stepped: bool = False
    near: list[bool] = field(default_factory=list)
    parent: Continuation | None = None
    at: int = 0
    begun: bytes = b""

    @property
    def written(self) -> list[int]:
        """Tokens that it took from its parent, and what the reader chose instead."""
        return [token.token_id for token in self.tokens[: self.at]]

    @property
    def goes_on(self) -> dict[str, Any]:
        """Fields of `GenerateRequest` that take up the run where it is, with the random numbers next."""
        return {
            "sampling": self.chosen,
            "penalties": self.penalties,
            "written": tuple(token.token_id for token in self.tokens),
            "n_drawn": len(self.tokens) - self.at,
            "max_new_tokens": self.n_max - len(self.tokens),
            "seed": self.seed,
            "alone": self.exact,
        }

    @property
    def may_go_on(self) -> bool:
        """True if it was stopped before its end."""
        return bool(self.tokens) and not self.finish and len(self.tokens) < self.n_max

    @property
    def scored(self) -> list[ScoredToken]:
        """The tokens, each with what was expected there."""
        return [
            ScoredToken(one.token_id, one.token, one.surprisal_bits, one.rank, one.entropy_bits, there)
            for one, there in zip(self.tokens, self.expected, strict=True)
        ]

    def add(self, step: GenerateStep) -> None:
        """Append one token."""
        self.text += step.text
        self.finish = step.finish_reason or ""
        self.near.append(step.near_tie)
        before = self.begun
        self.begun = pieces.open_bytes(before + pieces.bytes_of(step.token))
        self.tokens.append(
            GeneratedToken(
                step=len(self.tokens) + 1,
                token=pieces.piece(step.token, before).label,
                token_id=step.token_id,
                surprisal_bits=abs(step.logprob) / math.log(2),
                model=math.exp(step.logprob),
                drawn=step.prob,
                rank=step.rank + 1,
                n_kept=step.n_kept,
                entropy_bits=step.entropy_bits,
            )
        )
        if pieces.piece(step.token).kind == "bytes":  # those before it now have their character
            labels = written_labels(self.context.model.model_id, [one.token_id for one in self.tokens])
            self.tokens = [one._replace(token=label) for one, label in zip(self.tokens, labels, strict=True)]
        probs = np.exp(step.top_logits.astype(np.float64) - step.log_sum_exp)  # temperature 1, nothing cut
        self.expected.append(expected(self.context.model.model_id, step.top_ids, probs, before))

    def ending(self) -> str:
        """A sentence on the reason of its end, and on its surprisal."""
        stepped = _("Not ended yet: *Go on* or *One token* writes more.")
        words = [stepped if self.is_stepped and not self.finish else _(_FINISH[self.finish])]
        if self.tokens:
            mean = sum(token.surprisal_bits for token in self.tokens) / len(self.tokens)
            counted = ngettext("{n:,} token", "{n:,} tokens", len(self.tokens)).format(n=len(self.tokens))
            words.append(
                _("{tokens}, {bits:.2f} bits of surprisal on average.").format(tokens=counted, bits=mean)
            )
        if self.exact:
            told = _("It was alone in its batch: written in one go, the same settings give it again.")
            words.append(told)
        elif n_near := sum(self.near):
            near = ngettext(
                "{n} draw was so near to another token that beside other texts it may fall on that one.",
                "{n} draws were so near to another token that beside other texts they may fall there.",
                n_near,
            )
            words.append(near.format(n=n_near))
        return " ".join(words)


def last_run(context: PageContext) -> Continuation | None:
    """This session's latest continuation of this very text by this model."""
    run: Continuation | None = st.session_state.get("sam_run")
    same = run is not None and (run.context.model.model_id, run.context.text) == (
        context.model.model_id,
        context.text,
    )
    return run if same else None
