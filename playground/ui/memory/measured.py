"""A real step on the model at hand: predicted beside measured, and its memory through time."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import streamlit as st

from playground.charts import memory as charts
from playground.core.memory import Method, ModelSizes, Precision, budget
from playground.core.tables import memory as frames
from playground.engine.contract.memory import MeasuredStep, StepRequest
from playground.errors import PlaygroundError
from playground.ui import footprints, show, state
from playground.ui.components.memory_bars import Size, axis_end
from playground.ui.footprints import told
from playground.ui.memory import code
from playground.ui.panels import Later
from playground.ui.state import PageContext, settings
from playground.ui.text import N_, _, sentence

MEASURED = "mem_steps"  # base of a model -> the step that was measured last
WANTED = "mem_step_wanted"
HELD: dict[str, Precision] = {"float32": "float32", "bfloat16": "bfloat16", "float16": "bfloat16"}
METHOD_NAMES: dict[Method, str] = {
    "full": N_("Full training"),
    "lora": "LoRA",
    "head": N_("Frozen + head"),
    "inference": N_("Inference"),
}


def draw(context: PageContext, sizes: ModelSizes, method: Method, size: Size, rank: int) -> Later | None:
    """Draw the button and the last measurement; gives what measures, if the reader asked for it."""
    st.markdown(f"### {_('Is it true?')}")
    most = settings().prefill_chunk_tokens
    is_possible = size[0] * size[1] <= min(most, sizes.n_ctx or most) and sizes.kind != "encoder-decoder"
    wanted = bool(st.session_state.pop(WANTED, False))
    st.button(
        _("Measure a real step"), key="mem_measure", icon=":material/speed:", on_click=_want,
        disabled=not is_possible or wanted,
        help=_("One step of this method runs on the server, on a copy; the model stays as it is."),
    )  # fmt: skip
    if sizes.kind == "encoder-decoder":
        st.caption(_("A step of a model with two stacks is not measured here: pick a decoder or an encoder."))
    elif not is_possible:
        told_why = _(
            "At most {most} tokens at once are measured here, not {got:,}: take fewer or shorter texts."
        )
        st.caption(told_why.format(most=most, got=size[0] * size[1]))
    place = st.container()
    known: MeasuredStep | None = st.session_state.get(MEASURED, {}).get(footprints.base_of(context))
    if known is None and not wanted:
        st.caption(_("Not measured yet. A step takes some seconds, during which others wait."))
    if known is not None:
        _compare(context, sizes, known)
    if not (wanted and is_possible):
        return None
    request = StepRequest(
        footprints.base_of(context), method=method, batch=size[0], length=size[1], rank=rank,
        owner=context.owner,
    )  # fmt: skip
    return lambda: _measure(context, request, place)


def _want() -> None:
    st.session_state[WANTED] = True


def _measure(context: PageContext, request: StepRequest, place: st.delta_generator.DeltaGenerator) -> None:
    """Have the step done where the reader sees it; any click ends it."""
    with place:
        st.button(_("Stop"), key="mem_stop", icon=":material/stop:")
        try:
            found = footprints.step(context, request)
        except PlaygroundError as error:
            st.error(sentence(error))
            return
    st.session_state.setdefault(MEASURED, {})[request.model] = found
    st.rerun()


def _compare(context: PageContext, sizes: ModelSizes, step: MeasuredStep) -> None:
    predicted = budget(sizes, step.method, HELD.get(step.dtype, "float32"), step.rank)
    size = step.batch, step.length
    parts = {name: part.at(*size) for name, part in predicted.parts.items()}
    pairs = {_("weights"): (parts["weights"], float(step.weight_bytes))}
    if step.method != "inference":
        pairs[_("gradients")] = parts["gradients"], float(step.gradient_bytes)
        pairs[_("optimizer states")] = parts["optimizer"], float(step.optimizer_bytes)
    else:
        pairs[_("KV cache")] = parts["cache"], float(step.cache_bytes)
    if step.method in ("full", "lora"):
        pairs[_("activations")] = parts["activations"], float(step.kept_bytes)
    pairs[_("peak")] = predicted.peak(*size), float(step.peak_bytes)
    words = _("{method}, batch {batch}, length {length}, {dtype} on {device}; numbers moved: {n:,}.")
    st.caption(
        words.format(
            method=_(METHOD_NAMES[step.method]), batch=step.batch, length=step.length, dtype=step.dtype,
            device=step.device, n=step.n_trained,
        )
    )  # fmt: skip
    errors = frames.compared(pairs)["error"].tolist()
    rows = [
        {
            _("Part"): part,
            _("Predicted"): told(expected),
            _("Measured"): told(found),
            _("Error"): "–" if math.isnan(error) else f"{100 * error:+z.1f}\u00a0%",
        }
        for (part, (expected, found)), error in zip(pairs.items(), errors, strict=True)
    ]
    st.dataframe(rows, hide_index=True, key="mem_compared")
    st.markdown(f"### {_('When is the most in memory?')}")
    line = frames.line(step.line, step.phases)
    alt = _("Memory through a real step: forward, backward, update")
    spec = _picture(state.language(), axis_end(step.peak_bytes / 1.15))
    show.show_chart(spec, "mem_step_picture", alt, data=line)
    st.markdown(_reading(step))
    show.under_picture(
        "mem_step", frame=line, code=lambda: code.budget(context, sizes, step.method, size),
        picture="mem_step_picture",
    )  # fmt: skip


def _reading(step: MeasuredStep) -> str:
    at, most = max(step.line, key=lambda point: point[1])
    phase = next((name for name, end in step.phases if at <= end), step.phases[-1][0])
    names = {"forward": _("forward pass"), "backward": _("backward pass"), "update": _("update")}
    told_most = _("The most, {most}, is there in the {phase}: {start} before the step, {above} on top.")
    start = step.weight_bytes + step.optimizer_bytes
    return told_most.format(most=told(most), phase=names[phase], start=told(start), above=told(most - start))


@lru_cache
def _picture(language: str, n_most: float) -> dict[str, Any]:
    words = {
        "ms": _("Milliseconds"), "n_bytes": _("Bytes in memory"), "phase": _("Phase"),
        "forward": _("forward pass"), "backward": _("backward pass"), "update": _("update"),
    }  # fmt: skip
    return charts.step_line(words, n_most)
