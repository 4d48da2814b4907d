"""A masked-LM head that is shipped apart from its model: its file, and what was measured of it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import streamlit as st

from playground.engine.contract.models import ModelInfo
from playground.paths import site_root
from playground.settings import MULTILINGUAL_ENCODER
from playground.ui.text import _, plain

_FOLDERS = {MULTILINGUAL_ENCODER: "e5-masked-head"}


def head_file(model_id: str) -> str:
    """Weights of the head, for the shown code; "" where the model brings its own."""
    folder = _folder(model_id)
    return "" if folder is None else str(folder / "model.safetensors")


def say_measured(model: ModelInfo) -> None:
    """Say how often a shipped head is right on sentences that it was not trained on; nothing of others."""
    folder = _folder(model.model_id)
    if folder is None:
        return
    figures = _figures(folder)
    told = _(
        "The masked-LM head of {name} was trained here, on few sentences ({n:,}). Of masked tokens in "
        "held-out sentences its first choice is right for {en:.0%} in English and {ko:.0%} in Korean; "
        "where the token is a whole word, for {words_en:.0%} and {words_ko:.0%}. A BERT is trained on "
        "billions of words."
    )
    st.caption(
        told.format(
            name=plain(model.name), n=int(figures["n_sentences"]), en=figures["accuracy_en"],
            ko=figures["accuracy_ko"], words_en=figures["words_en"], words_ko=figures["words_ko"],
        )
    )  # fmt: skip


def _folder(model_id: str) -> Path | None:
    folder = site_root() / "assets" / "trained" / _FOLDERS.get(model_id, "")
    return folder if model_id in _FOLDERS and folder.is_dir() else None


@cache
def _figures(folder: Path) -> dict[str, float]:
    note = json.loads((folder / "playground.json").read_text("utf-8"))
    return {name: float(value) for name, value in note["figures"].items()}
