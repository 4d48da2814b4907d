"""The choice of the model: those on this machine at hand, those that can be brought behind a button."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import streamlit as st

from playground.engine.contract.models import AdapterName, CatalogueEntry, Kind
from playground.engine.models.catalogue import GROUPS, Group, group_of
from playground.errors import PlaygroundError
from playground.ui import compute, download, state, url
from playground.ui.choose import default_index, list_key, told_apart
from playground.ui.text import N_, _, ngettext, plain

_GROUPS: dict[Group, str] = {
    "korean": N_("Korean"),
    "english": N_("English"),
    "many": N_("Many languages"),
    "added": N_("Added by your teacher"),
}
_KINDS: dict[Kind, str] = {
    "decoder": N_("decoder"),
    "encoder": N_("encoder"),
    "encoder-decoder": N_("encoder and decoder"),
}


def draw(known: Mapping[str, CatalogueEntry], chosen: CatalogueEntry) -> None:
    """Draw the list of models at hand, the chosen one among them, and the way to the others.

    Args:
        known: Model id -> entry of all that may be chosen, in display order.
        chosen: The model of the page.
    """
    far = _far(known)
    at_hand = {
        model_id: entry.name
        for model_id, entry in known.items()
        if model_id == chosen.model_id or AdapterName.of(model_id).base_id not in far
    }
    names = told_apart(at_hand)
    drawn = list_key("model_choice", names)
    st.selectbox(
        _("Model"),
        tuple(names),
        default_index(drawn, names, chosen.model_id),
        key=drawn,
        format_func=names.__getitem__,
        on_change=_choose,
        args=(drawn,),
    )
    others = {model_id: known[model_id] for model_id, can_come in far.items() if can_come}
    others.pop(chosen.model_id, None)
    if others and st.button(_("More models"), icon=":material/library_add:", width="stretch"):
        st.dialog(_("More models"), width="medium")(_others)(others)


def _far(known: Mapping[str, CatalogueEntry]) -> dict[str, bool]:
    """Ids of the models that are not on this machine -> whether they can be brought.

    Until the engine knows more, they are all but the embedded ones.
    """
    engine = None
    with suppress(PlaygroundError):  # the page says why
        engine = compute.running_engine()
    hub = {model_id for model_id, entry in known.items() if entry.source == "hub"}
    if engine is None:
        return dict.fromkeys(hub, False)
    return {
        info.model_id: info.state != "absent"
        for info in engine.models()
        if info.model_id in hub and not download.is_on_this_machine(info)
    }


def _others(others: Mapping[str, CatalogueEntry]) -> None:
    """The models that can be brought, by what they read; the choice of one closes the window."""
    groups = [group for group in GROUPS if any(group_of(entry) == group for entry in others.values())]
    own: Group = "korean" if state.language() == "ko" else "english"
    group = st.segmented_control(
        _("Reads"), groups, default=own if own in groups else groups[0], key="more_models_group",
        required=True, format_func=lambda one: _(_GROUPS[one]), label_visibility="collapsed",
    )  # fmt: skip
    shown = told_apart({i: one.name for i, one in others.items() if group_of(one) == group})
    drawn = list_key("more_models_choice", shown)
    if not download.is_at_server():
        st.caption(download.only_at_server())
    chosen = st.radio(
        _("Models that can be brought"),
        tuple(shown),
        None,
        key=drawn,
        format_func=lambda model_id: plain(shown[model_id]),
        captions=[_facts(others[model_id]) for model_id in shown],
        label_visibility="collapsed",
        on_change=_choose,
        args=(drawn,),
    )
    if chosen is not None:
        st.rerun()


def _facts(entry: CatalogueEntry) -> str:
    """One line: its part of the transformer, size, languages, licence, and what else it can do."""
    words = [_(_KINDS[entry.kind])] if entry.family else []
    if entry.size_bytes:
        words.append(f"{entry.size_bytes / 1e6:,.0f} MB")
    if group_of(entry) == "many":
        n = len(entry.languages)
        words.append(ngettext("{n} language", "{n} languages", n).format(n=n))
        words += [_("Korean too")] if "ko" in entry.languages else []
    if entry.licence:
        words.append(entry.licence)
    if "chat_template" in entry.capabilities:
        words.append(_("chats"))
    if "fill" in entry.capabilities:
        words.append(_("fills gaps"))
    if entry.is_gated:
        words.append(_("licence to accept first"))
    return plain(" · ".join(words))


def _choose(drawn: str) -> None:
    url.put("model", st.session_state[drawn])
