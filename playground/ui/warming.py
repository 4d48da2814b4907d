"""Is the chosen model ready? If not: start it, or offer to, and say what is happening until it is."""

from __future__ import annotations

import time

import streamlit as st

from playground.engine.contract.models import CatalogueEntry, ModelInfo
from playground.errors import ModelNotFound, PlaygroundError
from playground.ui import adapters, compute, download
from playground.ui.text import N_, _, large, plain, sentence

_STATE_WORDS = {
    "absent": N_("not on this machine"),
    "remote": N_("can be downloaded"),
    "waiting": N_("on this machine, not in memory"),
    "loading": N_("being loaded"),
    "ready": N_("ready"),
    "failed": N_("could not be loaded"),
}


def model_when_ready(entry: CatalogueEntry, *, in_memory: bool = True) -> ModelInfo | None:
    """The model's facts when it can answer; else draw what it is doing and give None.

    With `in_memory` False the facts as soon as there is an engine, for a page that asks this model nothing.
    """
    compute.start_engine()
    try:
        info = _info(entry)
    except PlaygroundError as error:
        st.error(sentence(error))
        return None
    if info is not None and (info.state == "ready" or not in_memory):
        return info
    if info is None or info.state in ("waiting", "loading"):
        if info is not None and info.state == "waiting":
            download.start(entry.model_id)
        _progress(entry)
    elif info.state in ("remote", "failed"):
        _offer(entry, info)
    else:
        cure = f"llm-playground pull {entry.model_id}"
        st.error(sentence(ModelNotFound(model_id=entry.name, cure=cure)))
    return None


def state_words(entry: CatalogueEntry) -> str:
    """One short line on the model: its state, and what it is when it is ready."""
    try:
        info = _info(entry)
    except PlaygroundError:  # the page says why
        return _(_STATE_WORDS["failed"])
    if info is None:
        return _("starting")
    words = [_(_STATE_WORDS[info.state])]
    if info.state == "ready":
        words += [
            _("{n} parameters").format(n=large(info.n_parameters)),
            plain(f"{info.dtype} · {info.device}"),
        ]
    return " · ".join(words)


def _info(entry: CatalogueEntry) -> ModelInfo | None:
    engine = compute.running_engine()
    if engine is None:
        return None
    return adapters.info_of(adapters.base_of(entry, engine.models()), entry)


@st.fragment(run_every=0.5, key="warming")
def _progress(entry: CatalogueEntry) -> None:
    """Say what is happening; a full rerun ends it (and draws the page) as soon as that is over."""
    try:
        info = _info(entry)
    except PlaygroundError:  # the page says why
        st.rerun()
    if info is not None and info.state not in ("waiting", "loading"):
        st.session_state.pop("warming_since", None)
        st.rerun()
    since = st.session_state.setdefault("warming_since", time.monotonic())
    doing = _("The libraries are being read") if info is None else _doing(info)
    seconds = _("{seconds:.0f} s").format(seconds=time.monotonic() - since)
    st.info(f"**{plain(entry.name)}** · {doing} · {seconds}", icon=":material/hourglass_top:")
    if info is not None:
        download.stop_button(info, "stop_fetching")


def _offer(entry: CatalogueEntry, info: ModelInfo) -> None:
    """A model that can be fetched, or that failed: say so, and let whoever may start it."""
    is_here = download.is_on_this_machine(info)
    said = [_("{name} is not on this machine yet.").format(name=f"**{plain(entry.name)}**")]
    label = _("Download it") + download.size(entry)
    if info.state == "failed":
        st.error(_doing(info))
        said, label = [], _("Try again")
    may_start = is_here or download.is_at_server()
    if not may_start:
        said.append(download.only_at_server())
    if said:
        st.info(" ".join(said))
    if may_start:
        download.button(entry, label, "fetch_model")


def _doing(info: ModelInfo) -> str:
    return download.progress_words(info) or _(_STATE_WORDS[info.state])
