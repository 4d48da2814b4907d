"""One of several panels at a time: a picker, and the panel it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, ParamSpec

from playground.ui.choose import choose

Given = ParamSpec("Given")
Later = Callable[[], None]


@dataclass(frozen=True)
class Panel(Generic[Given]):
    """A part of a page that is drawn, and computed, only while the reader has picked it.

    Attributes:
        name: In the picker, in the reader's language.
        draw: Draws it; gives what takes longer, to be called once the page is drawn, None where nothing does.
    """

    name: str
    draw: Callable[Given, Later | None]


def pick(key: str, panels: Mapping[str, Panel[Given]], label: str) -> Panel[Given]:
    """Draw the picker; give the panel that the link or the reader names.

    Args:
        key: URL parameter.
        panels: Id in the URL -> the panel; the first is the default and needs no parameter.
        label: Label of the picker, for readers who do not see it.
    """
    names = {panel_id: panel.name for panel_id, panel in panels.items()}
    return panels[choose(key, names, label)]
