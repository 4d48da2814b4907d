"""The view of the attention page: the text read once, the chosen head, the heads that are off."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.core import pieces
from playground.core.heads import head_name
from playground.core.journey import query_position, sharpest_head
from playground.core.tokens import Tokenization
from playground.core.trace import Trace
from playground.core.word_order import words
from playground.engine.contract.traces import Capture
from playground.errors import BadValue
from playground.ui import compute, show, state
from playground.ui.components.token_chips import selected_token
from playground.ui.number import slider
from playground.ui.state import PageContext
from playground.ui.text import _, sentence
from playground.ui.url import hidden, put

Head = tuple[int, int]
_EXAMPLES = {
    "pronoun": "The animal didn't cross the street because it was too tired",
    "repetition": "one red hat two blue cats one red hat two blue cats one red hat",
    "names": "When Mary and John went to the store, John gave a drink to",
}


@dataclass(frozen=True)
class View:
    """The text, the head and the heads switched off that the page shows.

    Attributes:
        context: From `frame.page`.
        tokens: The whole text as the model reads it.
        trace: Trace of the whole text; its attentions are those of the window.
        start, stop: The window: the tokens drawn.
        layer, head: The chosen head, counted from 0; `name` is what the page calls it.
        off: Heads that are switched off.
    """

    context: PageContext
    tokens: Tokenization
    trace: Trace
    start: int
    stop: int
    layer: int
    head: int
    off: frozenset[Head]

    @property
    def weights(self) -> NDArray[np.float32]:
        """Attention of the window. Shape [layer, head, query, key]."""
        assert self.trace.attentions is not None
        return self.trace.attentions.astype(np.float32, copy=False)

    @cached_property
    def labels(self) -> list[str]:
        """Label of each token of the window."""
        return list(pieces.labels(self.tokens)[self.start : self.stop])

    @property
    def query(self) -> int:
        """The selected token, otherwise the last of the reader's own; counted from the window's start."""
        selected = selected_token(len(self.tokens))
        place = query_position(self.tokens.special) if selected is None else selected
        return min(max(place, self.start), self.stop - 1) - self.start

    @property
    def name(self) -> str:
        """The name of the chosen head on the page."""
        return head_name(self.layer, self.head)

    @property
    def upto_query(self) -> tuple[int, ...]:
        """Token ids of the text up to the selected token: what a decoder predicts the next one from."""
        return self.tokens.input_ids[: self.start + self.query + 1]

    @property
    def causal(self) -> bool:
        """True if a token sees only itself and the tokens before it."""
        return self.context.model.kind == "decoder"

    @property
    def n_keys(self) -> float:
        """Number of tokens that a token of the window can see, on average."""
        n = self.stop - self.start
        return self.start + (n + 1) / 2 if self.causal else len(self.tokens)

    @property
    def word_of(self) -> NDArray[np.int64]:
        """Word of each token of the window; a token of no word is a word alone."""
        groups = words(self.tokens)
        found = {token: word for word, group in enumerate(groups) for token in group}
        places = [found.get(place, len(groups) + place) for place in range(self.start, self.stop)]
        numbers: NDArray[np.int64] = np.unique(places, return_inverse=True)[1].astype(np.int64)
        return _in_order(numbers)


def look(context: PageContext) -> View:
    """Read the text once with everything the page shows, and what the link asks for."""
    tokens = compute.tokenize(context)
    start, stop = _window(len(tokens))
    trace = compute.trace(
        context,
        tokens.input_ids,
        Capture(
            attentions="float32",
            query_key=context.model.gives_keys(len(tokens)),
            window=None if stop - start == len(tokens) else (start, stop),
        ),
        topic="attention",
    )
    chosen = _chosen(context, trace, tokens)
    off = _heads("att_off", context)
    return View(context, tokens, trace, start, stop, *chosen, frozenset(off))


def examples() -> None:
    """Sentences in which heads have something to do."""
    names = {"pronoun": _("A pronoun"), "repetition": _("A repetition"), "names": _("Two names")}
    with st.popover(_("Worth looking at"), icon=":material/lightbulb:", width="stretch"):
        for name, text in _EXAMPLES.items():
            st.button(names[name], key=f"att_example_{name}", type="tertiary", on_click=_take, args=(text,))


def _take(text: str) -> None:
    st.session_state["text"] = text
    for key in ("att_head", "att_off", "token"):
        put(key, "")


def _window(n_tokens: int) -> tuple[int, int]:
    limit = state.settings().max_tokens_all_heads
    if n_tokens <= limit:
        return 0, n_tokens
    last = n_tokens - limit
    told = _("The model reads all {n} tokens; the maps show {limit} of them, from token")
    start = slider(told.format(n=n_tokens, limit=limit), range(last + 1), 0, key="att_window")
    return start, start + limit


def _chosen(context: PageContext, trace: Trace, tokens: Tokenization) -> Head:
    """The head of the link, otherwise the one with the strongest link from the last token."""
    found = _heads("att_head", context)
    if found:
        return found[0]
    special = tokens.special[slice(*trace.window)] if trace.window else tokens.special
    sharpest = sharpest_head(trace, special)
    return (0, 0) if sharpest is None else (sharpest.layer, sharpest.head)


def _heads(name: str, context: PageContext) -> list[Head]:
    """Heads of a link, "13.8 2.1", counted from 0; one sentence for those that are not there."""
    model, found = context.model, []
    for word in hidden(name).split()[: model.n_layer * model.n_head]:
        layer, dot, head = word.partition(".")
        numbers = [int(part) for part in (layer, head) if part.isascii() and part.isdigit() and len(part) < 4]
        if dot and len(numbers) == 2 and numbers[0] < model.n_layer and numbers[1] < model.n_head:
            found.append((numbers[0], numbers[1]))
        else:
            allowed = f"0.0 … {model.n_layer - 1}.{model.n_head - 1}"
            st.warning(sentence(BadValue(name=name, value=repr(word[:20]), allowed=allowed)))
    return found


def _in_order(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbered by first appearance, so that merged words stand in reading order."""
    seen: dict[int, int] = {}
    return np.array([seen.setdefault(int(number), len(seen)) for number in numbers], dtype=np.int64)


def shown_code(name: str, view: View, **values: object) -> str:
    """The script `assets/code/<name>.py` on this view's tokens and head."""
    usual = {"input_ids": view.trace.input_ids.tolist(), "layer": view.layer, "head": view.head}
    return show.code(name, folder=show.model_folder(view.context.model.model_id), **usual | values)
