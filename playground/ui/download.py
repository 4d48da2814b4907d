"""A model that is not on this machine: who may download it, how far that is, and how to stop it."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

import streamlit as st

from playground.engine.contract.models import CatalogueEntry, ModelInfo
from playground.settings import is_loopback
from playground.ui import compute
from playground.ui.text import _, sentence

_PASSED_ON = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


def is_at_server() -> bool:
    """True if the reader sits at the server's own machine, as a teacher does, and comes through no proxy.

    A browser in the network has another address, and whoever comes through a proxy on this machine brings
    a line of it or asks for another name than this machine's own.
    """
    headers = st.context.headers
    try:
        name = urlsplit(f"//{headers.get('Host', '')}").hostname
    except ValueError:
        return False
    is_direct = st.context.ip_address is None and not any(headers.get(line) for line in _PASSED_ON)
    return is_direct and name is not None and is_loopback(name)


def is_on_this_machine(info: ModelInfo) -> bool:
    """True if the model's files are here, also where they could not be loaded."""
    return info.n_layer > 0 or info.state in ("waiting", "ready")


def button(
    entry: CatalogueEntry, label: str, key: str, type: Literal["secondary", "tertiary"] = "secondary"
) -> None:
    """Start the download of a model, or its loading where it is here."""
    st.button(label, key=key, type=type, icon=":material/download:", on_click=start, args=(entry.model_id,))


def start(model_id: str) -> None:
    """Have the engine bring and load a model in the background."""
    compute.load(model_id)


def only_at_server() -> str:
    """One sentence for whoever may not download."""
    return _("Models are downloaded at the machine that the playground runs on: ask your teacher.")


def stop_button(info: ModelInfo, key: str) -> None:
    """Stop a download; drawn only while there is one, for whoever may start it."""
    if info.download is not None and is_at_server():
        st.button(_("Stop"), key=key, icon=":material/stop:", on_click=_stop, args=(info.model_id,))


def _stop(model_id: str) -> None:
    compute.stop_download(model_id)


def size(entry: CatalogueEntry) -> str:
    """` (540 MB)`, "" where it is not known."""
    return f" ({entry.size_bytes / 1e6:,.0f} MB)" if entry.size_bytes else ""


def progress_words(info: ModelInfo) -> str:
    """The engine's message about a model, in the reader's language, and the remaining time of a download."""
    if info.download is not None and info.message is None:
        return _("The model hub is being asked")
    left = info.download.seconds_left if info.download is not None else None
    said = sentence(info.message) if info.message is not None else ""
    return said if left is None else f"{said} · {_time(left)}"


def _time(seconds: float) -> str:
    if seconds < 90:
        return _("about {n} s left").format(n=max(1, round(seconds)))
    return _("about {n} min left").format(n=round(seconds / 60))
