"""Many continuations at once: how they differ and repeat themselves, at one temperature or at six."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from playground.charts import sampling as charts
from playground.core.sampling import Sampling
from playground.core.tables import continuations as frames
from playground.core.tables.continuations import WrittenText
from playground.core.trace import Trace
from playground.core.turning import turning_point
from playground.ui import show, stepwise
from playground.ui.number import number_field
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.sampling.settings import cuts
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.throttle import Throttle

TEMPERATURES = (0.0, 0.4, 0.7, 1.0, 1.3, 1.6)
N_SWEEP = 8  # texts at each


@dataclass
class Many:
    """The last texts of one session.

    Attributes:
        context: Model and text it belongs to.
        settings: Settings of each text: sampling, seed, and `text` where it is another one.
        n_max: Tokens at most.
        key: In the session.
        written: The texts so far.
        elapsed_ms: Until now.
    """

    context: PageContext
    settings: list[dict[str, Any]]
    n_max: int
    key: str = "sam_many_texts"
    written: list[WrittenText] = field(default_factory=list)
    elapsed_ms: float = 0.0

    @property
    def temperatures(self) -> list[float]:
        """Those of the texts, each once, from cold to hot."""
        return sorted({one["sampling"].temperature for one in self.settings})

    @property
    def asked(self) -> dict[str, object]:
        """Name of each setting that all texts share -> its value."""
        chosen: Sampling = self.settings[0]["sampling"]
        shared = cuts(chosen) if len(self.temperatures) > 1 else asdict(chosen)
        return {**shared, _("Tokens at most"): self.n_max}


def panel(context: PageContext, chosen: Sampling, trace: Trace) -> Later | None:
    """Draw the controls and what was written last.

    Args:
        context: From `frame.page`.
        chosen: The settings above; a sweep takes all but the temperature.
        trace: Trace of the text, for the provenance.

    Returns:
        What goes on writing, to be called once the page is drawn; None when nothing is to be written.
    """
    st.markdown(f"## {_('How different are many continuations?')}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n = number_field(_("Texts"), 2, 16, 8, key="sam_n_texts", width=130)
        n_max = number_field(_("Tokens at most"), 4, 64, 24, key="sam_many_tokens", width=160)
        one = st.button(_("Write them at once"), type="primary", key="sam_many", icon=":material/stacks:")
        sweep = st.button(_("At six temperatures"), key="sam_sweep", icon=":material/thermostat:")
        st.button(_("Stop"), key="sam_many_stop", icon=":material/stop:", disabled=not (one or sweep))
    place = st.empty()
    if one or sweep:
        temperatures = TEMPERATURES if sweep else (chosen.temperature,)
        settings = [
            {"sampling": replace(chosen, temperature=temperature), "seed": seed}
            for temperature in temperatures
            for seed in range(N_SWEEP if sweep else n)
        ]
        return partial(write_all, place, Many(context, settings, n_max))
    many: Many | None = st.session_state.get("sam_many_texts")
    mine = (context.model.model_id, context.text)
    if many is None or (many.context.model.model_id, many.context.text) != mine or not begun(many):
        st.caption(_("The texts share the batch: eight take far less than eight times as long as one."))
        return None
    is_sweep = len(many.temperatures) > 1
    made, now = many.asked, {**asdict(chosen), _("Tokens at most"): n_max, _("Texts"): n}
    show.other_settings(made if is_sweep else {_("Texts"): len(many.settings), **made}, now)
    _draw(many, trace)
    return None


def begun(many: Many) -> bool:
    """True if any text has a token."""
    return any(one.token_ids for one in many.written)


def write_all(place: Any, many: Many) -> None:  # noqa: ANN401  (Streamlit's container)
    """Write to the end; any click of the reader stops it within one step, what is written stays.

    Args:
        place: Element for the progress.
        many: The texts to write; they go into the session.
    """
    st.session_state[many.key] = many
    many.written = [
        WrittenText(one["sampling"].temperature, one["seed"], prompt=one.get("text", ""))
        for one in many.settings
    ]
    with place.container():
        total = len(many.settings) * many.n_max
        bar = Progress("many texts", many.context.model.model_id, total, _("The model writes"))
        steps = stepwise.generate_many(many.context, many.settings, max_new_tokens=many.n_max)
        pace, begun_at, done = Throttle(), time.monotonic(), 0
        with closing(steps):
            for row, step in steps:
                one = many.written[row]
                one.token_ids.append(step.token_id)
                one.logprobs.append(step.logprob)
                one.text += step.text
                done += 1 if step.finish_reason is None else many.n_max - step.index
                many.elapsed_ms = 1_000 * (time.monotonic() - begun_at)
                told = _("{done} of {total} tokens").format(done=done, total=total)
                pace(partial(bar.draw, done, told))
    st.rerun()


# ---------------------------------------------------------------- what was written


def _draw(many: Many, trace: Trace) -> None:
    texts = frames.continuations(many.written)
    grouped = frames.by_temperature(many.written)
    is_sweep = len(many.temperatures) > 1
    if is_sweep:
        _draw_sweep(grouped)
    else:
        _say_texts(texts, grouped)
    table(texts, [*(["temperature"] if is_sweep else []), "seed", "text", "perplexity", "repeated_4"])
    show.provenance(replace(trace, elapsed_ms=many.elapsed_ms, cached=False))
    code = code_of(many, [many.context.text], n_texts=len(many.settings) // len(many.temperatures))
    picture = "sam_sweep_picture" if is_sweep else None
    show.under_picture("many", frame=texts, code=code, picture=picture)


def code_of(many: Many, prompts: list[str], *, n_texts: int) -> str:
    """The script that writes the same texts.

    Args:
        many: The written texts.
        prompts: Texts to continue, in this order.
        n_texts: Number of texts per prompt and temperature.
    """
    return show.code(
        "many",
        folder=show.model_folder(many.context.model.model_id),
        prompts=prompts,
        n_texts=n_texts,
        n_tokens=many.n_max,
        temperatures=many.temperatures,
        **cuts(many.settings[0]["sampling"]),
    )


def _say_texts(texts: pd.DataFrame, grouped: pd.DataFrame) -> None:
    told = _(
        "{n} texts: **distinct-1** {distinct_1:.2f}, **distinct-2** {distinct_2:.2f} (1 = no two tokens in a "
        "row come twice), mean perplexity {perplexity:.1f}, {repeated:.0%} of their 4-grams repeat one."
    )
    row = grouped.iloc[0]
    st.markdown(
        told.format(
            n=len(texts), distinct_1=row["distinct_1"], distinct_2=row["distinct_2"],
            perplexity=texts["perplexity"].mean(), repeated=texts["repeated_4"].fillna(0.0).mean(),
        )
    )  # fmt: skip


def _draw_sweep(grouped: pd.DataFrame) -> None:
    words = {
        "diversity": _("Diversity (distinct-2)"), "quality": _("Mean log-probability (nats per token)"),
        "temperature": _("Temperature"), "distinct": "distinct-1", "repeated": _("Repeated 4-grams"),
        "texts": _("Texts"),
    }  # fmt: skip
    alt = _("Mean log-probability of the texts against their diversity, a point for each temperature")
    show.show_chart(charts.quality_against_diversity(words), "sam_sweep_picture", alt, data=grouped)
    first, last = grouped.iloc[0], grouped.iloc[-1]
    told = _(
        "From temperature {low:.1f} to {high:.1f}, distinct-2 goes {diversity} and the mean log-probability "
        "{quality}."
    )
    st.markdown(
        told.format(
            low=first["temperature"], high=last["temperature"], diversity=_way(grouped, "distinct_2"),
            quality=_way(grouped, "mean_logprob"),
        )
        + (" " + _("The most probable texts are also the most alike.") if _falls(grouped) else "")
    )  # fmt: skip


def _way(grouped: pd.DataFrame, column: str) -> str:
    """From where to where a value goes over the temperatures, and its turn where it goes beyond both."""
    values = grouped[column].tolist()
    place = turning_point(values, 2)
    if place is None:
        return _("from {first:.2f} to {last:.2f}").format(first=values[0], last=values[-1])
    told = _("from {first:.2f} over {turn:.2f} (at {temperature:.1f}) to {last:.2f}")
    at = grouped["temperature"].iloc[place]
    return told.format(first=values[0], turn=values[place], temperature=at, last=values[-1])


def _falls(grouped: pd.DataFrame) -> bool:
    """True if the most probable texts are the least diverse ones."""
    return grouped["mean_logprob"].idxmax() == grouped["distinct_2"].idxmin()


def table(texts: pd.DataFrame, columns: Sequence[str]) -> None:
    """Draw the texts.

    Args:
        texts: From `frames.continuations`.
        columns: Columns to show, in this order.
    """
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    st.dataframe(
        texts.assign(repeated_4=100 * texts["repeated_4"]),
        hide_index=True,
        height=310,
        column_order=columns,
        column_config={
            "prompt": text(_("Prompt"), width="medium"),
            "temperature": number(_("Temperature"), format="%.1f", width="small"),
            "seed": number(_("Seed"), width="small"),
            "text": text(_("Text"), width="large"),
            "n_tokens": number(_("Tokens"), width="small"),
            "perplexity": number(_("Perplexity"), format="%.1f", width="small"),
            "repeated_4": number(_("Repeated 4-grams"), format="%.0f %%"),
        },
    )
