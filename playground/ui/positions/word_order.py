"""The order experiment on real models: the same words shuffled, with and without positions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.charts import positions as charts
from playground.core import word_order
from playground.core.pieces import bytes_of, labels, open_bytes, piece
from playground.core.ranking import rank
from playground.core.sampling import distribution
from playground.core.tables import positions as frames
from playground.core.tokens import Tokenization
from playground.core.trace import Trace
from playground.core.word_order import Order
from playground.engine.contract.traces import Capture, TraceRequest
from playground.ui import compute, show
from playground.ui.frame import has_sentence
from playground.ui.number import number_field
from playground.ui.positions.roles import first_tokens
from playground.ui.state import PageContext, settings
from playground.ui.text import _, as_code, plain

Positions = Literal["counted", "equal"]
SAME = 1e-4  # numbers that differ by less are the same, but for rounding


@dataclass(frozen=True, slots=True, eq=False)
class OrderReading:
    """One model's text in two orders, with counted and with equal positions.

    Attributes:
        context: The model and the text.
        tokens: The text as this model reads it.
        order: Token that stands at each position after the shuffle.
        before, after: The traces in the given and in the new order.
    """

    context: PageContext
    tokens: Tokenization
    order: Order
    before: dict[Positions, Trace]
    after: dict[Positions, Trace]

    def differences(self, positions: Positions, *, position: int | None = None) -> NDArray[np.float64]:
        """Relative change of each layer's vectors, shape [layer]; see `core.word_order.differences`."""
        before, after = self.before[positions].hidden_states, self.after[positions].hidden_states
        assert before is not None
        assert after is not None
        return word_order.differences(before, after, self.order, position=position)

    def largest(self, positions: Positions) -> float:
        """Largest difference of any number of the output vectors."""
        before, after = self.before[positions].hidden_states, self.after[positions].hidden_states
        assert before is not None
        assert after is not None
        return float(np.abs(after[-1] - before[-1][list(self.order)]).max())


def readings(
    encoder: PageContext, decoder: PageContext, seed: int
) -> tuple[OrderReading | None, OrderReading | None]:
    """Let both models read the text with its words in the same two orders; the last word stays last."""
    limit = settings().max_tokens_all_heads
    cuts = [(context, first_tokens(context, limit)) for context in (encoder, decoder)]
    n_words = min(len(word_order.words(tokens)) for _context, tokens in cuts)
    first, second = (
        _read(context, tokens, seed, None if _few(tokens) else n_words) for context, tokens in cuts
    )
    return first, second


def _few(tokens: Tokenization) -> bool:
    return len(tokens.text.split()) < 3


def _read(context: PageContext, tokens: Tokenization, seed: int, n_words: int | None) -> OrderReading | None:
    """Let one model read the text in two orders; None when shuffling does not change it.

    Args:
        context: The model and the text.
        tokens: The text as this model reads it.
        seed: Seed of the order.
        n_words: Number of words to shuffle; None shuffles all that `word_order.words` gives.
    """
    groups = word_order.words(tokens)[:n_words]
    order = word_order.shuffled(groups, len(tokens), seed, keep_last=True)
    given = tokens.input_ids
    moved = None if order is None else tuple(given[token] for token in order)
    if order is None or moved is None or moved == given:
        return None
    kinds: tuple[Positions, ...] = ("counted", "equal")
    asked = [(ids, positions) for ids in (given, moved) for positions in kinds]
    traces = compute.traces_together(context, [_request(context, *one) for one in asked], topic="order")
    before, after = (dict(zip(kinds, each, strict=True)) for each in (traces[:2], traces[2:]))
    return OrderReading(context, tokens, order, before, after)


def first_trace(context: PageContext) -> Trace:
    """The text in its own order: what the experiment begins with, and what the pictures before it show."""
    ids = first_tokens(context, settings().max_tokens_all_heads).input_ids
    return compute.trace(context, ids, _request(context, ids, "counted").capture, topic="order")


def _request(context: PageContext, ids: tuple[int, ...], positions: Positions) -> TraceRequest:
    logits: Literal["last"] | None = "last" if "logits" in context.model.capabilities else None
    return TraceRequest(
        context.model.model_id, capture=Capture(hidden_states="all", logits=logits), input_ids=ids,
        position_ids=(0,) * len(ids) if positions == "equal" else None,
    )  # fmt: skip


def experiment(encoder: PageContext, decoder: PageContext) -> dict[str, float]:
    """Draw the order experiment.

    Returns:
        Largest relative difference of the output vectors for "encoder_counted", "encoder_equal",
        "decoder_counted" and "decoder_equal"; empty without a sentence, and when a shuffle changes nothing.
    """
    st.markdown(f"## {_('What does a model lose when its words are shuffled?')}")
    if not has_sentence(encoder):
        return {}
    seed = number_field(_("Seed"), 0, 2**32 - 1, 0, key="pos_seed", width=160)
    first, second = readings(encoder, decoder, int(seed))
    if first is None or second is None:
        st.info(_("Shuffled, this text stays as it is: type at least three different words."))
        return {}
    for reading in (first, second):
        _orders(reading)
    names = first.context.model.name, second.context.model.name
    found = {
        (end, positions): reading.differences(positions)
        for end, reading in (("encoder", first), ("decoder", second))
        for positions in reading.before
    }
    last = second.differences("equal", position=len(second.tokens) - 1)
    named = dict(zip(("encoder", "decoder"), names, strict=True))
    lines: dict[tuple[str, str], NDArray[np.float64]] = {
        (named[end], positions): difference for (end, positions), difference in found.items()
    }
    table = frames.order(lines | {(names[1], "last"): last})
    alt = _("How far the vectors of each layer move when the words are shuffled")
    show.show_chart(_order_picture(encoder.language, *names), "pos_order", alt, data=table)
    st.markdown(_order_sentence(first, second, last))
    for reading in (first, second):
        show.provenance(reading.after["equal"])
    code = partial(_order_code, first, second)
    show.under_picture("word_order", frame=table, code=code, picture="pos_order")
    return {f"{end}_{positions}": float(difference[-1]) for (end, positions), difference in found.items()}


def options(encoder: PageContext, decoder: PageContext) -> dict[str, str]:
    """The four cases of the experiment, as the options of a task."""
    names = {"encoder": encoder.model.name, "decoder": decoder.model.name}
    kinds = {"counted": _("positions 0, 1, 2, …"), "equal": _("all positions 0")}
    return {
        f"{end}_{kind}": f"{name}, {words}" for end, name in names.items() for kind, words in kinds.items()
    }


def _orders(reading: OrderReading) -> None:
    """The two orders as the model reads them."""
    shown = labels(reading.tokens)
    new = " ".join(shown[token] for token in reading.order)
    few = _("tokens shuffled, because there are too few words")
    what = few if _few(reading.tokens) else _("words shuffled")
    st.caption(f"{plain(reading.context.model.name)} · {what}: {plain(new)}")


def _order_sentence(encoder: OrderReading, decoder: OrderReading, last: NDArray[np.float64]) -> str:
    """The picture in words, with the numbers of this text."""
    words = [_encoder_words(encoder), *_decoder_words(decoder, last)]
    before, after = decoder.before["counted"], decoder.after["counted"]
    if before.logits is not None and after.logits is not None:
        given, new = (winner(decoder.context, trace) for trace in (before, after))
        words.append(
            _("Its next token: {before} ({p:.1%}) before the shuffle, {after} ({q:.1%}) after it.").format(
                before=as_code(given[0]), p=given[1], after=as_code(new[0]), q=new[1]
            )
        )
    return " ".join(words)


def _encoder_words(encoder: OrderReading) -> str:
    equal, counted = encoder.largest("equal"), encoder.largest("counted")
    told = (
        _(
            "Without positions (dashed), {encoder} gives the same set of vectors in any order: no number "
            "differs by more than {equal:.1e}. With positions {counted:.2f}."
        )
        if equal < SAME
        else _(
            "Without positions (dashed), the numbers of {encoder} differ by up to {equal:.2f}: it knows the "
            "order from elsewhere, too. With positions {counted:.2f}."
        )
    )
    return told.format(encoder=plain(encoder.context.model.name), equal=equal, counted=counted)


def _decoder_words(decoder: OrderReading, last_word: NDArray[np.float64]) -> list[str]:
    """Sentences on the difference without positions, and the layer where the last token begins to differ."""
    name = plain(decoder.context.model.name)
    if decoder.largest("equal") < SAME:
        return [_("{decoder} gives the same vectors in this order without positions.").format(decoder=name)]
    told = [
        _(
            "{decoder} differs even without positions: its mask lets each token see only the tokens before "
            "it, and those have changed."
        ).format(decoder=name)
    ]
    moved = last_word >= SAME
    if moved.any():
        last = _(
            "The last word (dotted) stayed last and sees the same set: it first moves at layer {layer}, when "
            "the tokens that it reads have changed themselves."
        )
        told.append(last.format(layer=int(moved.argmax())))
    else:
        told.append(_("The last word (dotted) stayed last and sees the same set: it never moves."))
    return told


def winner(context: PageContext, trace: Trace) -> tuple[str, float]:
    """The most probable next token, as it is shown, and its probability."""
    assert trace.logits is not None
    best = distribution(rank(trace.logits[-1]))
    (text,) = compute.token_texts(context, best.token_ids[:1])
    begun = open_bytes(b"".join(map(bytes_of, compute.token_texts(context, trace.input_ids))))
    return piece(text, begun).label, float(best.probs[0])


def _order_code(encoder: OrderReading, decoder: OrderReading) -> str:
    return show.code(
        "word_order",
        encoder_folder=show.model_folder(encoder.context.model.model_id),
        decoder_folder=show.model_folder(decoder.context.model.model_id),
        encoder_ids=list(encoder.tokens.input_ids),
        decoder_ids=list(decoder.tokens.input_ids),
        encoder_order=list(encoder.order),
        decoder_order=list(decoder.order),
    )


@lru_cache
def _order_picture(language: str, encoder: str, decoder: str) -> dict[str, Any]:
    return charts.order_lines(
        {
            "layer": _("Layer (0 = embedding)"),
            "difference": _("Largest difference / length"),
            "model": _("Model"),
            "positions": _("Positions"),
            "counted": _("positions 0, 1, 2, …"),
            "equal": _("all positions 0"),
            "last": _("all positions 0, last token only"),
        },
        models=(encoder, decoder),
    )
