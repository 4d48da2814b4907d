"""Before and after: what the base writes and what the adapter makes of it, at any strength."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from playground.charts import finetuning as charts
from playground.core.sampling import GREEDY
from playground.core.tables import finetuning as frames
from playground.core.tables import training as frames_training
from playground.core.trace import Trace
from playground.engine.contract.adapters import VIRTUAL, AdapterInfo
from playground.engine.contract.models import AdapterName
from playground.engine.contract.traces import Capture
from playground.ui import compute, show, stepwise
from playground.ui.finetuning.picking import pick
from playground.ui.labels import token_labels
from playground.ui.number import slider
from playground.ui.panels import Later
from playground.ui.prompted import context_of, prompt_ids
from playground.ui.state import PageContext
from playground.ui.text import _, plain, strong
from playground.ui.url import setting

STRENGTHS = (0, 25, 50, 75, 100, 125, 150)
N_LINES = 5
MAX_TOKENS = 40
KEY = "fin_written"


@dataclass
class ComparedTexts:
    """The last texts of base and adapter.

    Attributes:
        asked: Prompt, adapter and strength.
        texts: "before" and "after" -> text.
    """

    asked: tuple[str, str]
    texts: dict[str, str] = field(default_factory=dict)


def panel(context: PageContext) -> Later | None:
    """Draw the prompt, the strength, the next token at every strength, and both texts.

    Returns:
        What writes, to be called once the page is drawn; None when nothing is asked.
    """
    st.markdown(f"## {_('What does it write now, and how strong should it be?')}")
    adapter = pick(context, "fin_compare")
    if adapter is None:
        return None
    strengths = (0, 100) if adapter.method in VIRTUAL else STRENGTHS
    prompt, strength = _controls(strengths)
    if not prompt.strip():
        st.info(_("Type a prompt."))
        return None
    ids = prompt_ids(adapter.base_id, prompt)
    _lines(context, adapter, ids, strength, strengths)
    model_id = AdapterName(
        adapter.base_id, AdapterName.of(adapter.model_id).adapter_id, strength / 100
    ).model_id
    with st.container(horizontal=True, vertical_alignment="center"):
        start = st.button(_("Let both write"), type="primary", key="fin_write", icon=":material/edit:")
        st.button(_("Stop"), key="fin_write_stop", icon=":material/stop:", disabled=not start)
    asked = (prompt, model_id)
    before, after = st.columns(2)
    places = {}
    for name, column in (("before", before), ("after", after)):
        title = _("Before: {name}") if name == "before" else _("After: adapter at {percent} %")
        told = title.format(name=context_of(context, adapter.base_id).model.name, percent=strength)
        column.markdown(f"**{plain(told)}**")
        places[name] = column.empty()
    known: ComparedTexts | None = st.session_state.get(KEY)
    if start:
        return partial(_write, context, adapter.base_id, model_id, ids, ComparedTexts(asked), places)
    if known is not None and known.asked == asked:
        for name, text in known.texts.items():
            places[name].text(text)
        _under(context, adapter, known, ids, model_id)
    return None


def _controls(strengths: tuple[int, ...]) -> tuple[str, int]:
    left, right = st.columns((3, 2))
    first = _("What is the capital of France?")
    prompt = left.text_input(_("Prompt"), first, max_chars=300, **setting("fin_compare_prompt", first))
    with right:
        strength = slider(
            _("Strength of the adapter (percent)"), strengths, 100, key="fin_strength",
            help=_(
                "Its change is multiplied by this: 0 is the model as it was, 100 as trained. Nothing is "
                "retrained."
            ),
        )  # fmt: skip
        if len(strengths) < len(STRENGTHS):
            st.caption(_("Virtual positions are there or not: there is nothing between 0 and 100 %."))
    return prompt, strength


def _lines(
    context: PageContext,
    adapter: AdapterInfo,
    ids: tuple[int, ...],
    strength: int,
    strengths: tuple[int, ...],
) -> None:
    """The most probable first tokens of the answer at every strength."""
    traces = {
        percent: compute.trace(
            context_of(context, f"{adapter.model_id}@{percent}"), ids, Capture(logits="last"),
            topic=f"fin_strength_{percent}",
        )
        for percent in strengths
    }  # fmt: skip
    probs = {percent: _probs(trace) for percent, trace in traces.items()}
    best = sorted(
        {int(one) for p in probs.values() for one in np.argsort(p)[::-1][:3]},
        key=lambda token: -max(float(p[token]) for p in probs.values()),
    )[:N_LINES]
    labels = token_labels(adapter.base_id, np.array(best))
    rows = [
        (percent / 100, label, float(p[token]))
        for percent, p in probs.items()
        for token, label in zip(best, labels, strict=True)
    ]
    words = {
        "strength": _("Strength"), "probability": _("Probability of the first token"),
        "token": _("Token"), "now": f"{strength} %",
    }  # fmt: skip
    table = frames.strengths(rows)
    alt = _("Probability of the first token of the answer against the strength of the adapter")
    show.show_chart(charts.strength_lines(words, strength / 100), "fin_strength_picture", alt, data=table)
    first, now = int(probs[0].argmax()), int(probs[strength].argmax())
    told = _("The base begins with {first} ({p:.0%}), the adapter at {percent} % with {now} ({q:.0%}).")
    names = token_labels(adapter.base_id, np.array([first, now]))
    st.markdown(
        told.format(
            first=strong(names[0]), p=probs[0][first], percent=strength, now=strong(names[1]),
            q=probs[strength][now],
        )
    )  # fmt: skip
    show.provenance(traces[strength])
    show.under_picture(
        "fin_strengths",
        frame=table,
        code=lambda: show.code(
            "strengths", folder=show.model_folder(adapter.base_id),
            adapter=show.adapter_folder(adapter.model_id),
            input_ids=list(ids),
        ),
        picture="fin_strength_picture",
    )  # fmt: skip


def _probs(trace: Trace) -> Any:  # noqa: ANN401  (an array)
    assert trace.logits is not None
    logits = trace.logits[-1].astype(np.float64)
    p = np.exp(logits - logits.max())
    return p / p.sum()


def _write(
    context: PageContext,
    base_id: str,
    model_id: str,
    ids: tuple[int, ...],
    written: ComparedTexts,
    places: dict[str, Any],
) -> None:
    """Both texts, greedily; any click stops within one step, what is written stays."""
    st.session_state[KEY] = written
    for name, model in (("before", base_id), ("after", model_id)):
        settings = {"input_ids": ids, "sampling": GREEDY, "max_new_tokens": MAX_TOKENS, "n_top": 1}
        steps = stepwise.generate(replace(context_of(context, model), text=""), settings)
        with closing(steps):
            for step in steps:
                written.texts[name] = written.texts.get(name, "") + step.text
                places[name].text(written.texts[name])
    st.rerun()


def _under(
    context: PageContext, adapter: AdapterInfo, written: ComparedTexts, ids: tuple[int, ...], model_id: str
) -> None:
    names = {"before": _("base"), "after": adapter.name}
    show.source(context_of(context, model_id).model, _("greedy"))
    show.under_picture(
        "fin_texts",
        frame=lambda: frames_training.model_texts(
            [(names[name], text) for name, text in written.texts.items()]
        ),
        code=lambda: show.code(
            "written", folder=show.model_folder(adapter.base_id), adapter=show.adapter_folder(model_id),
            strength=AdapterName.of(model_id).strength, input_ids=list(ids), max_new_tokens=MAX_TOKENS,
        ),
    )  # fmt: skip
