"""One line where a text is in a language that the chosen model was not trained on, and the way out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import streamlit as st

from playground.core.scripts import is_written_in, script_of
from playground.engine.contract.models import AdapterName, Capability, ModelInfo
from playground.engine.models.catalogue import catalogue
from playground.settings import DATES_MODEL
from playground.ui import compute, download, state
from playground.ui.text import N_, _, plain, sentence
from playground.ui.url import put

_NAMES = {
    "HANGUL": N_("Korean"),
    "HIRAGANA": N_("Japanese"),
    "KATAKANA": N_("Japanese"),
    "CJK": N_("Chinese"),
    "LATIN": N_("a language in Latin letters"),
}
N_BUTTONS, N_NAMED = 3, 4
READ_CHARS = 2_000  # of a long text: enough to tell its script


def say(text: str, model: ModelInfo, needs: Collection[Capability] = ()) -> None:
    """Say that the model was not trained on the text's language, as far as its script tells, and who was.

    Models on this machine can be chosen at once; others be downloaded by whoever sits at the server. Nothing
    where the model's languages are not known, or the text has no letters.

    Args:
        text: The text that the page has the model read.
        model: The chosen one.
        needs: Capabilities that the page needs of a model.
    """
    script = script_of(text[:READ_CHARS])
    if not script or not model.languages or is_written_in(model.languages, script):
        return
    infos = compute.models()
    base_id = AdapterName.of(model.model_id).base_id  # an adapter may have been trained on anything
    name = next((info.name for info in infos if info.model_id == base_id), model.name)
    language = _(_NAMES.get(script, N_("the language of these letters")))
    words = [
        _("{model} was not trained on {language}: models that were trained on it give other results.").format(
            model=plain(name), language=language
        )
    ]
    others = _best_first(
        [
            info for info in infos
            if is_written_in(info.languages, script) and set(needs) <= info.capabilities
            and info.model_id != DATES_MODEL  # it reads dates, not texts
        ],
        model,
    )  # fmt: skip
    here = [info for info in others if download.is_on_this_machine(info)]
    coming = [info.model_id for info in others if info.download is not None]
    may_bring = [info for info in others if info.state in ("remote", "failed") and download.is_at_server()]
    offered = here or ([] if coming else may_bring)
    if others and not offered:
        words += [_named(others), _why_not(others)]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="unread_language"):
        st.markdown(f":material/translate: {' '.join(words)}", width="content")
        for info in offered[:N_BUTTONS]:
            _switch(info) if here else _offer(info)
        if coming:
            _coming(coming)


def _best_first(infos: Sequence[ModelInfo], model: ModelInfo) -> list[ModelInfo]:
    """The failed first, to be tried again; then those of the chosen one's kind, free ones, small ones."""
    known = catalogue(state.settings())
    entries = {info.model_id: known[info.model_id] for info in infos}

    def rank(info: ModelInfo) -> tuple[bool, bool, bool, int]:
        entry = entries[info.model_id]
        return info.state != "failed", info.kind != model.kind, entry.is_gated, entry.size_bytes

    return sorted(infos, key=rank)


def _named(others: Sequence[ModelInfo]) -> str:
    names = ", ".join(plain(info.name) for info in others[:N_NAMED])
    more = len(others) - N_NAMED
    if more <= 0:
        return _("Models trained on it: {models}.").format(models=names)
    return _("Models trained on it: {models} and {n} more.").format(models=names, n=more)


def _switch(info: ModelInfo) -> None:
    st.button(
        _("Switch to {model}").format(model=plain(info.name)), key=f"switch_to_{info.model_id}",
        type="tertiary", icon=":material/swap_horiz:", on_click=put, args=("model", info.model_id),
    )  # fmt: skip


def _offer(info: ModelInfo) -> None:
    entry = catalogue(state.settings())[info.model_id]
    label = _("Download {model}").format(model=plain(entry.name)) + download.size(entry)
    if info.state == "failed":
        if info.message is not None:
            st.error(sentence(info.message))
        label = _("Try again")
    download.button(entry, label, f"bring_{entry.model_id}", type="tertiary")


def _why_not(others: Sequence[ModelInfo]) -> str:
    """The reason why none of the models can be had here and now; "" where one is coming."""
    if any(info.download for info in others):
        return ""
    if all(info.state == "absent" for info in others):
        return _("None of them is on this machine, and downloads are switched off here (HF_HUB_OFFLINE).")
    return _("None of them is on this machine yet.") + " " + download.only_at_server()


@st.fragment(run_every=1.0, key="unread_language_coming")
def _coming(model_ids: Sequence[str]) -> None:
    """Progress of the downloads, for everybody; a full rerun as soon as one has ended."""
    infos = {info.model_id: info for info in compute.models()}
    for model_id in model_ids:
        info = infos[model_id]
        if info.download is None:
            st.rerun()
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(info.name)}** · {download.progress_words(info)}", width="content")
            download.stop_button(info, f"stop_{model_id}")
