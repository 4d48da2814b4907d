"""Minimal pairs: which of two sentences the model finds less surprising; ours, or the reader's own file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from playground.charts import masked as charts
from playground.core.files import pairs as files
from playground.core.files.pairs import PairFile
from playground.core.minimal_pairs import MeasuredPair, MinimalPair, PairCounts, counts
from playground.core.tables import masked as frames
from playground.engine.contract.filling import FillRequest
from playground.ui import compute, file_preview, show, state, stepwise
from playground.ui.choose import choose
from playground.ui.file_preview import ColumnWanted, FileKind
from playground.ui.masked.view import View
from playground.ui.progress import Progress
from playground.ui.state import outlives_reload
from playground.ui.text import _, ngettext, plain, strong
from playground.ui.translations import localized

FILE = "mas_pairs"
outlives_reload(FILE)


@dataclass(eq=False)
class _Run:
    """The pairs that one session has measured with one model.

    Attributes:
        key: Model and pairs; others begin anew.
        running: The reader asked for it and has not stopped it.
        measured: Index of a pair -> its result, None for one with too many tokens.
    """

    key: tuple[object, ...]
    running: bool = False
    measured: dict[int, MeasuredPair | None] = field(default_factory=dict)


def panel(view: View) -> None:
    """Draw the choice of pairs, the upload, the button that measures them, and what was found."""
    st.markdown(f"## {_('Which of two sentences does the model prefer?')}")
    pairs = _chosen()
    if not pairs:
        return
    run = _run(view, pairs)
    if 0 not in run.measured:  # the first one at once: the panel is never empty
        run.measured[0] = _measure(view, pairs[0])
    if run.running:
        _go_on(view, pairs, run)
    elif len(run.measured) < len(pairs):
        left = len(pairs) - len(run.measured)
        told = ngettext("Measure the other pair", "Measure the other {n} pairs", left)
        st.button(
            told.format(n=left), key="mas_measure", type="primary", icon=":material/play_arrow:",
            on_click=_set_running, args=(run, True),
        )  # fmt: skip
    _draw(view, run)


def _chosen() -> Sequence[MinimalPair]:
    own: PairFile | None = st.session_state.get(FILE)
    names = {"ours": _("Our pairs"), "mine": _("My pairs")}
    if choose("mas_pairs_of", names, _("Pairs")) == "ours":
        return ours(state.language())
    most = state.settings().max_minimal_pairs
    label = _("Pairs: .csv or .jsonl (columns `sentence_a`, `sentence_b`, perhaps `group`), up to {n} rows")
    file_preview.field(
        FileKind(
            "mas_pairs_upload",
            label.format(n=most),
            files.SUFFIXES,
            lambda name, data, options: files.read_pairs(
                name, data, options, max_bytes=state.settings().max_upload_bytes, max_rows=most
            ),
            _count,
            _take,
            _("Use these pairs"),
            parts=(
                ColumnWanted(_("Column of groups"), is_optional=True),
                ColumnWanted(_("Column of sentence A")),
                ColumnWanted(_("Column of sentence B")),
            ),
            columns=files.columns,
            max_rows=most,
        )
    )  # fmt: skip
    file_preview.offer_sample("minimal_pairs.csv", key="mas_pairs_sample")
    if own is None:
        st.info(_("Upload a file with your pairs: two sentences per row that differ in little."))
        return ()
    st.success(_count(own))
    file_preview.say_left_out(own, most)
    return own.pairs


def _count(file: PairFile) -> str:
    n = len(file.pairs)
    return ngettext("{n} pair was read.", "{n} pairs were read.", n).format(n=n)


def _take(_name: str, file: PairFile) -> None:
    st.session_state[FILE] = file


def _run(view: View, pairs: Sequence[MinimalPair]) -> _Run:
    key = (view.model_id, view.context.model.revision, tuple(pairs))
    run: _Run | None = st.session_state.get("mas_run")
    if run is None or run.key != key:
        run = _Run(key)
    st.session_state["mas_run"] = run
    return run


def _set_running(run: _Run, running: bool) -> None:
    run.running = running


def _go_on(view: View, pairs: Sequence[MinimalPair], run: _Run) -> None:
    """Measure pair after pair; Stop ends this run, what was measured so far stays."""
    bar_at, stop_at = st.columns([5, 1], vertical_alignment="center")
    with stop_at:
        st.button(_("Stop"), key="mas_stop", icon=":material/stop:", on_click=_set_running, args=(run, False))
    with bar_at:
        words = _("The model reads pair after pair")
        bar = Progress("minimal pairs", view.model_id, len(pairs), words, done=len(run.measured))
    for index, pair in enumerate(pairs):
        if index not in run.measured:
            run.measured[index] = _measure(view, pair)
            words = _("{done} of {total} pairs").format(done=len(run.measured), total=len(pairs))
            bar.draw(len(run.measured), words)
    run.running = False
    st.rerun()


def _measure(view: View, pair: MinimalPair) -> MeasuredPair | None:
    found = [_bits(view, text) for text in (pair.a, pair.b)]
    (bits_a, n_a), (bits_b, n_b) = found
    return MeasuredPair(pair, bits_a, bits_b, n_a, n_b) if n_a and n_b else None


def _bits(view: View, text: str) -> tuple[float, int]:
    """Bits of a sentence, each token masked alone, and their number; 0 tokens where it is too long."""
    tokens = compute.tokenizers().tokenize(view.model_id, text, add_special_tokens=True)
    limit = min(state.settings().max_tokens_all_heads, view.context.model.n_ctx or len(tokens))
    if len(tokens) > limit or all(tokens.special):
        return 0.0, 0
    request = FillRequest(view.model_id, input_ids=tokens.input_ids, n_top=1)
    parts = list(stepwise.fill_each(view.context, request))
    nats = sum(float(part.token_logprobs[:, 0].astype(np.float64).sum()) for part in parts)
    return -nats / float(np.log(2)), sum(len(part.positions) for part in parts)


def _draw(view: View, run: _Run) -> None:
    measured = [one for _index, one in sorted(run.measured.items()) if one is not None]
    too_long = [index + 1 for index, one in sorted(run.measured.items()) if one is None]
    if too_long:
        told = _("Left out, because a sentence has too many tokens or none: pairs {numbers}.")
        st.warning(told.format(numbers=", ".join(map(str, too_long[:20]))))
    if not measured:
        return
    table = frames.pairs(measured)
    alt = _("Bits that the second sentence of each pair costs more than the first")
    show.show_chart(_picture(state.language()), "mas_pairs_picture", alt, data=table)
    groups = list(dict.fromkeys(one.pair.group for one in measured))
    counted = [counts([one for one in measured if one.pair.group == group], group) for group in groups]
    st.markdown(_told(measured, counted))
    columns = {
        "group": _("Group"), "n": _("Pairs"), "n_a": _("A preferred"), "n_b": _("B preferred"),
        "ties": _("Ties"), "mean_bits": _("Mean difference (bits)"), "low": _("95 % interval from"),
        "high": _("to"),
    }  # fmt: skip
    st.dataframe(
        frames.pair_counts(counted).rename(columns=columns).round(2), hide_index=True, key="mas_counts"
    )
    show.source(view.context.model)
    code = show.code(
        "minimal_pairs", **view.read_from,
        pairs=[(one.pair.group, one.pair.a, one.pair.b) for one in measured],
    )  # fmt: skip
    show.under_picture("minimal_pairs", frame=table, code=code, picture="mas_pairs_picture")


def _told(measured: Sequence[MeasuredPair], counted: Sequence[PairCounts]) -> str:
    """The counts in words, group by group; of a single pair its difference."""
    if len(measured) == 1:
        (one,) = measured
        told = _("Of this pair the model prefers {which}, by {bits:.1f} bits. A: {a} B: {b}")
        return told.format(
            which="A" if one.difference > 0 else "B", a=strong(one.pair.a), b=strong(one.pair.b),
            bits=abs(one.difference),
        )  # fmt: skip
    told = _(
        "{group}: A is preferred in {n_a} of {n} pairs (95 % interval of the share {low:.0%} to {high:.0%}), "
        "by {bits:.1f} bits on average."
    )
    lines = [
        told.format(
            group=f"**{plain(one.group or _('All pairs'))}**", n_a=one.n_a, n=one.n, low=one.low,
            high=one.high, bits=one.mean_bits,
        )
        for one in counted
    ]  # fmt: skip
    return "  \n".join(lines)


@lru_cache
def ours(language: str) -> tuple[MinimalPair, ...]:
    """Our own pairs in the reader's language."""
    data = localized(language, "samples", "minimal_pairs.csv").read_bytes()
    return files.read_pairs("minimal_pairs.csv", data).pairs


@lru_cache
def _picture(language: str) -> dict[str, Any]:
    words = {
        "difference": _("bits that B costs more than A"), "group": _("Group"), "a": "A", "b": "B",
        "prefers_a": _("A is preferred"), "prefers_b": _("B is preferred"),
    }  # fmt: skip
    return charts.pair_differences(words)
