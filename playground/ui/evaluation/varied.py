"""The same text under other windows: how perplexity depends on context and stride."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import streamlit as st

from playground.charts import court as charts
from playground.core.metrics.perplexity import Window, windows
from playground.core.tables import court as frames
from playground.core.tables.court import UnderWindows
from playground.ui import show
from playground.ui.evaluation.reading import Reading
from playground.ui.text import _

POWERS = tuple(2**power for power in range(10))


def picture(found: Reading) -> None:
    """Draw the perplexity under all windows that are known without asking the model again.

    Args:
        found: The text, read in the windows that are shown.
    """
    rows = _rows(found)
    if len(rows) < 2:
        return
    st.markdown(f"## {_('What if the windows were others?')}")
    table = frames.under_windows(rows)
    strides, contexts = sorted({one.stride for one in rows}), sorted({one.context for one in rows})
    alt = _("Perplexity of the text against the context, a line for each stride")
    chart = _chart(found.text.context.language, tuple(strides), tuple(contexts))
    show.show_chart(chart, "ev_windows", alt, data=table)
    best, worst = (pick(rows, key=lambda one: one.perplexity) for pick in (min, max))
    told = _(
        "One model, one text: perplexity {worst:,.1f} with context {worst_context} and stride "
        "{worst_stride}, {best:,.1f} with context {best_context} and stride {best_stride}. A perplexity "
        "without its windows says little."
    )
    st.markdown(
        told.format(
            worst=worst.perplexity, worst_context=worst.context, worst_stride=worst.stride,
            best=best.perplexity, best_context=best.context, best_stride=best.stride,
        )
    )  # fmt: skip
    show.source(found.text.context.model, _("computed from what the model has read already"))
    tokens = found.text.tokens
    code = partial(
        show.code, "court_windows", folder=show.model_folder(found.text.context.model.model_id),
        text=found.text.context.text, n_tokens=len(tokens),
        start_ids=found.text.start_ids,
        settings=[(one.context, one.stride) for one in rows],
    )  # fmt: skip
    show.under_picture("court_windows", frame=table, code=code, picture="ev_windows")


def _rows(found: Reading) -> list[UnderWindows]:
    """Every context under every stride for which all windows have been read far enough."""
    text, now = found.text, (found.plan.context, found.plan.stride)
    n = len(text.tokens)
    most = text.most_context
    contexts = sorted({*(one for one in POWERS if one < most), most})
    rows = []
    for stride in (one for one in POWERS if one <= most):
        for context in (one for one in contexts if one >= stride):
            parts = windows(n, context, stride)
            if not _are_known(found, parts):
                continue
            one = text.cost(found.under(parts))
            rows.append(
                UnderWindows(
                    context, stride, len(parts), one.perplexity, one.bits_per_byte, (context, stride) == now
                )
            )
    in_parts = {one.stride for one in rows if one.n_windows > 1}
    return [one for one in rows if one.stride in in_parts or one.now]


def _are_known(found: Reading, parts: tuple[Window, ...]) -> bool:
    return all(
        one.begin in found.traces and one.end - one.begin <= len(found.plan.ids(one.begin)) for one in parts
    )


@lru_cache
def _chart(language: str, strides: tuple[int, ...], contexts: tuple[int, ...]) -> dict[str, Any]:
    words = {
        "context": _("Context (tokens)"), "stride": _("Stride (tokens)"), "perplexity": _("Perplexity"),
        "n_windows": _("Windows"), "now": _("now"),
    }  # fmt: skip
    return charts.by_context(words, strides=list(strides), contexts=list(contexts))
