"""The text of the page with its masks, and the model that fills them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from playground.core import masked as core
from playground.core import pieces
from playground.core.masked import Guesses
from playground.core.tokens import Tokenization
from playground.engine.contract.filling import Filled, FillRequest
from playground.engine.models.catalogue import head_file
from playground.ui import compute, show, state
from playground.ui.labels import token_labels
from playground.ui.roles import filler
from playground.ui.state import PageContext
from playground.ui.url import hidden, put

AT = "mas_at"  # positions in the URL: "3.5"; "" for the longest token, NONE for none
NONE = "-"

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The text of the page with its masks.

    Attributes:
        asked: The page's context, with the model that the reader chose.
        context: The same text with the model that fills masks.
        tokens: The text as that model reads it, masks that it spells read as such.
        mask_id, mask_label: The model's mask.
        typed: Positions of masks that the text spells.
        masked: Positions that are hidden, ascending; those of `typed` are not among them.
    """

    asked: PageContext
    context: PageContext
    tokens: Tokenization
    mask_id: int
    mask_label: str
    typed: Ids
    masked: Ids

    @property
    def model_id(self) -> str:
        """Id of the model that fills."""
        return self.context.model.model_id

    @property
    def read_from(self) -> dict[str, str]:
        """Values of the shown code that say where the model lies."""
        return {"folder": show.model_folder(self.model_id), "head_file": head_file(self.model_id)}

    @property
    def gaps(self) -> Ids:
        """Positions of all masks, ascending."""
        return tuple(sorted({*self.masked, *self.typed}))

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the tokens of the text, masks as the model calls them."""
        labels = pieces.labels(self.tokens)
        return tuple(self.mask_label if at in self.typed else label for at, label in enumerate(labels))

    @property
    def free(self) -> Ids:
        """Positions that may be hidden: no frame, no mask."""
        special = self.tokens.special
        return tuple(at for at in range(len(self.tokens)) if not special[at] and at not in self.typed)

    def ids(self, gaps: Ids | None = None) -> Ids:
        """Token ids with masks at `gaps`, and at those that the text spells."""
        return core.with_masks(self.tokens.input_ids, self.gaps if gaps is None else gaps, self.mask_id)

    def fill(self, ids: Ids, *, token_ids: Ids = (), n_top: int = 10) -> Filled:
        """The model's answers at the masks of these tokens."""
        request = FillRequest(self.model_id, input_ids=ids, n_top=n_top, token_ids=token_ids)
        return compute.fill(self.context, request)

    def ask(self, ids: Ids, token: int) -> Guesses:
        """As `core.masked.Ask`."""
        filled = self.fill(ids, token_ids=(token,), n_top=1)
        return Guesses(
            filled.positions, filled.top_ids[:, 0], filled.top_logprobs[:, 0], filled.token_logprobs[:, 0]
        )

    def names(self, token_ids: list[int]) -> tuple[str, ...]:
        """Labels of tokens of the vocabulary."""
        return token_labels(self.model_id, np.array(token_ids, dtype=np.int64))


def look(asked: PageContext) -> View | None:
    """The view; None while no model that fills is ready (says why)."""
    chosen = hidden(AT)
    context = filler(asked)
    if context is None:
        return None
    tokenizers, model_id = compute.tokenizers(), context.model.model_id
    mask_id = tokenizers.info(model_id).mask_id
    assert mask_id is not None  # a model with "fill" has one
    (mask_label,) = tokenizers.token_texts(model_id, [mask_id])
    tokens = tokenizers.tokenize_masked(model_id, asked.text)
    typed = tuple(at for at, token in enumerate(tokens.input_ids) if token == mask_id)
    view = View(asked, context, tokens, mask_id, mask_label, typed, ())
    masked = _positions(chosen, view)
    most = state.settings().max_masks - len(typed)
    return View(asked, context, tokens, mask_id, mask_label, typed, masked[: max(0, most)])


def remember(masked: Ids) -> None:
    """Put hidden positions into the URL; a callback."""
    put(AT, ".".join(map(str, masked)) or NONE)


def are_chosen() -> bool:
    """True once the reader, or the link, has said what is masked."""
    return bool(st.session_state.get(AT))


def _positions(chosen: str, view: View) -> Ids:
    """The positions of the link that the text has; the longest token where the link names none."""
    if chosen == NONE:
        return ()
    parts = chosen.split(".") if chosen else []
    numbers = {int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 6}
    known = tuple(sorted(numbers & set(view.free)))
    if known or view.typed:
        return known
    longest = core.longest(view.labels, view.free)
    return () if longest is None else (longest,)
