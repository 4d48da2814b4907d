"""One forward pass: what is captured of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from playground.core.interventions import Intervention
from playground.core.trace import Trace
from playground.engine.contract.asked import Asked


@dataclass(frozen=True, slots=True)
class Capture:
    """The values that are kept of a forward pass; ask only for those that the page shows.

    Attributes:
        attentions: None, "uint8" (square-root scale, 4x fewer bytes) or "float32".
        hidden_states: None, "all", or the layers wanted (0 = embedding); "all" of an encoder-decoder means
            those of both stacks.
        logits: None, "last" position, or "all"; of the next token, or of an encoder with a masked-LM head of
            the token itself.
        window: First and last + 1 of the positions whose attentions are kept, at most
            `max_tokens_all_heads`; the model reads the whole text. None keeps all.
        query_key: Also keep queries, keys and values.
        block_outputs: Also keep what attention and MLP of each block add to the residual stream.
        predictions: At every position, this many of the most probable next tokens, and how probable the one
            that follows is; 0 = none.
    """

    attentions: Literal["uint8", "float32"] | None = None
    hidden_states: Literal["all"] | tuple[int, ...] | None = None
    logits: Literal["last", "all"] | None = None
    window: tuple[int, int] | None = None
    query_key: bool = False
    block_outputs: bool = False
    predictions: int = 0


@dataclass(frozen=True, slots=True)
class TraceRequest(Asked):
    """One forward pass.

    Attributes:
        model: Catalogue id.
        text: The text to read; ignored when `input_ids` is given.
        capture: The values that are kept of it.
        input_ids: Token ids to use as they are, or None.
        position_ids: Position of each token, in any order, equal ones too; None counts 0, 1, 2, ...
        decoder_text: Text given to the decoder of an encoder-decoder model, after its start token; ignored
            when `decoder_ids` is given.
        decoder_ids: Token ids of that text to use as they are, such as a target that was written, or None.
        intervention: Changes of this pass.
        after: A trace of the text's beginning, with its keys and values: the same answer sooner, where only
            the last logits are wanted.
    """

    text: str = ""
    capture: Capture = Capture()
    input_ids: tuple[int, ...] | None = None
    position_ids: tuple[int, ...] | None = None
    decoder_text: str = ""
    decoder_ids: tuple[int, ...] | None = None
    intervention: Intervention | None = None
    after: Trace | None = None


@dataclass(frozen=True, slots=True)
class TraceManyRequest(Asked):
    """Several forward passes that are waited for together: those of one capture share a batch.

    Attributes:
        model: Catalogue id, of all of them.
        requests: Each with its own text and capture; their owner, topic and id count for nothing here.
    """

    requests: tuple[TraceRequest, ...]
    topic: str = field(default="traces", kw_only=True)
