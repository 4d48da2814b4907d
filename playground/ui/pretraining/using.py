"""The models that this session trained from zero: opened on other pages, taken home, deleted."""

from __future__ import annotations

from functools import partial

import streamlit as st

from playground import navigation
from playground.core.classroom.views import View
from playground.core.forming import PROMPT_CHARS
from playground.engine.contract.pretraining import PretrainedInfo
from playground.ui import adapters, from_zero, in_class
from playground.ui.components.open_view import open_view
from playground.ui.pretraining import live
from playground.ui.state import PageContext
from playground.ui.text import _, lesson, plain
from playground.ui.url import put

OPENS = ("sampling", "attention", "inside", "embeddings", "masked")
FILLS = ("masked",)  # these pages ask for gaps


def panel(context: PageContext) -> None:
    """Draw each model with its links; nothing while there is none."""
    known = from_zero.models().of(context.owner)
    if not known:
        return
    st.markdown(f"## {_('Your models on other pages')}")
    st.caption(_("They are also in the list *Model* on the left, as long as this tab is open."))
    for info in known:
        _one(context, info)


def links(info: PretrainedInfo, language: str) -> dict[str, str]:
    """Name of each page that can show a model -> the link to it."""
    can = set(info.entry.capabilities)
    text = _beginning(info)
    found = {}
    for name in OPENS:
        page = navigation.BY_NAME[name]
        if set(page.needs) <= can and (name not in FILLS or "fill" in can):
            params = (("model", info.model_id), ("text", text), ("lang", language))
            found[name] = in_class.base_path() + View(name, params).link
    return found


def _beginning(info: PretrainedInfo) -> str:
    """A sentence that the model can go on from: the first prompt of its run, else its text's beginning."""
    for one in live.mine_by_model(info.model_id):
        return one.prompts[0] if one.prompts else one.text[: 3 * PROMPT_CHARS].strip()
    return "The "


def _one(context: PageContext, info: PretrainedInfo) -> None:
    key = info.model_id.rpartition("/")[2]
    with st.container(border=True):
        told = _("{n:,} parameters, step {step}").format(n=info.n_parameters, step=info.step)
        st.markdown(f"**{plain(adapters.names()[info.model_id])}** · {told}")
        with st.container(horizontal=True, vertical_alignment="center", key=f"pre_open_{key}"):
            for name, link in links(info, context.language).items():
                told = _("Open in {page}").format(page=lesson(name).title)
                open_view(label=told, link=link, key=f"pre_{name}_{key}")
        with st.container(horizontal=True):
            st.button(
                _("Look at it above"), key=f"pre_look_{key}", icon=":material/arrow_upward:",
                on_click=live.look_at, args=(info.model_id,),
            )  # fmt: skip
            st.download_button(
                _("Download"), partial(from_zero.models().exported, info.model_id),
                f"from-zero-{key[:8]}.zip", "application/zip", key=f"pre_file_{key}", on_click="ignore",
                icon=":material/download:",
            )  # fmt: skip
            st.button(
                _("Delete"), key=f"pre_delete_{key}", icon=":material/delete:", on_click=_remove,
                args=(context, info.model_id),
            )  # fmt: skip


def _remove(context: PageContext, model_id: str) -> None:
    if st.session_state.get("model") == model_id:
        put("model", "")
    from_zero.models().remove(model_id, context.owner)
