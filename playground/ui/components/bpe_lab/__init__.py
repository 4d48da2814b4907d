"""The BPE lab: a training stepped, played and taken back in the browser, without asking the server."""

from __future__ import annotations

from typing import Any

import streamlit as st

from playground.core import bpe, pieces
from playground.ui.components import script, style
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.bpe_lab",
    html='<div class="lab"></div>\n',
    css=style("bpe_lab/bpe_lab", "touch"),
    js=script("bpe_lab/bpe_lab"),
)
N_STEPS = 200  # the browser shows the first merges one by one; the curve beside it has them all
N_WORDS = 48


def bpe_lab(trained: bpe.BytePairEncoding, text: str, word: str, *, key: str) -> None:
    """Draw the training step by step.

    Args:
        trained: The trained encoding.
        text: The training text; its first words are shown as tokens.
        word: From `watched_word`: its merge tree is drawn until the reader picks another one.
        key: Widget key.
    """
    _COMPONENT(key=key, data=lab_data(trained, text, word))


def watched_word(typed: str, text: str) -> str:
    """The first typed word, cut as in the training text: with a space before it where that has any.

    Example:
        >>> watched_word("low price", "low lower"), watched_word("aab", "aaabdaaabac")
        (' low', 'aab')
    """
    first = next(iter(typed.split()), "")
    return next(iter(bpe.words(f" {first}" if " " in text else first)), "") if first else ""


def lab_data(trained: bpe.BytePairEncoding, text: str, word: str) -> dict[str, Any]:
    """The data the browser draws, as plain lists.

    Returns:
        `labels` of the token ids; `steps`: (left id, right id, new id, count, n_tied) of each merge;
        `candidates` of each: (left id, right id, count), most frequent first; `words`: byte ids of the chosen
        word, then of the first words of the text; `say`, the words of the interface.
    """
    steps = trained.steps[:N_STEPS]
    shown = [*([word] if word else []), *bpe.words(text[: 20 * N_WORDS])[:N_WORDS]]
    n_vocab = max([256, *(step.token_id + 1 for step in steps)])
    return {
        "labels": [pieces.token_label(token) for token in trained.vocab[:n_vocab]],
        "steps": [[*step.pair, step.token_id, step.count, step.n_tied] for step in steps],
        "candidates": [[[*pair, count] for pair, count in step.candidates] for step in steps],
        "words": [bpe.byte_ids(word) for word in shown],
        "has_word": bool(word),
        "say": _words(),
    }


def _words() -> dict[str, str]:
    """The words in the reader's language; the browser fills the braces."""
    return {
        "start": _("To the start"),
        "back": _("Back"),
        "step": _("Step"),
        "play": _("Play"),
        "pause": _("Pause"),
        "position": _("merge {k} of {n}"),
        "slider": _("Merges done"),
        "pairs": _("Most frequent pairs now"),
        "list": _("Merges so far"),
        "text": _("The text in tokens; click a word for its tree"),
        "tree": _("How “{word}” was put together"),
        "winner": _("{left} + {right} is the most frequent pair ({count}×): it becomes {token}."),
        "tie": _(
            "{n} pairs are equally frequent ({count}×). The one with the smallest ids goes first: {left} "
            "+ {right} becomes {token}."
        ),
        "end": _("No pair is left to merge, or the lab shows no more steps."),
        "row": _("{left} + {right}: {count}"),
    }
