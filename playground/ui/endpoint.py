"""The panel for programs that ask this server as they would ask OpenAI's: the address, a key, the code."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from playground.ui import api_keys, compute, in_class, show, state
from playground.ui.text import _

_MADE = "endpoint_made"  # a new key, from the click to the run that shows it
_EXAMPLE = "The capital of England is"


def draw() -> None:
    """The address for programs, this session's key and its use, and the code that asks."""
    owner, keys = compute.owner(), api_keys.keys()
    made = st.session_state.pop(_MADE, None)
    st.markdown(
        _(
            "Programs that speak OpenAI's interface can ask the models of this server: in the same queue as "
            "the pages, with the same limits, in your name."
        )
    )
    if not api_keys.is_on():
        st.info(
            _(
                "It is switched off. A teacher can switch it on in “The classroom”; without a class, start "
                "the server with `PLAYGROUND_ENDPOINT=1`."
            )
        )
        return
    st.code(address(), language=None)
    use = keys.use_of(owner)
    with st.container(horizontal=True, key="endpoint_buttons"):
        label = _("Make a key") if use is None else _("Make another key")
        st.button(label, key="endpoint_make", icon=":material/key:", type="primary", on_click=_make)
        if use is not None:
            st.button(_("End the key"), key="endpoint_end", icon=":material/block:", on_click=_end)
    if made is not None:
        st.code(made, language=None, wrap_lines=True)
        st.warning(
            _("Copy it now: it is shown once. It ends when this tab is closed, or when you make another.")
        )
    if use is not None:
        told = _("Your key: requests answered {answered:,}, refused {refused:,}, tokens {tokens:,}.")
        st.caption(told.format(answered=use.n_answered, refused=use.n_refused, tokens=use.n_tokens))
    _code()


def address() -> str:
    """The address that programs are given, as this browser reaches the server."""
    page = urlsplit(st.context.url or "")
    if page.scheme in ("http", "https") and page.netloc:
        origin = f"{page.scheme}://{page.netloc}"
    else:
        origin = f"http://127.0.0.1:{state.settings().port}"
    return f"{origin}{in_class.base_path()}/v1"


def _code() -> None:
    with st.expander(_("Show the code"), icon=":material/code:"):
        script = show.code("endpoint", address=address(), model=state.settings().default_model, text=_EXAMPLE)
        st.code(script, language="python")
        st.download_button(
            _("Download the code"), script, "endpoint.py", "text/x-python", on_click="ignore",
            key="endpoint_py",
        )  # fmt: skip


# ---- callbacks


def _make() -> None:
    if api_keys.is_on():
        st.session_state[_MADE] = api_keys.keys().make(compute.owner())


def _end() -> None:
    api_keys.keys().end(compute.owner())
