"""A and B: two settings, or two models, on the same sentence."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from typing import Any

import streamlit as st

from playground.charts import comparing as charts
from playground.core.comparing import overlap
from playground.core.sampling import Distribution, Sampling, distribution
from playground.core.tables import comparing as frames
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.ui import compute, frame, show, stepwise, warming
from playground.ui.choose import choose_from_list
from playground.ui.components import sampler
from playground.ui.labels import token_labels
from playground.ui.number import number_field
from playground.ui.panels import Later
from playground.ui.sampling import settings as sampling
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.throttle import Throttle

N_SHOWN = 12  # tokens in the picture
N_TEXTS, N_TOKENS = 4, 12
KEY = "sam_both_texts"


@dataclass(frozen=True)
class Side:
    """One of the two: where, with which settings, and what comes next."""

    context: PageContext
    settings: Sampling
    kept: Distribution

    def masses(self, *, by_text: bool) -> dict[Hashable, float]:
        """Token -> probability; by text, which two models may share, or by id, which is quicker."""
        ids, probs = self.kept.token_ids, self.kept.probs.tolist()
        if not by_text:
            return dict(zip(ids.tolist(), probs, strict=True))
        found: dict[Hashable, float] = {}
        texts = compute.tokenizers().token_texts(self.context.model.model_id, ids)
        for text, mass in zip(texts, probs, strict=True):
            found[text] = found.get(text, 0.0) + mass
        return found


def panel(context: PageContext, chosen: Sampling, trace: Trace) -> Later | None:
    """Draw the controls of B, both distributions, and what both wrote last.

    Args:
        context: From `frame.page`; A is its model with the settings above.
        chosen: The settings above.
        trace: Trace of the text.

    Returns:
        What writes, to be called once the page is drawn; None when nothing is asked.
    """
    st.markdown(f"## {_('What changes with another setting, or another model?')}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        other = _model_of_b(context)
        settings_b = _settings_of_b(chosen, trace)
        st.button(
            _("Copy A to B"), key="sam_copy", on_click=_copy, args=(chosen,), icon=":material/content_copy:"
        )
    if other is None:
        return None
    trace_b = (
        trace
        if other is context
        else compute.trace(other, compute.tokenize(other).input_ids, Capture(logits="last"), topic="compare")
    )
    first, second = _side(context, chosen, trace), _side(other, settings_b, trace_b)
    _draw(first, second, trace_b)
    return _texts(first, second)


def _model_of_b(context: PageContext) -> PageContext | None:
    """The page's context with the model of B; None while that is not ready (what it is doing is drawn)."""
    known = {
        model_id: entry
        for model_id, entry in frame.choices().items()
        if "generate" in entry.capabilities and model_id != context.model.model_id
    }
    names = {"same": _("the same model")} | {model_id: entry.name for model_id, entry in known.items()}
    model_id = choose_from_list("sam_b_model", names, _("Model of B"))
    if model_id == "same":
        return context
    info = warming.model_when_ready(known[model_id])
    return None if info is None else replace(context, model=info)


def _settings_of_b(chosen: Sampling, trace: Trace) -> Sampling:
    """B has its own four; typical-p and the order are those of A."""
    assert trace.logits is not None
    limits = sampler.limits(trace.logits.shape[-1])
    temperature = number_field(
        _("Temperature of B"), *limits["temperature"], 1.0, 0.1, key="sam_b_temperature", width=130
    )
    top_k = number_field("top-k", *limits["top_k"], 0, key="sam_b_top_k", width=110)
    top_p = number_field("top-p", *limits["top_p"], 1.0, 0.05, key="sam_b_top_p", width=110)
    min_p = number_field("min-p", *limits["min_p"], 0.0, 0.05, key="sam_b_min_p", width=110)
    return replace(
        chosen, temperature=float(temperature), top_k=int(top_k), top_p=float(top_p), min_p=float(min_p)
    )


def _copy(chosen: Sampling) -> None:
    for name in ("temperature", "top_k", "top_p", "min_p"):
        st.session_state[f"sam_b_{name}"] = getattr(chosen, name)


def _side(context: PageContext, settings: Sampling, trace: Trace) -> Side:
    ranked, _labels = sampling.next_token(trace)
    return Side(context, settings, distribution(ranked, settings))


def _draw(first: Side, second: Side, trace_b: Trace) -> None:
    by_text = first.context.model.model_id != second.context.model.model_id
    masses = [side.masses(by_text=by_text) for side in (first, second)]
    shared = overlap(*masses)
    told = _(
        "Tokens kept: {n_a:,} in A, {n_b:,} in B. Entropy: {bits_a:.2f} and {bits_b:.2f} bits. They agree on "
        "{shared:.1%} of the probability."
    )
    st.markdown(
        told.format(
            n_a=first.kept.n_kept, bits_a=first.kept.entropy_bits, n_b=second.kept.n_kept,
            bits_b=second.kept.entropy_bits, shared=shared,
        )
    )  # fmt: skip
    table = frames.most_probable(masses[0], masses[1], _labels((first, second), by_text=by_text), N_SHOWN)
    picture = _picture(first.context.language, len(table) // 2)
    alt = _("The most probable next tokens, a bar for A and one for B")
    show.show_chart(picture, "sam_both", alt, data=table)
    show.provenance(trace_b)
    code = show.code(
        "comparing",
        folders=[show.model_folder(side.context.model.model_id) for side in (first, second)],
        text=first.context.text,
        a=asdict(first.settings),
        b=asdict(second.settings),
    )
    show.under_picture("both", frame=table, code=code, picture="sam_both")


def _labels(sides: Sequence[Side], *, by_text: bool) -> dict[Hashable, str]:
    """Token -> how it is shown, of those that are most probable on either side."""
    found: dict[Hashable, str] = {}
    for side in sides:
        ids, model_id = side.kept.token_ids[:N_SHOWN], side.context.model.model_id
        keys = compute.tokenizers().token_texts(model_id, ids) if by_text else ids.tolist()
        found |= dict(zip(keys, token_labels(model_id, ids), strict=True))
    return found


def _texts(first: Side, second: Side) -> Later | None:
    """Draw the last texts of both; returns a function that writes anew when that is asked for."""
    with st.container(horizontal=True):
        start = st.button(
            _("Let both write"),
            type="primary",
            key="sam_both_write",
            icon=":material/edit_note:",
        )
        st.button(_("Stop"), key="sam_both_stop", icon=":material/stop:", disabled=not start)
    line, place = st.empty(), st.empty()
    if start:
        return partial(_write, line, place, first, second)
    asked, texts = st.session_state.get(KEY, (None, None))
    if texts and asked == _asked(first, second):
        _table(place, texts)
    else:
        st.caption(
            _("Both draw with the same random numbers: what differs comes from the settings or the model.")
        )
    return None


def _asked(first: Side, second: Side) -> tuple[object, ...]:
    return tuple((one.context.model.model_id, one.context.text, one.settings) for one in (first, second))


def _write(line: Any, place: Any, first: Side, second: Side) -> None:  # noqa: ANN401  (containers)
    """Write to the end; any click of the reader stops it within one step, what is written stays."""
    pace = Throttle()
    texts: list[dict[int, str]] = [{}, {}]
    st.session_state[KEY] = (_asked(first, second), texts)
    for side, found in zip((first, second), texts, strict=True):
        found |= dict.fromkeys(range(N_TEXTS), "")
        settings = [{"sampling": side.settings, "seed": seed} for seed in range(N_TEXTS)]
        with (
            line.container(),
            closing(stepwise.generate_many(side.context, settings, max_new_tokens=N_TOKENS)) as steps,
        ):
            for row, step in steps:
                found[row] += step.text
                pace(partial(_table, place, texts))
    st.rerun()


def _table(place: Any, texts: Sequence[Mapping[int, str]]) -> None:  # noqa: ANN401
    text = st.column_config.TextColumn
    place.dataframe(
        frames.side_by_side(*texts),
        hide_index=True,
        column_config={
            "seed": st.column_config.NumberColumn(_("Seed"), width="small"),
            "a": text("A", width=395),
            "b": text("B", width=395),
        },
    )


@lru_cache
def _picture(language: str, n_tokens: int) -> dict[str, Any]:
    words = {"token": _("Token"), "probability": _("Probability"), "setting": _("Setting")}
    return charts.paired_bars(words, n_tokens=n_tokens)
