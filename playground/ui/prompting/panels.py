"""The panels of the page on prompts, one drawn at a time."""

from __future__ import annotations

from collections.abc import Callable

from playground.ui.choose import choose
from playground.ui.prompting import chat, library, shots, thinking, which
from playground.ui.prompting.asking import Answer
from playground.ui.prompting.prompt import Prompt
from playground.ui.text import _


def draw(prompt: Prompt, answer: Answer | None) -> Callable[[], None] | None:
    """Draw the picker and the panel it names.

    Args:
        prompt: The prompt on the page.
        answer: The model's answer to it, None where there is none.

    Returns:
        What takes longer, to be called once the page is drawn; None where nothing does.
    """
    panels = {
        "shots": _("How many examples"),
        "which": _("Which example"),
        "chat": _("Chat template"),
        "think": _("Step by step"),
        "library": _("My prompts and data"),
    }
    match choose("pro_panel", panels, _("Look closer")):
        case "shots":
            return shots.panel(prompt)
        case "which":
            return which.panel(prompt, answer)
        case "chat":
            return chat.panel(prompt.context)
        case "think":
            return thinking.panel(prompt.context)
        case "library":
            library.panel(prompt)
    return None
