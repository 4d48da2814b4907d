"""The changes of a training: per layer, by number of directions, and beside another adapter."""

from __future__ import annotations

import math

import streamlit as st

from playground.charts import finetuning as charts
from playground.core.lora import LowRank, cosine, effective_rank, singular_values
from playground.core.tables import finetuning as frames
from playground.engine.contract.adapters import PRODUCTS, AdapterInfo
from playground.errors import PlaygroundError
from playground.ui import compute, show
from playground.ui.choose import choose_from_list
from playground.ui.finetuning.controls import NAMES
from playground.ui.finetuning.picking import names, own, pick
from playground.ui.prompted import context_of
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain, sentence


def panel(context: PageContext) -> None:
    """Draw the heat map, the singular values of one layer, and the angle to another adapter."""
    st.markdown(f"## {_('What did training change?')}")
    adapter = pick(context, "fin_changed")
    if adapter is None:
        return
    if adapter.method not in PRODUCTS:
        told = _(
            "{name} changes no weight: its {n:,} numbers stand beside them ({way}). There is no matrix to "
            "draw."
        ).format(name=plain(adapter.name), n=adapter.n_parameters, way=_(NAMES[adapter.method]))
        st.info(told)
        return
    changes = compute.adapters().changes(adapter.model_id)
    left, right = st.columns(2)
    with left:
        _heat_map(changes)
    with right:
        layer, module = _which(changes)
        _spectrum(changes, layer, module)
    _say(changes, layer, module)
    show.source(context_of(context, adapter.model_id).model)
    show.under_picture(
        "fin_changes",
        frame=lambda: frames.delta_map(changes),
        code=lambda: show.code(
            "changes", folder=show.model_folder(adapter.base_id),
            adapter=show.adapter_folder(adapter.model_id), layer=layer, module=module,
        ),
        picture="fin_delta_picture",
    )  # fmt: skip
    _beside(context, adapter, changes)


def _heat_map(changes: tuple[LowRank, ...]) -> None:
    st.markdown(f"**{_('Size of the change beside the weight, ‖ΔW‖ / ‖W‖')}**")
    words = {"layer": _("Layer"), "module": _("Module"), "change": _("Change")}
    modules = list(dict.fromkeys(change.module for change in changes))
    alt = _("Heat map of the relative size of the change, layer by module")
    show.show_chart(
        charts.delta_heat_map(words, modules), "fin_delta_picture", alt, data=frames.delta_map(changes)
    )


def _which(changes: tuple[LowRank, ...]) -> tuple[int, str]:
    places = {f"{one.layer}.{one.module}": one for one in changes}
    largest = max(places, key=lambda name: places[name].norm / places[name].weight_norm)
    ordered = {largest: places[largest]} | places
    labels = {
        name: _("layer {layer}, {module}").format(layer=one.layer + 1, module=one.module)
        for name, one in ordered.items()
    }
    chosen = ordered[choose_from_list("fin_layer", labels, _("Layer and module"))]
    return chosen.layer, chosen.module


def _spectrum(changes: tuple[LowRank, ...], layer: int, module: str) -> None:
    words = {"place": _("Direction"), "value": _("Singular value of ΔW"), "share": _("Share of the sum")}
    alt = _("Singular values of the change of one matrix")
    data = frames.spectrum(changes, layer, module)
    show.show_chart(charts.singular_value_bars(words), "fin_spectrum_picture", alt, data=data)


def _say(changes: tuple[LowRank, ...], layer: int, module: str) -> None:
    largest = max(changes, key=lambda one: one.norm / one.weight_norm)
    chosen = next(one for one in changes if (one.layer, one.module) == (layer, module))
    told = ngettext(
        "The largest change, {change:.1%} of the weight, is in layer {layer} (1 is the first), {module}. "
        "In the chosen matrix {r} direction may change, and the effective rank is {effective:.1f}.",
        "The largest change, {change:.1%} of the weight, is in layer {layer} (1 is the first), {module}. "
        "In the chosen matrix {r} directions may change, and the change has the weight of "
        "{effective:.1f} of them (effective rank).",
        len(chosen.A),
    )
    st.markdown(
        told.format(
            change=largest.norm / largest.weight_norm, layer=largest.layer + 1, module=plain(largest.module),
            r=len(chosen.A), effective=effective_rank(singular_values(chosen)),
        )
    )  # fmt: skip


def _beside(context: PageContext, adapter: AdapterInfo, changes: tuple[LowRank, ...]) -> None:
    """The cosine to another adapter, and both added."""
    others = [one for one in own(context) if one.model_id != adapter.model_id and one.method in PRODUCTS]
    st.markdown(f"## {_('Do two adapters change the model in the same direction?')}")
    if not others:
        st.caption(_("Train or upload a second adapter to compare it with this one, or to add both."))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = choose_from_list("fin_other", names(others), _("Another adapter"))
        other = next(one for one in others if one.model_id == chosen)
        st.button(
            _("Add both into a new adapter"), key="fin_add", icon=":material/add:", on_click=_add,
            args=(adapter.model_id, other.model_id, context.owner),
        )  # fmt: skip
    value = cosine(changes, compute.adapters().changes(other.model_id))
    if math.isnan(value):
        st.caption(_("One of them changes nothing."))
        return
    told = _(
        "The cosine between both changes is {value:+.3f}: 1 is the same direction, 0 none in common, -1 "
        "the opposite."
    )
    st.markdown(told.format(value=value))
    if (error := st.session_state.pop("fin_add_error", None)) is not None:
        st.error(sentence(error))


def _add(first: str, second: str, owner: str) -> None:
    try:
        compute.adapters().added(first, second, owner)
    except PlaygroundError as error:
        st.session_state["fin_add_error"] = error
