"""One matrix of the model at hand: a histogram of its weights, and the grid laid over."""

from __future__ import annotations

import numpy as np
import streamlit as st

from playground.charts import quantization as charts
from playground.core.quantization import Quantized, Scheme, most_values, quantize, relative_error
from playground.core.tables import quantization as tables
from playground.engine.contract.quantization import Matrix, MatrixWeights
from playground.ui import quantized, show
from playground.ui.choose import choose_from_list
from playground.ui.number import number_field
from playground.ui.state import PageContext
from playground.ui.text import _

OF_FILE = 32  # weights of a group in the file that the embedded decoder comes as


def picture(context: PageContext, scheme: Scheme) -> None:
    """Draw the picture; nothing is copied for it."""
    place = st.container()
    found, row = _chosen(context)
    made = quantize(found.weights, scheme)
    with place:
        _draw(context, found, made, row)


def _chosen(context: PageContext) -> tuple[MatrixWeights, int]:
    """The fields; a matrix and one of its rows, from 0."""
    listed = quantized.quantization().matrices(context.model.model_id)
    n_layers = 1 + max(one.layer or 0 for one in listed)
    first, second, third = st.columns([1, 2, 1], vertical_alignment="bottom")
    with first:
        layer = number_field(_("Layer"), 1, n_layers, 1, key="mem_q_layer")
    names = {one.name: _name(one) for one in listed if one.layer == layer - 1}
    tails = {_tail(name): words for name, words in names.items()}
    with second:
        tail = choose_from_list("mem_q_matrix", tails, _("Matrix"))
    name = next(one for one in names if _tail(one) == tail)
    found = quantized.quantization().weights(context.model.model_id, name)
    with third:
        row = number_field(_("Row"), 1, len(found.weights), 1, key="mem_q_row")
    return found, row - 1


def _tail(name: str) -> str:
    """The part of a path that is the same in every block.

    Example:
        >>> _tail("model.layers.3.self_attn.q_proj"), _tail("decoder.block.0.layer.1.EncDecAttention.q")
        ('self_attn.q_proj', 'decoder.layer.1.EncDecAttention.q')
    """
    parts = name.split(".")
    at = next(place for place, part in enumerate(parts) if part.isdigit())
    stack = [part for part in parts[:at] if part in ("encoder", "decoder")][-1:]
    return ".".join([*(stack if stack == ["decoder"] else []), *parts[at + 1 :]])


def _name(matrix: Matrix) -> str:
    return f"{_tail(matrix.name)}: {matrix.shape[0]:,} × {matrix.shape[1]:,}"


def _draw(context: PageContext, found: MatrixWeights, made: Quantized, row: int) -> None:
    weights, scheme = found.weights, made.scheme
    shared = {
        "tensor": weights, "channel": weights[row], "group": weights[row, : max(1, scheme.group)],
    }[scheme.granularity]  # fmt: skip
    frame = tables.grid(weights, shared, made.grid(row))
    words = {
        "weight": _("weight"), "share": _("share of the weights"), "n": _("weights in the bin"),
        "all": _("all weights of the matrix"), "grid": _("grid (values: {n})").format(n=scheme.n_steps + 1),
        "these": {
            "tensor": _("those that share the grid: all"),
            "channel": _("those of row {row}, which share the grid").format(row=row + 1),
            "group": _("the first {n} of row {row}, which share the grid").format(n=len(shared), row=row + 1),
        }[scheme.granularity],
    }  # fmt: skip
    most = float(np.abs(weights).max()) or 1.0
    alt = _("Histogram of the weights of a matrix with the values of its grid")
    show.show_chart(charts.grid(words, most), "memory_grid_picture", alt, data=frame)
    st.markdown(_reading(made, weights, row))
    if told := _went_through_4_bits(weights):
        st.caption(told)
    more = [found.matrix.name]
    if len(weights) < found.matrix.shape[0]:
        told = _("the first {n:,} of {all:,} rows")
        more.append(told.format(n=len(weights), all=found.matrix.shape[0]))
    show.source(context.model, *more)
    show.under_picture(
        "memory_grid", frame=frame, picture="memory_grid_picture",
        code=lambda: show.code("memory_grid", **code_values(context, found, scheme, row)),
    )  # fmt: skip


def code_values(context: PageContext, found: MatrixWeights, scheme: Scheme, row: int) -> dict[str, object]:
    """Values of the shown code."""
    return {
        "folder": show.model_folder(context.model.model_id), "matrix": found.matrix.name,
        "n_rows": len(found.weights), "row": row, "bits": scheme.bits, "granularity": scheme.granularity,
        "group": scheme.group, "is_symmetric": scheme.is_symmetric, "outliers": scheme.outliers,
    }  # fmt: skip


def _reading(made: Quantized, weights: np.ndarray, row: int) -> str:
    """The picture in words: the step, and what it loses."""
    scheme, read = made.scheme, made.weights()
    at = min(row, len(made.scales) - 1)
    step = float(made.scales[at, 0, 0])
    other = Scheme(8 if scheme.bits < 8 else 4).n_steps
    told = _(
        "A grid of {bits} bits has steps of {step:.3g} here, one of {other_bits} bits has {other_step:.3g}: "
        "the range is cut into {steps} or into {other}, a factor of {factor:.3g}."
    ).format(
        bits=scheme.bits, step=step, other_bits=8 if scheme.bits < 8 else 4,
        other_step=step * scheme.n_steps / other, steps=scheme.n_steps, other=other,
        factor=max(other, scheme.n_steps) / min(other, scheme.n_steps),
    )  # fmt: skip
    lost = _(
        "The matrix moves by {error} of its length, {zeros} of its weights become 0, and it takes {bits:.3f} "
        "bits a weight with {parts}."
    ).format(
        error=_share(relative_error(weights, read)),
        zeros=_share(float((read == 0).mean())),
        bits=made.n_bits / weights.size,
        parts=_parts(scheme),
    )
    return f"{told} {lost}"


def _parts(scheme: Scheme) -> str:
    if scheme.outliers and not scheme.is_symmetric:
        return _("its scales, zero points and outliers")
    if scheme.outliers:
        return _("its scales and outliers")
    return _("its scales") if scheme.is_symmetric else _("its scales and zero points")


def _share(part: float) -> str:
    return f"{part:.1%}".replace("%", "\u00a0%")


def _went_through_4_bits(weights: np.ndarray) -> str:
    """One sentence where every 32 neighbours of a row hold 16 values at most, "" where they do not."""
    if weights.shape[1] < 2 * OF_FILE or most_values(weights, OF_FILE) > 16:
        return ""
    return _(
        "In groups of {n} neighbours of a row there are at most {values} different weights: this model has "
        "once been through 4 bits already, and what that took is missing *before*, too."
    ).format(n=OF_FILE, values=most_values(weights, OF_FILE))
