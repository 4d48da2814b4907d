"""The blocks of a model from the tokens up to the logits, and beside each the model's answer there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.core.pieces import Piece
from playground.core.residual import Lens
from playground.ui.components import script, style

_COMPONENT = st.components.v2.component(
    "playground.inside",
    html='<div class="inside"></div>\n<p class="detail" aria-live="polite"></p>\n<p class="legend"></p>\n',
    css=style("keyboard", "amounts", "inside/inside", "touch"),
    js=script("amounts", "inside/inside"),
)


@dataclass(frozen=True, slots=True)
class Station:
    """One part of a model.

    Attributes:
        id: embedding, attention.0, mlp.0, ..., norm, logits.
        label: Short words inside its box.
        about: Explanation shown when it is pointed at.
        n_parameters: Number of parameters; decides the width of attention and MLP of a block.
    """

    id: str
    label: str
    about: str
    n_parameters: int


def lens_cells(lens: Lens, window: range, labels: Sequence[Mapping[int, str]]) -> dict[str, Any]:
    """Contents of the cells of a window of positions, as plain lists.

    Args:
        lens: Lens of the positions that are known, in any order.
        window: Positions shown.
        labels: For each position of the lens: token id -> label there.

    Returns:
        `labels`, each once; `top` (indices into `labels`) and `probs`, [row][column][n]; `ranks` of the
        model's own answer (0 = first), [row][column]. None where a position is not known.
    """
    places: dict[str, int] = {}
    top = [
        [
            [places.setdefault(here[token], len(places)) for token in cell]
            for cell, here in zip(row, labels, strict=True)
        ]
        for row in lens.top_ids.tolist()
    ]
    at = {position: column for column, position in enumerate(lens.positions)}
    columns = [at.get(position) for position in window]

    def of_window(numbers: NDArray[Any]) -> list[list[Any]]:
        rows: list[list[Any]] = numbers.tolist()
        return [[None if column is None else row[column] for column in columns] for row in rows]

    return {
        "labels": list(places),
        "top": of_window(np.array(top)),
        "probs": of_window(np.round(lens.top_probs.astype(float), 4)),
        "ranks": of_window(lens.answer_ranks),
    }


def cosine_cells(cosines: NDArray[np.float64], window: range) -> dict[str, Any]:
    """The same for a model without a next token: cosine of each state and the last. [row][column]."""
    return {"cosines": np.round(cosines[:, list(window)], 4).tolist()}


def inside(
    stations: Sequence[Station],
    tokens: Sequence[tuple[int, Piece]],
    cells: Mapping[str, Any],
    *,
    position: int,
    station: str,
    words: Mapping[str, str],
    on_click: Callable[[object], None],
    wants: str,
    on_rest: Callable[[object], None],
) -> None:
    """Draw the picture; a click on a part or a cell calls `on_click` before the rerun.

    Args:
        stations: From the embedding up to the logits.
        tokens: Position and token of each column.
        cells: From `lens_cells` or `cosine_cells`.
        position: The selected position.
        station: Id of the selected station.
        words: Words in the reader's language; the browser fills the braces.
        on_click: Called with {"station": id} or {"station": id, "position": number}.
        wants: Name of the missing cells, for which the browser asks once they are drawn, once per name; "" =
            nothing is missing.
        on_rest: Called with that name, before the rerun in which they are asked for.
    """
    _COMPONENT(
        key="inside",
        data={
            "stations": [asdict(each) for each in stations],
            "tokens": [
                [position, token.label, *([token.lines] if len(token.lines) > 1 else [])]
                for position, token in tokens
            ],
            "position": position,
            "station": station,
            "words": dict(words),
            **({"wants": wants} if wants else {}),
            **cells,
        },
        default={"clicked": None, "asked": None},
        on_asked_change=lambda: on_rest(st.session_state["inside"]["asked"]),
        on_clicked_change=lambda: on_click(st.session_state["inside"]["clicked"]),
    )
