"""Session state: the shared keys, typed getters, and what is let in from the URL.

Widget keys bound to the URL: `text`, `model`, `lang` everywhere, page-prefixed ones (`sam_temperature`) on
their page. `lang` and `model` hold ids ("ko", "gpt2"); their pickers are `lang_choice`, `model_choice`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn

import streamlit as st
from streamlit.runtime.scriptrunner import StopException, get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType

from playground.engine.contract.models import ModelInfo
from playground.errors import InputError
from playground.settings import Settings
from playground.ui.translations import first_of, languages

if TYPE_CHECKING:
    from streamlit.runtime.state import SessionState

DEFAULT_TEXT = "The capital of England is"
_OUTLIVE = {"settings"}
connected: set[str] = set()  # owner ids of the sessions of this process that have seen a page


@dataclass(frozen=True, slots=True)
class PageContext:
    """The model and the text that a page works on.

    Attributes:
        name: File name, URL and lesson name of the page.
        model: The chosen model, ready to answer on every page that needs one.
        text: The reader's sentence: not too long, nothing but text; "" where `no_text` gives the reason.
        language: The code of the reader's language.
        owner: The session's id in the engine.
        no_text: Reason why there is no sentence to work on.
    """

    name: str
    model: ModelInfo
    text: str
    language: str
    owner: str
    no_text: InputError | None = None


def end_run() -> NoReturn:
    """End this run here; what the reader did meanwhile is answered after it.

    `st.stop()` would forget that: it stops the script's runner, and with it a rerun that waits.
    """
    raise StopException


def session_id() -> str:
    """The session's id in Streamlit: who knows it may go on with the session once nobody is connected."""
    context = get_script_run_ctx()
    return context.session_id if context else ""


def click_waits() -> bool:
    """True if the reader has done something that reruns a fragment, which waits for the end of this run.

    Streamlit interrupts a run for a whole rerun only (`_fragment_run_should_not_preempt_script`).
    """
    context = get_script_run_ctx()
    requests = context.script_requests if context else None
    return requests is not None and requests._state != ScriptRequestType.CONTINUE


def outlives_reload(*keys: str) -> None:
    """Keep these entries of the session when its tab is loaded anew; call it where a module names them."""
    _OUTLIVE.update(keys)


def after_reload(before: SessionState, page: str) -> None:
    """Take what outlives a reload, and the settings of all other pages, from the state before it.

    The settings of this page stand in its link.

    Args:
        before: The state of the session that the tab had.
        page: The name of the page that is drawn next.
    """
    keys = set(_OUTLIVE)
    if "settings" in before:
        keys.update(*(others for name, others in before["settings"].items() if name != page))
    for key in keys:
        if key in before:
            st.session_state[key] = before[key]


@lru_cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()


def language() -> str:
    """Code of the reader's language: the chosen one, otherwise the browser's, otherwise English."""
    chosen = str(st.session_state.get("lang", ""))
    return chosen if chosen in languages() else first_of(st.context.locale or "")
