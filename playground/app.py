"""The entry script: page config, shared frame, navigation. Runs on every full rerun, so it is small."""

from __future__ import annotations

import streamlit as st

from playground import sessions
from playground.paths import site_root
from playground.ui import frame, text
from playground.ui.text import N_, _

# section -> pages in reading order; a page exists when its file does. File name = URL = lesson name.
SECTIONS: dict[str, tuple[str, ...]] = {
    "": ("home",),
    N_("From text to numbers"): ("tokenization", "embeddings", "positions"),
    N_("Inside the model"): ("attention", "inside"),
    N_("What comes out"): ("sampling", "prompting", "finetuning"),
}
ICONS = {
    "home": ":material/home:",
    "embeddings": ":material/scatter_plot:",
    "tokenization": ":material/content_cut:",
    "positions": ":material/schedule:",
    "attention": ":material/visibility:",
    "inside": ":material/layers:",
    "sampling": ":material/casino:",
    "prompting": ":material/chat:",
    "finetuning": ":material/model_training:",
}


def _pages() -> dict[str, list[st.Page]]:
    folder, sections = site_root() / "pages", {}
    for section, names in SECTIONS.items():
        found = [
            st.Page(
                file,
                title=text.lesson(name).title,
                icon=ICONS.get(name),
                url_path=name,
                default=name == "home",
            )
            for name in names
            if (file := folder / f"{name}.py").is_file()
        ]
        if found:
            sections[_(section) if section else ""] = found
    return sections


st.set_page_config(
    page_title="LLM Playground", page_icon=str(site_root() / "assets" / "icon.png"), layout="wide"
)
sessions.hear_own_messages_only()
frame.url_values()  # first: the language decides the titles
page = st.navigation(_pages())
frame.sidebar(page.url_path or "home", st.session_state.pop(sessions.BEFORE, None))
page.run()
