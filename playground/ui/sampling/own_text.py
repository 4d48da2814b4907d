"""Probability of the reader's own text under the model, token by token, with its start token and without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.charts import sampling as charts
from playground.core import pieces
from playground.core.predictions import Predictions
from playground.core.tables import predictions as frames
from playground.core.tokens import Tokenization, join
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.ui import compute, show, state
from playground.ui.components.scored_text import scored_text
from playground.ui.expected import N_EXPECTED
from playground.ui.scored import scored_tokens
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain, strong
from playground.ui.url import setting


@dataclass(frozen=True)
class _Way:
    """The text as one of the two token sequences that a model can be given for it.

    Attributes:
        tokens: All of them.
        n_start: Number of tokens in front of the text.
        is_usual: True if the model's own tokenizer gives these.
    """

    tokens: Tokenization
    n_start: int
    is_usual: bool

    @property
    def start_ids(self) -> list[int]:
        """Ids of the tokens in front of the text."""
        return list(self.tokens.input_ids[: self.n_start])

    def read(self, context: PageContext, topic: str) -> tuple[Trace, Predictions]:
        """The model's predictions at every position."""
        trace = compute.trace(context, self.tokens.input_ids, Capture(predictions=N_EXPECTED), topic=topic)
        assert trace.predictions is not None
        return trace, trace.predictions


def panel(context: PageContext) -> None:
    """The text coloured by surprisal, its total in bits, its perplexity.

    Args:
        context: From `frame.page`.
    """
    bare, started = _ways(context)
    way = started if started is not None and _is_started(started) else bare
    if len(way.tokens) == 1:
        st.info(_("One token alone has no probability here: the model was given nothing before it."))
        return
    trace, read = way.read(context, "own_text")
    labels = pieces.labels(way.tokens)
    scored_text(scored_tokens(trace.model_id, read, way.tokens), key="sam_own_text")
    _say(read, labels, n_start=way.n_start)
    both: dict[str, NDArray[np.float64]] = {}
    if started is not None and len(bare.tokens) > 1:
        other = bare if way is started else started
        _trace, other_read = other.read(context, "own_text_other")
        without, behind = (read, other_read) if way is bare else (other_read, read)
        both = {"without_start": without.surprisal_bits, "with_start": behind.surprisal_bits}
        _compare(started, pieces.labels(bare.tokens), both)
    table = frames.surprisals(read, way.tokens.input_ids, labels, n_start=way.n_start, both=both)
    words = {
        "token": _("Token"),
        "surprisal": _("Surprisal (bits)"),
        "model": _("Probability"),
        "rank": _("Rank"),
    }
    chart = charts.surprisal_bars(words, steps=range(table["step"].iloc[0], table["step"].iloc[-1] + 1))
    alt = _("Surprisal of each token of the text")
    show.show_chart(chart, "sam_own_bars", alt, data=table)
    show.provenance(trace)
    code = show.code(
        "surprisal", folder=show.model_folder(trace.model_id), text=context.text,
        start_ids=started.start_ids if started is not None else [], with_start=way is started,
    )  # fmt: skip
    show.under_picture("surprisal", frame=table, code=code, picture="sam_own_bars")


def _ways(context: PageContext) -> tuple[_Way, _Way | None]:
    """The text alone, and behind the start token; None where the model has none, or no room for it."""
    tokens, model = compute.tokenize(context), context.model
    tokenizers = compute.tokenizers()
    bare = tokenizers.tokenize(model.model_id, context.text, add_special_tokens=False)
    n_start = next((place for place, special in enumerate(tokens.special) if not special), 0)
    if n_start:
        return _Way(bare, 0, is_usual=False), _Way(tokens, n_start, is_usual=True)
    start_id, most = tokenizers.info(model.model_id).start_id, state.settings().max_tokens
    if start_id is None or len(bare) >= min(most, model.n_ctx or most):
        return _Way(bare, 0, is_usual=True), None
    name = compute.token_texts(context, np.array([start_id]))
    start = Tokenization(model.model_id, "", (start_id,), name, (b"",), ((0, 0),), (True,))
    return _Way(bare, 0, is_usual=True), _Way(join([start, bare]), 1, is_usual=False)


def _is_started(started: _Way) -> bool:
    """Draw the switch; at first the model is given what its tokenizer makes of the text."""
    name = plain(_start_name(started))
    told = _("It marks where a text begins, as in training: the model knows that nothing came before.")
    if started.is_usual:
        without = st.toggle(
            _("Without the start token {token}").format(token=name), help=told,
            **setting("sam_no_start", False),
        )  # fmt: skip
        return not without
    return st.toggle(
        _("With the start token {token}").format(token=name), help=told, **setting("sam_start_token", False)
    )


def _start_name(started: _Way) -> str:
    return " ".join(pieces.labels(started.tokens)[: started.n_start])


def _say(read: Predictions, labels: Sequence[str], *, n_start: int) -> None:
    bits = read.surprisal_bits
    most = int(bits.argmax())
    after_first = ngettext(
        "The {n} token after the first, {token}, costs {total:.1f} bits: perplexity {perplexity:.1f}.",
        "The {n} tokens after the first cost {total:.1f} bits, {mean:.2f} per token: perplexity "
        "{perplexity:.1f}. The most surprising one is {token} with {bits:.1f} bits.",
        len(bits),
    )
    every = ngettext(
        "The {n} token, {token}, costs {total:.1f} bits: perplexity {perplexity:.1f}.",
        "The {n} tokens cost {total:.1f} bits, {mean:.2f} per token: perplexity {perplexity:.1f}. The most "
        "surprising one is {token} with {bits:.1f} bits.",
        len(bits),
    )
    st.markdown(
        (every if n_start else after_first).format(
            n=len(bits), total=read.total_bits, mean=bits.mean(), perplexity=read.perplexity,
            token=strong(labels[most + 1]), bits=bits[most],
        )
    )  # fmt: skip


def _compare(started: _Way, labels: Sequence[str], both: Mapping[str, NDArray[np.float64]]) -> None:
    """Effect of the start token on the tokens that have a probability with and without it.

    Args:
        started: Behind the start token.
        labels: Labels of the text's tokens.
        both: "without_start", "with_start" -> bits of the last tokens of the text.
    """
    without, behind = (bits[1 - len(labels) :] for bits in both.values())
    most = int(np.abs(behind - without).argmax())
    told = ngettext(
        "The token after the first costs {without:.2f} bits without the start token {start} and {behind:.2f} "
        "with it.",
        "The {n} tokens after the first cost {without:.2f} bits without the start token {start} and "
        "{behind:.2f} with it; {token} changes most, from {before:.2f} to {after:.2f}.",
        len(without),
    )
    st.markdown(
        told.format(
            n=len(without), start=strong(_start_name(started)), without=without.sum(), behind=behind.sum(),
            token=strong(labels[most + 1]), before=without[most], after=behind[most],
        )
    )  # fmt: skip
