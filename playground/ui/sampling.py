"""What the sampling page is made of: settings in the URL, the next token, the live continuation."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from playground.charts import sampling as charts
from playground.core import frames, pieces
from playground.core.frames import GeneratedToken
from playground.core.sampling import RankedLogits, distribution, rank
from playground.core.trace import Trace
from playground.engine.base import GenerateStep
from playground.errors import BadValue
from playground.ui import compute
from playground.ui.components.sampler import DEFAULT, N_ROWS, SamplerValue
from playground.ui.state import PageContext
from playground.ui.text import N_, _, ngettext

UPDATES_PER_S = 15
_STYLE = "<style>.st-key-sam_url { display: none; }</style>"
_FINISH = {
    "end_of_text": N_("The model ended the text."),
    "length": N_("The chosen length is reached."),
    "context_full": N_("The model's context is full."),
    "": N_("Stopped."),
}


# ---------------------------------------------------------------- settings


def bind() -> None:
    """Tie the four settings to the URL.

    Hidden text fields carry them, because a component cannot be bound to the URL itself. An empty field is
    the default, so a fresh page has a short address.
    """
    st.html(_STYLE)
    with st.container(key="sam_url"):
        for name in SamplerValue._fields:
            st.text_input(
                name,
                key=f"sam_{name}",
                bind="query-params",
                persist_state="session",
                label_visibility="collapsed",
            )


def chosen(d_vocab: int) -> tuple[SamplerValue, list[BadValue]]:
    """The settings of this session, and what was wrong with values from the URL (the default stands in)."""
    values: dict[str, Any] = {}
    problems = []
    for name in SamplerValue._fields:
        if text := st.session_state.get(f"sam_{name}", ""):
            value = _number(name, text, d_vocab)
            if value is None:
                problems.append(BadValue(name=name, value=repr(text[:40]), allowed=_allowed(name, d_vocab)))
            else:
                values[name] = value
    return DEFAULT._replace(**values), problems


def remember(value: SamplerValue) -> None:
    """Put settings into the URL; call it from a callback, before the fields are drawn."""
    for name, default in DEFAULT._asdict().items():
        chosen = getattr(value, name)
        st.session_state[f"sam_{name}"] = "" if chosen == default else str(chosen).removesuffix(".0")


def _number(name: str, text: str, d_vocab: int) -> float | None:
    """The number `text` stands for, None when it is none or not possible for this setting."""
    low, high = _limits(name, d_vocab)
    try:
        value = int(text) if name == "top_k" else float(text)
    except ValueError:
        return None
    return value if low <= value <= high else None


def _limits(name: str, d_vocab: int) -> tuple[float, float]:
    return {"temperature": (0, 3), "top_k": (0, d_vocab), "top_p": (0.001, 1), "min_p": (0, 1)}[name]


def _allowed(name: str, d_vocab: int) -> str:
    low, high = _limits(name, d_vocab)
    return f"{low:,} … {high:,}"


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
    return ranked, token_labels(_model_id, ranked.token_ids[:N_ROWS])


def token_labels(model_id: str, token_ids: NDArray[np.int64]) -> tuple[str, ...]:
    """How tokens that stand alone are shown: `·London`, `EC 95`."""
    texts = compute.get_engine().token_texts(model_id, token_ids)
    return tuple(pieces.piece(text).label for text in texts)


def cuts(chosen: SamplerValue) -> dict[str, Any]:
    """The settings without the temperature."""
    return {"top_k": chosen.top_k, "top_p": chosen.top_p, "min_p": chosen.min_p}


def curve(trace: Trace, chosen: SamplerValue) -> pd.DataFrame:
    """Entropy of the next token from temperature 0 to 3 and, in the rows marked `now`, at the chosen one."""
    ranked, _labels = next_token(trace)
    grid = _grid(_key(trace), ranked, **cuts(chosen))
    here = frames.curve_points(ranked, [chosen.temperature], **cuts(chosen), now=True)
    return frames.temperature_curve([*grid, *here])


@st.cache_resource(max_entries=500, show_spinner=False)  # 5 kB each
def _grid(
    key: tuple[str | bytes | None, ...], _ranked: RankedLogits, *, top_k: int, top_p: float, min_p: float
) -> list[frames.CurvePoint]:
    temperatures = [round(0.2 * step, 1) for step in range(16)]
    return frames.curve_points(_ranked, temperatures, top_k=top_k, top_p=top_p, min_p=min_p, now=False)


def _key(trace: Trace) -> tuple[str | bytes | None, ...]:
    """What the logits of the last position depend on."""
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
            "kept": _("kept by top-k, top-p, min-p"),
            "now": _("now"),
        }
    )


# ---------------------------------------------------------------- the live continuation


@dataclass(slots=True)
class Run:
    """One continuation, kept in the session so that it stays on the screen after it ended or was stopped."""

    context: PageContext
    chosen: SamplerValue
    seed: int
    n_max: int
    text: str = ""
    elapsed_ms: float = 0.0
    tokens: list[GeneratedToken] = field(default_factory=list)
    finish: str = ""

    def add(self, step: GenerateStep) -> None:
        """Append one token."""
        self.text += step.text
        self.finish = step.finish_reason or ""
        self.tokens.append(
            GeneratedToken(
                step=step.index + 1,
                token=pieces.piece(step.token).label,
                token_id=step.token_id,
                surprisal_bits=abs(step.logprob) / math.log(2),
                model=math.exp(step.logprob),
                drawn=step.prob,
                rank=step.rank + 1,
                n_kept=step.n_kept,
                entropy_bits=step.entropy_bits,
            )
        )

    def ending(self) -> str:
        """Why it ended, and how surprising it was."""
        words = [_(_FINISH[self.finish])]
        if self.tokens:
            mean = sum(token.surprisal_bits for token in self.tokens) / len(self.tokens)
            counted = ngettext("{n:,} token", "{n:,} tokens", len(self.tokens)).format(n=len(self.tokens))
            words.append(
                _("{tokens}, {bits:.2f} bits of surprisal on average.").format(tokens=counted, bits=mean)
            )
        return " ".join(words)


def last_run(context: PageContext) -> Run | None:
    """This session's latest continuation of this very text by this model."""
    run: Run | None = st.session_state.get("sam_run")
    same = run is not None and (run.context.model.model_id, run.context.text) == (
        context.model.model_id,
        context.text,
    )
    return run if same else None


class Board:
    """Where a continuation is drawn: its text, and the surprisal of each token.

    Args:
        run: What to draw first; None draws an invitation.
    """

    def __init__(self, run: Run | None, language: str) -> None:
        with st.container(height=130, border=True):
            self._text = st.empty()
        with st.container(key="sam_board"):
            self._chart = st.empty()
        self.line = st.empty()  # where the engine says what it waits for, then how it ended
        if run is None:
            self._text.caption(_("Press Generate: the model continues your sentence, token by token."))
            return
        self._spec = charts.surprisal_bars(_bar_words(language), steps=run.n_max)
        self.draw(run)
        if run.tokens:
            self.line.caption(run.ending())

    def draw(self, run: Run) -> None:
        """Draw what there is so far."""
        self._text.text(f"{run.context.text}│{run.text}")
        self._chart.vega_lite_chart(frames.continuation(run.tokens), self._spec)


def go_on(context: PageContext, board: Board, run: Run) -> None:
    """Generate to the end; any click of the reader stops it within one token."""
    st.session_state["sam_run"] = run
    with board.line.container():
        steps = compute.generate(
            context, seed=run.seed, max_new_tokens=run.n_max, n_top=1, **run.chosen._asdict()
        )
    begun_at, drawn_at = time.monotonic(), 0.0
    with closing(cast("Generator[GenerateStep]", steps)):
        for step in steps:
            run.add(step)
            run.elapsed_ms = 1_000 * (time.monotonic() - begun_at)
            if time.monotonic() - drawn_at > 1 / UPDATES_PER_S:
                board.draw(run)
                drawn_at = time.monotonic()
    st.rerun()


def sizes() -> dict[str, str]:
    """Options of the task about a hot distribution."""
    return {"tens": _("fewer than 100"), "hundreds": _("100 to 4,999"), "thousands": _("5,000 or more")}


def size_when_hot(ranked: RankedLogits) -> str:
    """How many tokens temperature 3 with top-p 0.9 keeps, as one of `sizes`."""
    n_kept = distribution(ranked, temperature=3.0, top_p=0.9).n_kept
    return "tens" if n_kept < 100 else "hundreds" if n_kept < 5_000 else "thousands"


@lru_cache
def _bar_words(language: str) -> dict[str, str]:
    """Words of the surprisal picture; `language` is the session's."""
    return {
        "token": _("Token"),
        "surprisal": _("Surprisal (bits)"),
        "model": _("Model's own probability"),
        "drawn": _("Drawn with probability"),
        "rank": _("Rank"),
        "kept": _("Tokens kept"),
    }
