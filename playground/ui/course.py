"""The pages as a course: which ones this session has opened, what comes next, how far the reader is."""

from __future__ import annotations

import streamlit as st

from playground import navigation
from playground.navigation import Page
from playground.paths import site_root
from playground.ui.state import outlives_reload
from playground.ui.text import _, lesson, plain
from playground.ui.try_this import n_solved

_OPENED = "opened_pages"
outlives_reload(_OPENED)


def open_page(name: str) -> None:
    """Take down that this session has opened a page: names of pages, in its own state, and nothing else."""
    if name not in opened():
        st.session_state[_OPENED] = (*opened(), name)


def opened() -> tuple[str, ...]:
    """Names of the pages that this session has opened, in that order."""
    found: tuple[str, ...] = st.session_state.get(_OPENED, ())
    return found


def following(name: str) -> Page:
    """The page after this one in the order of the course; after the last comes the first."""
    names = [page.name for page in navigation.PAGES]
    return navigation.PAGES[(names.index(name) + 1) % len(names)]


def next_page(name: str) -> None:
    """Draw the link that leads on, with the question of the page it leads to."""
    page = following(name)
    words = lesson(page.name)
    told = _("Next: {title}") if page.name != navigation.FIRST else _("From the beginning: {title}")
    with st.container(horizontal=True, vertical_alignment="center", key="next_page"):
        link(page, told.format(title=plain(words.title)), ":material/arrow_forward:")
        st.caption(words.question)


def link(page: Page, label: str = "", icon: str = "") -> None:
    """Draw a link to a page, which keeps the session."""
    path = site_root() / "pages" / f"{page.name}.py"
    st.page_link(path, label=label or lesson(page.name).title, icon=icon or page.icon, width="content")


def draw() -> None:
    """Draw the whole course: its parts in order, what was opened, what was solved, where to go on."""
    known = opened()
    pages = navigation.PAGES
    missing = next((page for page in pages if page.name not in known), None)
    st.markdown(f"## {_('The course: where are you?')}")
    told = _("Opened in this session: {n} of {total} pages. Tasks solved: {solved}.")
    solved = sum(n_solved(page.name) for page in pages)
    st.markdown(told.format(n=len(set(known) & navigation.BY_NAME.keys()), total=len(pages), solved=solved))
    if missing is not None:
        link(missing, _("Go on with: {title}").format(title=plain(lesson(missing.name).title)),
             ":material/arrow_forward:")  # fmt: skip
    sections = dict.fromkeys(page.section for page in pages if page.section)
    for number, section in enumerate(sections, 1):
        st.markdown(f"**{number} · {_(section)}**")
        with st.container(horizontal=True, key=f"course_{number}"):
            for page in pages:
                if page.section == section:
                    _entry(page, page.name in known)


def _entry(page: Page, is_opened: bool) -> None:
    title, n = plain(lesson(page.name).title), n_solved(page.name)
    label = f"{title} · {_('solved: {n}').format(n=n)}" if n else title
    link(page, label, ":material/check_circle:" if is_opened else page.icon)
