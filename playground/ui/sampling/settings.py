"""Parts of the sampling page: settings in the URL, the next token, the live continuation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from playground.charts import sampling as charts
from playground.core import pieces
from playground.core.ranking import RankedLogits, rank
from playground.core.sampling import ORDERS, Order, Sampling, distribution
from playground.core.tables import sampling as frames
from playground.core.trace import Trace
from playground.errors import BadValue
from playground.ui import compute, url
from playground.ui.components import sampler
from playground.ui.labels import token_labels
from playground.ui.text import _

DEFAULT = Sampling(top_p=0.75)  # so that the first picture has a cut in it

# ---------------------------------------------------------------- settings


def bind() -> None:
    """Tie the settings to the URL.

    Hidden text fields carry them, because a component cannot be bound to the URL itself. An empty field is
    the default, so a fresh page has a short address.
    """
    with st.container(key="url_of_sampling"):
        for name in asdict(DEFAULT):
            url.field(f"sam_{name}")


def chosen(d_vocab: int) -> tuple[Sampling, list[BadValue]]:
    """The settings of this session, and what was wrong with values from the URL (the default stands in)."""
    limits, values, problems = sampler.limits(d_vocab), asdict(DEFAULT), []
    for name in values:
        if text := st.session_state.get(f"sam_{name}", ""):
            value = _order(text) if name == "order" else _number(name, text, *limits[name])
            if value is None:
                allowed = ", ".join(ORDERS) if name == "order" else _range(*limits[name])
                problems.append(BadValue(name=name, value=repr(text[:40]), allowed=allowed))
            else:
                values[name] = value
    return Sampling(**values).in_order(values["order"]), problems


def remember(value: Sampling) -> None:
    """Put settings into the URL; call it from a callback, before the fields are drawn."""
    for name, default in asdict(DEFAULT).items():
        chosen = getattr(value, name)
        url.put(f"sam_{name}", "" if chosen == default else str(chosen).removesuffix(".0"))


def _order(text: str) -> Order | None:
    return next((order for order in ORDERS if order == text), None)


def _number(name: str, text: str, least: float, most: float) -> float | None:
    """The number `text` stands for, None when it is none or not possible for this setting."""
    try:
        value = int(text) if name == "top_k" else float(text)
    except ValueError:
        return None
    return value if least <= value <= most else None


def _range(least: float, most: float) -> str:
    return f"{least:,.9g} … {most:,.9g}"


# ---------------------------------------------------------------- the next token


def next_token(trace: Trace) -> tuple[RankedLogits, tuple[str, ...]]:
    """The ranking of the token after the reader's text, and how the most probable ones are shown."""
    assert trace.logits is not None
    return _next_token(_key(trace), trace.model_id, trace.logits[-1])


@st.cache_resource(max_entries=24, show_spinner=False)  # 1.8 MB each
def _next_token(
    key: tuple[str | bytes | None, ...], _model_id: str, _logits: NDArray[np.float32]
) -> tuple[RankedLogits, tuple[str, ...]]:
    ranked = rank(_logits)
    return ranked, token_labels(_model_id, ranked.token_ids[: sampler.N_ROWS])


def written_labels(model_id: str, token_ids: Sequence[int]) -> tuple[str, ...]:
    """Labels of tokens that follow one another after a text, such as generated ones."""
    texts = compute.tokenizers().token_texts(model_id, np.array(token_ids, dtype=np.int64))
    return pieces.sequence_labels(texts)


def cuts(chosen: Sampling) -> dict[str, Any]:
    """The settings without the temperature: name -> value."""
    return {name: value for name, value in asdict(chosen).items() if name != "temperature"}


def curve(trace: Trace, chosen: Sampling) -> pd.DataFrame:
    """Entropy of the next token from temperature 0 to 3 and, in the rows marked `now`, at the chosen one."""
    ranked, _labels = next_token(trace)
    grid = _grid(_key(trace), ranked, replace(chosen, temperature=1.0))  # known whatever the temperature
    here = frames.curve_points(ranked, [chosen.temperature], chosen, now=True)
    return frames.temperature_curve([*grid, *here])


@st.cache_resource(max_entries=500, show_spinner=False)  # 5 kB each
def _grid(
    key: tuple[str | bytes | None, ...], _ranked: RankedLogits, cuts: Sampling
) -> list[frames.CurvePoint]:
    temperatures = [round(0.2 * step, 1) for step in range(16)]
    return frames.curve_points(_ranked, temperatures, cuts, now=False)


def _key(trace: Trace) -> tuple[str | bytes | None, ...]:
    """Key of everything that the logits of the last position depend on."""
    return (trace.model_id, trace.revision, trace.adapter, trace.dtype, trace.input_ids.tobytes())


@lru_cache
def curve_picture(language: str) -> dict[str, Any]:
    """The entropy picture without its rows; `language` is the session's."""
    return charts.entropy_curve(
        {
            "temperature": _("Temperature"),
            "entropy": _("Entropy (bits)"),
            "n_kept": _("Tokens kept"),
            "all": _("all tokens"),
            "kept": _("kept by the cuts"),
            "now": _("now"),
        }
    )


@lru_cache
def kept_picture(language: str, d_vocab: int) -> dict[str, Any]:
    """The picture of how many tokens are kept, without its rows; `language` is the session's."""
    words = {"temperature": _("Temperature"), "n_kept": _("Tokens kept")}
    return charts.kept_curve(words, d_vocab=d_vocab)


def five_kept(ranked: RankedLogits, chosen: Sampling) -> bool:
    """The goal of the task about a nucleus of five tokens."""
    return chosen.top_k == 0 and distribution(ranked, chosen).n_kept == 5


def sizes() -> dict[str, str]:
    """Options of the task about a hot distribution."""
    return {"tens": _("fewer than 100"), "hundreds": _("100 to 4,999"), "thousands": _("5,000 or more")}


def size_when_hot(ranked: RankedLogits) -> str:
    """Number of tokens that temperature 3 with top-p 0.9 keeps, as one of `sizes`."""
    n_kept = distribution(ranked, Sampling(temperature=3.0, top_p=0.9)).n_kept
    return "tens" if n_kept < 100 else "hundreds" if n_kept < 5_000 else "thousands"
