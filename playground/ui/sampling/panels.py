"""The panels of the sampling page, one drawn at a time."""

from __future__ import annotations

from collections.abc import Callable

from playground.core.sampling import Sampling
from playground.core.trace import Trace
from playground.ui.choose import choose
from playground.ui.sampling import beams, guess, own_text, writing
from playground.ui.sampling import compare as comparing
from playground.ui.sampling import many as many_texts
from playground.ui.sampling import uploads as batch_run
from playground.ui.state import PageContext
from playground.ui.text import _


def draw(context: PageContext, chosen: Sampling, trace: Trace) -> Callable[[], None] | None:
    """Draw the picker and the panel it names.

    Args:
        context: From `frame.page`.
        chosen: The settings above.
        trace: Trace of the text, with the logits of its last position.

    Returns:
        What takes longer, to be called once the page is drawn; None where nothing does.
    """
    match _chosen():
        case "write":
            return writing.panel(context, trace)
        case "many":
            return many_texts.panel(context, chosen, trace)
        case "batch":
            return batch_run.panel(context, chosen, trace)
        case "compare":
            return comparing.panel(context, chosen, trace)
        case "beam":
            return beams.panel(context, chosen, trace)
        case "text":
            own_text.panel(context)
        case "guess":
            guess.panel(context)
    return None


def without_sentence(context: PageContext) -> None:
    """Draw the picker, and the panel that has texts of its own."""
    if _chosen() == "guess":
        guess.panel(context)


def _chosen() -> str:
    panels = {
        "write": _("Let it write"),
        "many": _("Many at once"),
        "batch": _("My prompts"),
        "compare": _("A and B"),
        "beam": _("Beam search"),
        "text": _("Score a text"),
        "guess": _("Guess"),
    }
    return choose("sam_panel", panels, _("Look closer"))
