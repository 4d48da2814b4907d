"""One line where the text is written in a language that the chosen model was not trained on."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import streamlit as st

from playground.core.scripts import is_written_in, script_of
from playground.engine.base import Capability
from playground.engine.catalogue import CatalogueEntry
from playground.engine.model_info import ModelInfo
from playground.ui.text import N_, _, plain

_NAMES = {
    "HANGUL": N_("Korean"),
    "HIRAGANA": N_("Japanese"),
    "KATAKANA": N_("Japanese"),
    "CJK": N_("Chinese"),
    "LATIN": N_("a language in Latin letters"),
}


def say(text: str, model: ModelInfo, known: Iterable[CatalogueEntry], needs: Collection[Capability]) -> None:
    """Say that the model was not trained on the text's language, as far as its script tells, and who was.

    Nothing where the model's languages are not known, or the text has no letters.

    Args:
        text: The reader's.
        model: The chosen one.
        known: The models there are.
        needs: What the page asks of a model.
    """
    script = script_of(text)
    if not script or not model.languages or is_written_in(model.languages, script):
        return
    language = _(_NAMES.get(script, N_("the language of these letters")))
    said = _("{model} was not trained on {language}: its answers to this text say little.")
    words = [said.format(model=plain(model.name), language=language)]
    others = [
        plain(one.name)
        for one in known
        if is_written_in(one.languages, script) and set(needs) <= one.capabilities
    ]
    if others:
        words.append(_("Models trained on it: {models}.").format(models=", ".join(others)))
    st.markdown(f":material/translate: {' '.join(words)}")
