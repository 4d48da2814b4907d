"""The entry script: page config, shared frame, navigation. Runs on every full rerun, so it is small."""

from __future__ import annotations

import streamlit as st

from playground import navigation, sessions
from playground.paths import site_root
from playground.ui import frame, in_class, text
from playground.ui.text import _


def _pages() -> dict[str, list[st.Page]]:
    folder, sections = site_root() / "pages", dict[str, list[st.Page]]()
    for page in navigation.PAGES:
        heading = _(page.section) if page.section else ""
        drawn = st.Page(
            folder / f"{page.name}.py",
            title=text.lesson(page.name).title,
            icon=page.icon,
            url_path=page.name,
            default=page.name == navigation.FIRST,
        )
        sections.setdefault(heading, []).append(drawn)
    return sections


st.set_page_config(
    page_title="LLM Playground", page_icon=str(site_root() / "assets" / "icon.png"), layout="wide"
)
sessions.drop_foreign_messages()
frame.url_values()  # first: the language decides the titles
page = st.navigation(_pages(), expanded=True)
name = page.url_path or navigation.FIRST
frame.sidebar(name, st.session_state.pop(sessions.BEFORE, None))
in_class.strip(name)
page.run()
