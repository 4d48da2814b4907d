"""The choice of the adapter of a panel."""

from __future__ import annotations

import streamlit as st

from playground.engine.contract.adapters import AdapterInfo
from playground.engine.contract.models import AdapterName
from playground.ui import adapters
from playground.ui.choose import choose_from_list
from playground.ui.state import PageContext
from playground.ui.text import _


def own(context: PageContext) -> list[AdapterInfo]:
    """The session's adapters of the chosen model's base, the newest first."""
    base_id = AdapterName.of(context.model.model_id).base_id
    return [one for one in reversed(adapters.mine()) if one.base_id == base_id]


def names(found: list[AdapterInfo]) -> dict[str, str]:
    """Model id -> how an adapter is called in a list."""
    known = adapters.names()
    return {one.model_id: known[one.model_id] for one in found}


def pick(context: PageContext, key: str, label: str = "") -> AdapterInfo | None:
    """Draw the list of adapters; None, with a sentence, while there is none."""
    found = own(context)
    if not found:
        st.info(_("No adapter yet: train one above, or upload one under *My adapters*."))
        return None
    chosen = choose_from_list(key, names(found), label or _("Adapter"))
    return next(one for one in found if one.model_id == chosen)
