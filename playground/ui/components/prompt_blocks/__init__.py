"""A prompt word for word, in coloured blocks, and the share of the context window it fills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from playground.core.few_shot import PromptBlock
from playground.ui.components import script, style
from playground.ui.components.token_chips import direction
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.prompt_blocks",
    html='<div class="prompt-blocks"></div>\n',
    css=style("prompt_blocks/prompt_blocks"),
    js=script("prompt_blocks/prompt_blocks"),
)


class PromptToken(NamedTuple):
    """One token of a block.

    Attributes:
        label: Label of the token.
        token_id: Id of the token.
    """

    label: str
    token_id: int


def prompt_blocks(
    blocks: Sequence[PromptBlock], tokens: Sequence[Sequence[PromptToken]], *, limit: int, key: str
) -> None:
    """Draw the prompt; whether words or tokens are shown is the browser's own business.

    Args:
        blocks: Blocks of the prompt, in order.
        tokens: Tokens of each block.
        limit: Tokens that fit.
        key: Widget key.
    """
    _COMPONENT(
        key=key,
        data={
            "blocks": [
                {
                    "kind": block.kind,
                    "text": block.text,
                    "number": block.number,
                    "dir": direction(block.text),
                    "tokens": [[token.label, token.token_id] for token in its_tokens],
                }
                for block, its_tokens in zip(blocks, tokens, strict=True)
            ],
            "limit": limit,
            "words": _words(),
        },
    )


def _words() -> dict[str, str]:
    """The words in the reader's language; the browser fills the braces."""
    return {
        "prompt": _("The prompt, word for word"),
        "as_tokens": _("as tokens"),
        "instruction": _("instruction"),
        "demonstration": _("demonstration"),
        "label": _("its label"),
        "chunk": _("chunk"),
        "query": _("the query"),
        "template": _("template"),
        "filled": _("{n} of {limit} tokens"),
    }
