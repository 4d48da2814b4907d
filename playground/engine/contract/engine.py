"""The engine contract: what the app may ask of a model, in plain data only.

Requests carry their limits, owner and seed; results are frozen values of ints, floats, strings, bytes and
NumPy arrays; errors can be pickled. Every method may be called from any thread; the caller waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from playground.core.trace import Trace
from playground.engine.contract.adapters import AdapterStore
from playground.engine.contract.beams import BeamsRequest, BeamStep
from playground.engine.contract.filling import Filled, FillRequest
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest, GenerateStep
from playground.engine.contract.inside import Inside
from playground.engine.contract.memory import Memory
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.networks import Networks
from playground.engine.contract.preferences import PreferencePart
from playground.engine.contract.pretraining import Pretraining
from playground.engine.contract.quantization import Quantization
from playground.engine.contract.retrieval import Retrieval
from playground.engine.contract.scores import ScoreRequest, Scores
from playground.engine.contract.task_heads import TaskHeads
from playground.engine.contract.tokenizers import Tokenizers
from playground.engine.contract.traces import TraceManyRequest, TraceRequest
from playground.engine.contract.training import Training
from playground.engine.contract.vectors import Vectors
from playground.engine.contract.waiting import OnWait


@dataclass(frozen=True, slots=True)
class EngineStats:
    """Counters since the start, and what is going on now.

    `n_forwards` counts model calls of any kind, `n_prefill_tokens` real (unpadded) tokens read,
    `n_decode_steps` batched steps, `n_decoded_tokens` the tokens they gave. `n_restarts` counts how often the
    thread that computes began anew after an error that no request caught.
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
    n_restarts: int = 0


class Engine(Protocol):
    """Everything the app asks of a model. Plain data only; safe to call from any thread."""

    @property
    def inside(self) -> Inside:
        """States read early, heads switched off, weights."""

    @property
    def vectors(self) -> Vectors:
        """Vectors of tokens and of texts."""

    @property
    def tokenizers(self) -> Tokenizers:
        """Texts into tokens and back."""

    @property
    def adapters(self) -> AdapterStore:
        """The adapters of all sessions."""

    @property
    def training(self) -> Training:
        """The part that trains."""

    @property
    def networks(self) -> Networks:
        """Networks that turn one sequence into another, trained from nothing."""

    @property
    def pretraining(self) -> Pretraining:
        """Models trained from random weights."""

    @property
    def task_heads(self) -> TaskHeads:
        """Encoders with a linear layer that does a job."""

    @property
    def preferences(self) -> PreferencePart:
        """Preference pairs, and reward models."""

    @property
    def retrieval(self) -> Retrieval:
        """Collections of documents, and the search in them."""

    @property
    def quantization(self) -> Quantization:
        """Quantized copies of models, beside the models."""

    @property
    def memory(self) -> Memory:
        """Memory of models: their sizes, a real step measured, a real cache."""

    def models(self) -> list[ModelInfo]:
        """The catalogue, in display order, with the state of each model."""

    def trace(self, request: TraceRequest, on_wait: OnWait | None = None) -> Trace:
        """One forward pass with everything captured that was asked for.

        Raises:
            InputError, ModelError, BusyError.
        """

    def trace_many(self, request: TraceManyRequest, on_wait: OnWait | None = None) -> list[Trace]:
        """As `trace`, of at most `max_traces_together` requests, which share forwards where they can.

        Raises:
            InputError, ModelError, BusyError: The first that any of them meets.
        """

    def generate(self, request: GenerateRequest, on_wait: OnWait | None = None) -> Iterator[GenerateStep]:
        """Steps as they are computed; closing the iterator cancels within one step."""

    def generate_many(
        self, request: GenerateManyRequest, on_wait: OnWait | None = None
    ) -> Iterator[tuple[int, GenerateStep]]:
        """(which continuation, its next step), as they are computed; closing the iterator stops all."""

    def beams(self, request: BeamsRequest, on_wait: OnWait | None = None) -> Iterator[BeamStep]:
        """Every step of a beam search; closing the iterator stops it after a step."""

    def score(self, request: ScoreRequest, on_wait: OnWait | None = None) -> Iterator[tuple[int, Scores]]:
        """(which text, log p(candidate | text) of its candidates), in the texts' order, as they are known.

        What texts begin with alike is read once. Closing the iterator stops it within a forward.

        Raises:
            InputError, ModelError, BusyError.
        """

    def fill(self, request: FillRequest, on_wait: OnWait | None = None) -> Filled:
        """The distribution over the vocabulary at every mask of a text, from one forward pass.

        Raises:
            NoMask, TooManyMasks: The text has none, or more than allowed.
            Unsupported: The model has no masked-LM head.
            InputError, ModelError, BusyError.
        """

    def fill_each(self, request: FillRequest, on_wait: OnWait | None = None) -> Iterator[Filled]:
        """The same of every token of a text, each masked alone, some places at a time, in the text's order.

        The token that was masked is the first of those asked about; the sum of its log-probabilities over all
        places is the text's pseudo-log-likelihood. The marks that frame the text, and masks in it, stay as
        they are. At most `max_tokens_all_heads` tokens. Closing the iterator stops it within a forward.

        Raises:
            Unsupported: The model has no masked-LM head.
            InputError, ModelError, BusyError.

        Source:
            Salazar et al. 2020, "Masked Language Model Scoring", section 2.
        """

    def load(self, model: str) -> None:
        """Start loading (or downloading) a model in the background; `models()` tells how far it is."""

    def stop_download(self, model: str) -> None:
        """Stop the download of a model; what has come is used by the next one. Else nothing happens."""

    def cancel(self, request_id: str) -> None:
        """Stop a request, at any moment of it; its caller gets `Cancelled`. Unknown ids are ignored."""

    def cancel_owner(self, owner: str) -> None:
        """Stop everything a session asked for (its tab was closed); what it trained waits a while."""

    def owner_back(self, owner: str) -> None:
        """A session is back whose connection had been lost."""

    def stats(self) -> EngineStats:
        """Counters and gauges."""

    def close(self) -> None:
        """Stop the engine's threads; waiting callers get `Cancelled`."""
