"""The three models of the page, each with what it reads: an encoder, a decoder, an encoder-decoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from playground.core import pieces
from playground.core.families import may_look, two_stacks
from playground.core.tokens import Tokenization
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.ui import compute
from playground.ui.families.written import Written, written
from playground.ui.roles import player
from playground.ui.state import PageContext, settings

Family = Literal["encoder", "decoder", "encoder-decoder"]
FAMILIES: tuple[Family, ...] = get_args(Family)
Head = tuple[int, int] | None  # layer and head, counted from 0; None for the mean of all


@dataclass(frozen=True, slots=True, eq=False)
class Player:
    """One family's model and what it read.

    Attributes:
        family: Its family.
        context: The model, and the text that it read.
        tokens: That text, cut.
        trace: With all attentions; of the first tokens where there are more than can be drawn.
        answer: The target that an encoder-decoder wrote.
    """

    family: Family
    context: PageContext
    tokens: Tokenization
    trace: Trace
    answer: Written | None = None

    @property
    def n_source(self) -> int:
        """Tokens drawn, without those of the answer."""
        assert self.trace.attentions is not None
        return int(self.trace.attentions.shape[-1])

    @property
    def n_seen_by_all(self) -> int:
        """Tokens that every token may look at."""
        return 0 if self.family == "decoder" else self.n_source

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each token drawn, the source's first, then those that the decoder read."""
        source = pieces.labels(self.tokens)[: self.n_source]
        return source if self.answer is None else (*source, *self.answer.read_labels)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Characters of the text that each token drawn covers; (0, 0) for the answer's."""
        spans = list(self.tokens.offsets[: self.n_source])
        return spans + [(0, 0)] * (len(self.labels) - len(spans))

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """The attention mask. Shape [token, token]."""
        return may_look(len(self.labels), self.n_seen_by_all)

    def weights(self, head: Head) -> NDArray[np.float64]:
        """One head's map, or the mean of all heads and layers. Shape [token, token]."""
        own = one_map(self.trace.attentions, head)
        if self.answer is None:
            return own
        decoder, cross = (
            one_map(captured, head)
            for captured in (self.trace.decoder_attentions, self.trace.cross_attentions)
        )
        return two_stacks(own, decoder, cross)


def one_map(captured: NDArray[np.uint8] | NDArray[np.float32] | None, head: Head) -> NDArray[np.float64]:
    """A head of captured attentions, or the mean of all. Shape [query, key].

    Args:
        captured: Shape [layer, head, query, key].
        head: One that the model has not becomes its last.
    """
    assert captured is not None
    if head is None:
        mean: NDArray[np.float64] = captured.mean(axis=(0, 1), dtype=np.float64)
        return mean
    n_layer, n_head = captured.shape[:2]
    own: NDArray[np.float64] = captured[min(head[0], n_layer - 1), min(head[1], n_head - 1)].astype(
        np.float64
    )
    return own


def players(context: PageContext, source: str) -> list[Player]:
    """The models that are in memory, in the order of the families; of the first that is not, a line says so.

    The reader's model plays its family's part.

    Args:
        context: From `frame.page`.
        source: The text for the encoder-decoder.
    """
    found: dict[Family, Player] = {}
    for family in ("decoder", "encoder-decoder", "encoder"):  # what is there first comes first
        one = player(context, family)
        if one is None:
            break
        found[family] = _read(family, replace(one, text=source) if family == "encoder-decoder" else one)
    return [found[family] for family in FAMILIES if family in found]


def of_family(found: Sequence[Player], family: Family) -> Player | None:
    """The player of a family, None while its model is not in memory."""
    return next((one for one in found if one.family == family), None)


def models(found: Sequence[Player]) -> Mapping[Family, str]:
    """Family -> id of its model."""
    return {one.family: one.context.model.model_id for one in found}


def _read(family: Family, context: PageContext) -> Player:
    tokens = compute.tokenize(context)
    limit = settings().max_tokens_all_heads
    ids = tokens.input_ids
    capture = Capture(attentions="float32", window=(0, limit) if len(ids) > limit else None)
    topic = f"families_{family}"
    if family == "encoder-decoder":
        answer = written(context, ids[:limit])
        both = replace(capture, window=None)
        trace = compute.trace(context, ids[:limit], both, decoder_ids=answer.read_ids, topic=topic)
        return Player(family, context, tokens, trace, answer)
    if family == "encoder":
        capture = replace(capture, hidden_states=(context.model.n_layer,))
    else:
        capture = replace(capture, logits="last")
    return Player(family, context, tokens, compute.trace(context, ids, capture, topic=topic))
