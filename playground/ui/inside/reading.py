"""The text as this model reads it, and everything of its way through the layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from playground.core import inside as core
from playground.core import pieces
from playground.core.residual import Lens
from playground.core.tokens import Tokenization
from playground.core.trace import Trace
from playground.engine.contract.inside import Part
from playground.engine.contract.traces import Capture
from playground.errors import BadValue
from playground.ui import compute, state
from playground.ui.choose import default_index, list_key, told_apart
from playground.ui.state import PageContext
from playground.ui.text import _, sentence
from playground.ui.url import hidden, put

N_TOP = 10  # tokens of each layer


@dataclass(frozen=True, slots=True, eq=False)
class InsideReading:
    """One text in one model.

    Attributes:
        context: Model and text.
        tokens: The text as this model reads it, the first `max_tokens_all_heads` tokens.
        trace: All hidden states; the writes where the model's blocks tell them.
        lens: At the selected position, with all its logits; None for a model without a next token.
        parts: Parts of the model.
        position: The selected token, otherwise the last.
    """

    context: PageContext
    tokens: Tokenization
    trace: Trace
    lens: Lens | None
    parts: tuple[Part, ...]
    position: int

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each token."""
        return pieces.labels(self.tokens)

    def stream(self, position: int | None = None) -> core.ResidualStream:
        """The residual stream of a position, the selected one if none is given."""
        place = self.position if position is None else position
        return core.residual_stream(self.trace, place, pre_norm=is_decoder(self.context))

    def lens_here(self) -> Lens:
        """The lens at the selected position, of a model that has one."""
        assert self.lens is not None
        return self.lens

    def guesses(self, lens: Lens) -> list[dict[int, str]]:
        """For each position of the lens: token id of a guess -> how it is shown as what follows there."""
        before = pieces.begun_bytes([*self.tokens.token_bytes, b""])[1:]
        ids = np.unique(lens.top_ids)
        texts = dict(zip(ids.tolist(), compute.token_texts(self.context, ids), strict=True))
        return [
            {
                token: pieces.piece(texts[token], before[place]).label
                for token in np.unique(lens.top_ids[:, column]).tolist()
            }
            for column, place in enumerate(lens.positions)
        ]

    def named_here(self, token_ids: Iterable[int]) -> dict[int, str]:
        """Token id -> how it is shown as what follows the selected token, in order."""
        read = b"".join(self.tokens.token_bytes[: self.position + 1])
        return named(self.context, token_ids, pieces.open_bytes(read))


def is_decoder(context: PageContext) -> bool:
    """True if the model predicts a next token from a single causal stack."""
    return context.model.kind == "decoder"


def read(context: PageContext, whole: Tokenization, selected: int | None) -> InsideReading:
    """Ask the engine for the first view: all states, and the lens at the selected position.

    Every answer is cached, so a token selected or a part looked at costs no forward.
    """
    tokens = first(whole)
    if len(tokens) < len(whole):
        st.caption(
            _("This page reads the first {limit} of {n} tokens.").format(limit=len(tokens), n=len(whole))
        )
    writes = "query_key" in context.model.capabilities
    ids = tokens.input_ids
    trace = compute.trace(context, ids, Capture(hidden_states="all", block_outputs=writes), topic="inside")
    last = len(tokens) - 1
    position = last if selected is None else min(selected, last)
    lens = compute.lens(context, ids, position, N_TOP) if is_decoder(context) else None
    return InsideReading(context, tokens, trace, lens, compute.parts(context), position)


def first(tokens: Tokenization) -> Tokenization:
    """As many tokens as are looked at side by side."""
    limit = state.settings().max_tokens_all_heads
    lists = ("input_ids", "tokens", "token_bytes", "offsets", "special")
    return replace(tokens, **{name: getattr(tokens, name)[:limit] for name in lists})


def named(context: PageContext, token_ids: Iterable[int], before: bytes) -> dict[int, str]:
    """Token id -> how it is shown, in order; `before`: bytes that have begun a character."""
    ids = np.array(list(dict.fromkeys(token_ids)), dtype=np.int64)
    texts = compute.token_texts(context, ids)
    return {token: pieces.piece(text, before).label for token, text in zip(ids.tolist(), texts, strict=True)}


def remembered(key: str, allowed: Iterable[str], default: str) -> str:
    """The id that a hidden field bound to the URL holds; one sentence and the default when it cannot be."""
    chosen = hidden(key)
    known = list(allowed)
    if chosen and chosen not in known:
        some = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
        st.warning(sentence(BadValue(name=key, value=repr(chosen[:40]), allowed=some)))
    return chosen if chosen in known else default


def pick(key: str, names: Mapping[str, str], label: str, default: str) -> str:
    """A list to pick from whose URL value is an id, whatever its words.

    Args:
        key: URL parameter.
        names: Option -> its words, as plain text.
        label: Above the list.
        default: Needs no place in the URL.
    """
    names = told_apart(names)
    wanted = remembered(key, names, default)
    drawn = list_key(f"{key}_choice", names)
    st.selectbox(
        label,
        tuple(names),
        default_index(drawn, names, wanted),
        key=drawn,
        format_func=names.__getitem__,
        on_change=_keep,
        args=(key, drawn, tuple(names), default),
    )
    return wanted


def _keep(key: str, drawn: str, options: tuple[str, ...], default: str) -> None:
    """Keep the choice: the browser sends an option's words, which name none after a change of the text."""
    chosen = st.session_state[drawn]
    if chosen in options:
        put(key, "" if chosen == default else chosen)
