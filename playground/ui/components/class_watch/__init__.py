"""Two components: one asks for news of the class and follows the teacher, one has the strip drawn anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from playground.ui.components import script, style
from playground.ui.text import _

EVERY_MS: Final = 1_500
_WATCH = st.components.v2.component(
    "playground.class_watch",
    html='<div class="class-watch"></div>\n',
    css=style("keyboard", "class_watch/class_watch", "touch"),
    js=script("class_watch/class_watch"),
)
_NEWS = st.components.v2.component(
    "playground.class_news", html="<span hidden></span>\n", js=script("class_watch/class_news")
)


def class_watch(
    *,
    address: str,
    base: str,
    titles: Mapping[str, str],
    member: str,
    number: int,
    version: int,
    pushes: int,
    since: int,
    follows: bool,
    key: str,
) -> None:
    """Ask for news while this is on the page; go where the teacher leads, and offer the ways back.

    Args:
        address: Absolute path that tells the news.
        base: Path below which the playground is shown.
        titles: Path of a page, "" for the first -> its title.
        member: The student's secret.
        number: Number of the class.
        version: Version of the class that the page shows.
        pushes: Number of views sent so far.
        since: Number of views that had been sent when the student joined.
        follows: True if the student follows.
        key: Widget key.
    """
    words = {"go": _("Go to {page}"), "back": _("Back to {page}, as I left it")}
    data = {
        "address": address, "base": base, "titles": dict(titles), "member": member, "number": number,
        "version": version, "pushes": pushes, "since": since, "follows": follows, "every_ms": EVERY_MS,
        "words": words,
    }  # fmt: skip
    _WATCH(key=key, data=data)


def class_news(*, version: int, key: str) -> None:
    """Have the fragment that this stands in run when the class has news.

    Args:
        version: Version of the class that the fragment shows.
        key: Widget key.
    """
    _NEWS(key=key, data={"version": version}, on_news_change=_heard)


def _heard() -> None:
    """The run that follows reads the class itself."""
