"""The session's adapters: use one everywhere, take it home, bring one, throw one away."""

from __future__ import annotations

import streamlit as st

from playground.core.tables import training as frames
from playground.engine.contract.adapters import CARD, PRODUCTS, SCRIPT, AdapterInfo
from playground.engine.contract.models import AdapterName
from playground.engine.contract.training import TrainingState
from playground.errors import OtherBase
from playground.ui import adapters, compute, show, state, uploads
from playground.ui.finetuning import code, live
from playground.ui.finetuning.controls import NAMES
from playground.ui.finetuning.picking import names, own, pick
from playground.ui.finetuning.sets import ReadSet
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain, sentence
from playground.ui.url import put

_SHOWN_NAMES = 8


def panel(context: PageContext) -> None:
    """Draw the list, what can be done with one, and the uploader."""
    st.markdown(f"## {_('How do I keep what it learned?')}")
    found = own(context)
    if found:
        _table(found)
        adapter = pick(context, "fin_mine")
        if adapter is not None:
            _actions(context, adapter)
    limit = state.settings()
    told = _(
        "An adapter lives as long as this tab. Once it is picked as the model, the link to a view finds "
        "it up to "
        "{minutes:.0f} minutes after the tab was closed."
    )
    st.caption(told.format(minutes=limit.adapter_grace_s / 60))
    told = _("An adapter: the .zip of this page, or a peft folder with safetensors as .zip, up to {mb} MB")
    base_id = AdapterName.of(context.model.model_id).base_id
    asked = uploads.field(
        "fin_adapter_upload", told.format(mb=limit.max_adapter_file_bytes // 2**20), ("zip",),
        limit.max_adapter_file_bytes, _take, (base_id, context.owner),
    )  # fmt: skip
    if isinstance(asked, OtherBase) and asked.params["model"] == base_id:  # of another model it was not asked
        st.warning(sentence(asked))
        st.button(
            _("Use it on {model}").format(model=plain(base_id)), key="fin_any_base", icon=":material/check:",
            on_click=uploads.answer, args=("fin_adapter_upload", _take, (base_id, context.owner, True)),
        )  # fmt: skip
    if (taken := st.session_state.pop("fin_adapter_taken", None)) is not None:
        name, ignored = taken
        st.success(_("{name} is ready: choose it as the model.").format(name=plain(name)))
        if ignored:
            _say_ignored(ignored)


def _say_ignored(names: tuple[str, ...]) -> None:
    listed = ", ".join(plain(name) for name in names[:_SHOWN_NAMES])
    more = len(names) - _SHOWN_NAMES
    if more > 0:
        told = ngettext(
            "Not read: {names}, and {n:,} more file.", "Not read: {names}, and {n:,} more files.", more
        ).format(names=listed, n=more)
    else:
        told = _("Not read: {names}.").format(names=listed)
    st.caption(told)


def _table(found: list[AdapterInfo]) -> None:
    called = names(found)
    rows = [
        (
            called[one.model_id],
            one.step,
            _(NAMES[one.method]),
            one.lora.r if one.method == "lora" else None,
            one.lora.lora_alpha if one.method == "lora" else None,
            ", ".join(one.lora.target_modules) if one.method in PRODUCTS else "",
            one.n_parameters,
            one.size_bytes,
        )
        for one in found
    ]
    st.dataframe(
        frames.adapters(rows),
        hide_index=True,
        column_config={
            "adapter": st.column_config.TextColumn(_("Adapter")),
            "step": st.column_config.NumberColumn(_("Steps"), width="small"),
            "method": st.column_config.TextColumn(_("What is trained")),
            "r": st.column_config.NumberColumn("r", width="small"),
            "lora_alpha": st.column_config.NumberColumn("lora_alpha", width="small"),
            "target_modules": st.column_config.TextColumn(_("Target modules")),
            "n_parameters": st.column_config.NumberColumn(_("Trained numbers"), format="localized"),
            "megabytes": st.column_config.NumberColumn("MB", format="%.1f", width="small"),
        },
    )


def _actions(context: PageContext, adapter: AdapterInfo) -> None:
    run = next((one for one in live.runs(context) if one.adapter == adapter.model_id), None)
    data = live.data_of(run) if run is not None else None  # the file is made where no session is
    is_pefts = adapter.method != "bottleneck"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            _("Use it on every page"), type="primary", key="fin_use", icon=":material/check:", on_click=put,
            args=("model", adapter.model_id), disabled=context.model.model_id == adapter.model_id,
        )  # fmt: skip
        if context.model.adapter:
            st.button(
                _("Back to the base"), key="fin_unuse", icon=":material/undo:", on_click=put,
                args=("model", adapter.base_id),
            )  # fmt: skip
        st.download_button(
            _("Download for peft (.zip)") if is_pefts else _("Download (.zip)"),
            lambda: _file(context, adapter, run, data),
            f"{_file_name(adapter)}.zip", "application/zip", key="fin_download", on_click="ignore",
            icon=":material/download:",
        )  # fmt: skip
        st.button(
            _("Delete"), key="fin_remove", icon=":material/delete:", on_click=_remove,
            args=(adapter, context.owner),
        )  # fmt: skip
    if not is_pefts:
        st.caption(
            _("peft knows no bottleneck in series: the file is in a form of ours, which only this app reads.")
        )
    told = _(
        "It is also in the list *Model* on the left. The code shown looks for its unpacked file in {folder}."
    )
    st.caption(told.format(folder=f"`{show.adapter_folder(adapter.model_id)}`"))


def _file_name(adapter: AdapterInfo) -> str:
    return f"adapter-{AdapterName.of(adapter.model_id).adapter_id[:8]}"


def _file(
    context: PageContext, adapter: AdapterInfo, run: TrainingState | None, data: ReadSet | None
) -> bytes:
    more = {}
    if run is not None:
        more[CARD] = code.run_card(run, live.adapter_settings(run), data, context.model.revision)
        if data is not None:
            more[SCRIPT] = code.reproduce(live.adapter_settings(run), data)
    return compute.adapters().exported(adapter.model_id, more)


def _remove(adapter: AdapterInfo, owner: str) -> None:
    if st.session_state["model"].startswith(adapter.model_id):
        put("model", adapter.base_id)
    compute.adapters().remove(adapter.model_id, owner)


def _take(name: str, data: bytes, base_id: str, owner: str, any_base: bool = False) -> None:
    taken = compute.adapters().imported(base_id, name, data, owner, any_base=any_base)
    known = next(one.name for one in adapters.mine() if one.model_id == taken.model_id)
    st.session_state["fin_adapter_taken"] = known, taken.ignored
