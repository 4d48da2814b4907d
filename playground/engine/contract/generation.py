"""Text written token by token: one continuation, or several that share the batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playground.core.penalties import NO_PENALTIES, Penalties
from playground.core.sampling import UNCHANGED, Sampling
from playground.engine.contract.asked import Asked
from playground.engine.contract.constraints import Constrained, Constraint


@dataclass(frozen=True, slots=True)
class GenerateManyRequest(Asked):
    """Several continuations that share the batch.

    Attributes:
        model: Catalogue id, of all of them.
        requests: Each with its own text, settings and seed; their owner, topic and id count for nothing here.
    """

    requests: tuple[GenerateRequest, ...]
    topic: str = field(default="many", kw_only=True)


FinishReason = Literal["stop", "end_of_text", "matched", "length", "context_full"]


@dataclass(frozen=True, slots=True)
class GenerateRequest(Asked):
    """Continue a text token by token; with an encoder-decoder write the target of a source.

    Attributes:
        text, input_ids: The text, as in `TraceRequest`; for an encoder-decoder the source.
        written: Tokens the model is to go on from, after the text: they count as written, not as text.
            Of an encoder-decoder the target so far, after its start token.
        sampling: Settings of the draw of each token.
        penalties: On tokens that were there before; they come ahead of `sampling`.
        seed: Seed of this request's own random stream: same request, same tokens.
        n_drawn: Count of numbers of that stream that are used up: those of a run that this one goes on with.
        alone: True gives it a batch of its own, so that its tokens never depend on who else generates:
            see `GenerateStep.near_tie`.
        max_new_tokens: At most this many steps.
        stop: Strings that end the text, looked for in what is written alone. The token that completes one is
            the last, as in transformers (`stop_strings`); the text ends before the one that begins first, as
            vLLM's does, in the middle of a token too.
        n_top: Number of alternatives that each step keeps.
        constraint: Form of all that is written, `written` included; None for any text. What it rules out is
            taken from the logits ahead of temperature and cuts, so top-k keeps k of the tokens it allows.
    """

    text: str = ""
    input_ids: tuple[int, ...] | None = None
    written: tuple[int, ...] = ()
    sampling: Sampling = UNCHANGED
    penalties: Penalties = NO_PENALTIES
    seed: int = 0
    n_drawn: int = 0
    alone: bool = False
    max_new_tokens: int = 32
    stop: tuple[str, ...] = ()
    n_top: int = 64
    constraint: Constraint | None = None


@dataclass(frozen=True, slots=True, eq=False)
class GenerateStep:
    """One generated token and the distribution it was drawn from.

    Attributes:
        index: 0 for the first new token.
        token_id: The token drawn.
        token: Readable form of the token.
        text: Text completed by this step: "" while a character is still missing bytes, also in the last step;
            without what may still become a stop string, which comes with a later step.
        logprob: Log-probability of the token in nats under the model itself (temperature 1, nothing cut).
        prob: Probability of the token in the distribution it was drawn from.
        rank: Number of tokens with a larger logit.
        n_kept: Tokens that survived the cuts.
        near_tie: True if the draw is so near to another token that rounding, which differs from batch to
            batch, could have given that one. Tokens that change places or fall to a cut are not counted.
        entropy_bits: Entropy of the model's own distribution over the whole vocabulary.
        log_sum_exp: Log-sum-exp of the logits, nats; `top_logits - log_sum_exp` are log-probabilities.
        top_ids: The most probable tokens, best first. Shape [n_top].
        top_logits: Their logits in nats. Shape [n_top].
        finish_reason: None, or why this is the last step; "matched" where the text can only end here.
        constrained: None, or the part of the distribution that the request's constraint allowed. `logprob`,
            `rank`, `entropy_bits` and the alternatives are the model's own also then; `prob` and `n_kept`
            are of the draw.
    """

    index: int
    token_id: int
    token: str
    text: str
    logprob: float
    prob: float
    rank: int
    n_kept: int
    near_tie: bool
    entropy_bits: float
    log_sum_exp: float
    top_ids: NDArray[np.int64]
    top_logits: NDArray[np.float32]
    finish_reason: FinishReason | None = None
    constrained: Constrained | None = None
