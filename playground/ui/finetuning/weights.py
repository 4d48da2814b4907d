"""The parts that LoRA trains: W stays frozen, two thin matrices are learned, drawn to scale."""

from __future__ import annotations

import streamlit as st

from playground.charts import finetuning as charts
from playground.core.tables import finetuning as frames
from playground.engine.contract.adapters import PRODUCTS
from playground.ui import show
from playground.ui.choose import choose
from playground.ui.finetuning.controls import NAMES, TrainingSettings
from playground.ui.finetuning.sets import ReadSet
from playground.ui.state import PageContext
from playground.ui.text import _, plain


def share(chosen: TrainingSettings) -> float:
    """Trained numbers beside the weights of the chosen matrices."""
    return chosen.n_trained / chosen.n_frozen


def panel(context: PageContext, data: ReadSet, chosen: TrainingSettings) -> None:
    """Draw W, A and B of one module as areas."""
    st.markdown(f"## {_('How much of the model is trained?')}")
    if chosen.run.method not in PRODUCTS:
        told = _(
            "{n:,} numbers are trained beside the weights: {way}. All {all:,} weights of the blocks' "
            "matrices stay as they are."
        ).format(n=chosen.n_trained, way=_(NAMES[chosen.run.method]), all=chosen.n_frozen)
        st.info(told)
        return
    shapes = {one.module: one for one in chosen.layers}
    one = shapes[choose("fin_area", {name: name for name in shapes}, _("Module"))]
    if chosen.run.method == "last_block":
        st.info(
            _("All {n:,} weights of the last block are trained: there is no A and no B.").format(
                n=chosen.n_trained
            )
        )
        return
    r = chosen.run.lora.r
    left, right = st.columns(2, vertical_alignment="center")
    words = {"matrix": _("Matrix"), "shape": _("Shape"), "n": _("Numbers")}
    table = frames.areas(one.d_out, one.d_in, r)
    with left:
        show.show_chart(
            charts.weight_areas(words), "fin_area_picture", _("W, A and B as areas, to scale"), data=table
        )
    told = _(
        "W of {module} has {d_out:,} × {d_in:,} = {n:,} numbers and stays as it is. A and B have {r} × "
        "({d_in:,} + "
        "{d_out:,}) = {trained:,}. In all {matrices} chosen weight matrices {share:.2%} as many numbers are "
        "trained as there are weights."
    )
    right.markdown(
        told.format(
            module=plain(one.module), d_out=one.d_out, d_in=one.d_in, n=one.d_out * one.d_in, r=r,
            trained=r * (one.d_in + one.d_out), matrices=len(chosen.layers), share=share(chosen),
        )
    )  # fmt: skip
    show.source(context.model)
    show.under_picture(
        "fin_areas",
        frame=table,
        code=lambda: show.code(
            "areas", folder=show.model_folder(data.base_id), r=r,
            target_modules=list(chosen.run.lora.target_modules),
        ),
        picture="fin_area_picture",
    )  # fmt: skip
