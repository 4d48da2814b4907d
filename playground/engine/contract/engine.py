"""The engine contract: what the app may ask of a model, in plain data only.

Requests carry their limits, owner and seed; results are frozen values of ints, floats, strings, bytes and
NumPy arrays. Every method may be called from any thread; the caller waits, the engine's one thread computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from playground.core.interventions import Intervention
from playground.core.positions import PositionScheme
from playground.core.sampling import Order
from playground.core.tokens import Tokenization
from playground.core.trace import Trace
from playground.engine.contract.beams import BeamsEngine
from playground.engine.contract.generation import ManyEngine
from playground.engine.contract.inside import InsideEngine
from playground.engine.contract.models import Capability as Capability
from playground.engine.contract.models import Kind as Kind
from playground.engine.contract.models import ModelInfo as ModelInfo
from playground.engine.contract.models import State as State
from playground.engine.contract.scores import ScoreEngine
from playground.engine.contract.training import FinetuneEngine
from playground.engine.contract.training import FinetuneRequest as FinetuneRequest
from playground.engine.contract.training import TrainingState as TrainingState
from playground.engine.contract.vectors import VectorEngine

if TYPE_CHECKING:
    from playground.engine.models.named_tokenizers import NamedTokenizers

FinishReason = Literal["end_of_text", "length", "context_full"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Told to the waiting caller, in its own thread, about ten times a second.

    Attributes:
        position: Place in the queue, 1 = next; 0 = being computed.
        waited_s: Seconds since the request was made, or since it gave its last step.
        state: State of its model.
        message: What the model is doing while it is not ready, in English.
    """

    position: int
    waited_s: float
    state: State
    message: str


OnWait = Callable[[Waiting], None]


def new_request_id() -> str:
    """A fresh id for one request."""
    return uuid4().hex


@dataclass(frozen=True, slots=True)
class TraceRequest:
    """One forward pass; ask only for what the page shows.

    Attributes:
        model: Catalogue id.
        text: What to read; ignored when `input_ids` is given.
        input_ids: Token ids to use as they are, or None.
        position_ids: Position of each token, in any order, equal ones too; None counts 0, 1, 2, ...
        decoder_text: Text given to the decoder of an encoder-decoder model, after its start token.
        attentions: None, "uint8" (square-root scale, 4x fewer bytes) or "float32".
        hidden_states: None, "all", or the layers wanted (0 = embedding).
        logits: None, "last" position, or "all".
        window: First and last + 1 of the positions whose attentions are kept, at most
            `max_tokens_all_heads`; the model reads the whole text. None keeps all.
        query_key: Also keep queries, keys and values.
        writes: Also keep what attention and MLP of each block write.
        predictions: At every position, this many of the most probable next tokens, and how probable the one
            that follows is; 0 = none.
        edit: What this pass does differently from the model.
        after: A trace of the text's beginning, with its keys and values: the same answer sooner, where only
            the last logits are wanted.
        owner: The session that asks; its newer trace of the same `topic` supersedes this one.
        topic: What the trace is for; one page may need two at once.
        request_id: For `cancel` only: requests that bear one id share nothing.
    """

    model: str
    text: str = ""
    input_ids: tuple[int, ...] | None = None
    position_ids: tuple[int, ...] | None = None
    decoder_text: str = ""
    attentions: Literal["uint8", "float32"] | None = None
    hidden_states: Literal["all"] | tuple[int, ...] | None = None
    logits: Literal["last", "all"] | None = None
    window: tuple[int, int] | None = None
    query_key: bool = False
    writes: bool = False
    predictions: int = 0
    edit: Intervention | None = None
    after: Trace | None = None
    owner: str = ""
    topic: str = "main"
    timeout_s: float | None = None
    request_id: str = field(default_factory=new_request_id)


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """Continue a text token by token.

    Attributes:
        written: Tokens the model is to go on from, after the text: they count as written, not as text.
        temperature: 0 = greedy, else > 0.
        top_k: Keep the k most probable tokens; 0 = all.
        top_p: Keep the smallest set that reaches this mass, 0 < top_p <= 1.
        min_p: Drop tokens below this fraction of the most probable one, 0 <= min_p <= 1.
        typical_p: Keep the set nearest to the entropy that reaches this mass, 0 < typical_p <= 1.
        order: Whose order of the transforms, as in `core.sampling`.
        repetition_penalty, presence_penalty, frequency_penalty: As in `core.penalties`; 1, 0, 0 = off.
        seed: Of this request's own random stream: same request, same tokens.
        n_drawn: How many numbers of that stream are used up: those of a run that this one goes on with.
        alone: Whether it gets a batch of its own, so that its tokens never depend on who else generates:
            see `GenerateStep.near_tie`.
        max_new_tokens: At most this many steps.
        n_top: How many alternatives each step keeps.
    """

    model: str
    text: str = ""
    input_ids: tuple[int, ...] | None = None
    written: tuple[int, ...] = ()
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    order: Order = "transformers"
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int = 0
    n_drawn: int = 0
    alone: bool = False
    max_new_tokens: int = 32
    n_top: int = 64
    owner: str = ""
    topic: str = "main"
    timeout_s: float | None = None
    request_id: str = field(default_factory=new_request_id)


@dataclass(frozen=True, slots=True, eq=False)
class GenerateStep:
    """One generated token and the distribution it was drawn from.

    Attributes:
        index: 0 for the first new token.
        token_id: The token drawn.
        token: Its readable form.
        text: Text completed by this step: "" while a character is still missing bytes, also in the last step.
        logprob: Its log-probability in nats under the model itself (temperature 1, nothing cut).
        prob: Its probability in the distribution it was drawn from.
        rank: How many tokens have a larger logit.
        n_kept: Tokens that survived the cuts.
        near_tie: Whether the draw is so near to another token that rounding, which differs from batch to
            batch, could have given that one. Tokens that change places or fall to a cut are not counted.
        entropy_bits: Of the model's own distribution over the whole vocabulary.
        log_sum_exp: Of the logits, nats; `top_logits - log_sum_exp` are log-probabilities.
        top_ids: The most probable tokens, best first. Shape [n_top].
        top_logits: Their logits in nats. Shape [n_top].
        finish_reason: None, or why this is the last step.
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


@dataclass(frozen=True, slots=True)
class EngineStats:
    """Counters since the start, and what is going on now.

    `n_forwards` counts model calls of any kind, `n_prefill_tokens` real (unpadded) tokens read,
    `n_decode_steps` batched steps, `n_decoded_tokens` the tokens they gave.
    """

    n_forwards: int = 0
    n_prefill_tokens: int = 0
    n_decode_steps: int = 0
    n_decoded_tokens: int = 0
    n_cache_hits: int = 0
    n_cancelled: int = 0
    n_waiting: int = 0
    n_decoding: int = 0
    n_training: int = 0
    adapter_bytes: int = 0
    cache_bytes: int = 0
    cache_limit_bytes: int = 0
    model_bytes: int = 0


class Engine(VectorEngine, InsideEngine, ManyEngine, BeamsEngine, ScoreEngine, FinetuneEngine, Protocol):
    """Everything the app asks of a model. Plain data only; safe to call from any thread."""

    tokenizers: NamedTokenizers

    def models(self) -> list[ModelInfo]:
        """The catalogue, in display order, with the state of each model."""

    def tokenize(self, model: str, text: str, *, add_special_tokens: bool = True) -> Tokenization:
        """Cut `text` as the model does. Characters, not tokens, are limited here.

        Raises:
            TextTooLong, ModelNotFound.
        """

    def token_texts(self, model: str, token_ids: NDArray[np.int64]) -> tuple[str, ...]:
        """Readable form of each of these token ids."""

    def text_of(self, model: str, token_ids: Sequence[int]) -> str:
        """The text these tokens spell, without a last character that still misses bytes."""

    def positions(self, model: str) -> PositionScheme:
        """How a model that is in memory tells positions apart; `Unsupported` for a scheme we cannot show."""

    def trace(self, request: TraceRequest, on_wait: OnWait | None = None) -> Trace:
        """One forward pass with everything captured that was asked for.

        Raises:
            InputError, ModelError, BusyError.
        """

    def generate(self, request: GenerateRequest, on_wait: OnWait | None = None) -> Iterator[GenerateStep]:
        """Steps as they are computed; closing the iterator cancels within one step."""

    def load(self, model: str) -> None:
        """Start loading (or downloading) a model in the background; `models()` tells how far it is."""

    def stop_download(self, model: str) -> None:
        """Stop the download of a model; what has come is used by the next one. Else nothing happens."""

    def cancel(self, request_id: str) -> None:
        """Stop a request, at any moment of it; its caller gets `Cancelled`. Unknown ids are ignored."""

    def cancel_owner(self, owner: str) -> None:
        """Stop everything a session asked for (its tab was closed); what it trained waits a while."""

    def welcome(self, owner: str) -> None:
        """A session is back whose connection had been lost."""

    def stats(self) -> EngineStats:
        """Counters and gauges."""

    def close(self) -> None:
        """Stop the engine's threads; waiting callers get `Cancelled`."""
