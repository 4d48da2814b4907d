"""A text as tokens; a click hides one behind a mask, another click shows it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from playground.core import pieces
from playground.core.tokens import Tokenization
from playground.ui.components import script, style, synced
from playground.ui.components.token_chips import direction
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.mask_chips",
    html='<div class="mask-chips"></div>\n',
    css=style("keyboard", "mask_chips/mask_chips"),
    js=script("mask_chips/mask_chips"),
)

Positions = tuple[int, ...]


def mask_chips(
    tokens: Tokenization,
    masked: Sequence[int],
    *,
    typed: Sequence[int],
    mask_label: str,
    key: str,
    on_change: Callable[[Positions], None],
) -> None:
    """Draw the tokens.

    Args:
        tokens: The text as the model reads it.
        masked: Positions that are hidden now.
        typed: Positions of masks that the text itself spells: they stay.
        mask_label: The model's name of its mask.
        key: Widget key.
        on_change: Called with all hidden positions before the rerun, when the reader changed them.
    """
    fixed = {at for at, special in enumerate(tokens.special) if special} | set(typed)
    free = [at for at in range(len(tokens)) if at not in fixed]

    def read(view: Mapping[str, Any]) -> Positions | None:
        return _read(view, free)

    revision, shown = synced.shown(key, tuple(masked), read)

    def on_view_change() -> None:
        now = synced.changed(key, read)
        if now is not None and now != tuple(masked):
            on_change(now)

    labels = list(pieces.labels(tokens))
    _COMPONENT(
        key=key,
        data={
            "revision": revision,
            "masked": list(shown),
            "labels": [mask_label if at in typed else label for at, label in enumerate(labels)],
            "ids": list(tokens.input_ids),
            "fixed": sorted(fixed),
            "typed": list(typed),
            "mask": mask_label,
            "dir": direction(tokens.text),
            "words": {
                "tokens": _("The sentence as tokens; click or tap one to mask it"),
                "hint": _("Click or tap a token to mask it, again to show it. Arrow keys move, Enter masks."),
                "legend": _("masked; what stood there is below"),
                "frame": _("added by the tokenizer"),
            },
        },
        default={"view": None},
        on_view_change=on_view_change,
    )


def _read(view: Mapping[str, Any], free: Sequence[int]) -> Positions | None:
    """The positions that the browser sent, None unless each may be hidden."""
    sent = view.get("masked")
    if not isinstance(sent, list) or len(sent) > len(free):
        return None
    allowed = set(free)
    if any(type(at) is not int or at not in allowed for at in sent):
        return None
    return tuple(sorted(set(sent)))
