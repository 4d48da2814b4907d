"""Heads switched off: what the model answers without them, and which of them it needs most on this text."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from playground.charts import heads as charts
from playground.core import frames_ablation as frames
from playground.core.edits import Ablation, Edit
from playground.core.heads import kl_bits
from playground.core.pieces import piece
from playground.core.trace import Trace
from playground.ui import compute, show
from playground.ui.attention import Head, View, shown_code
from playground.ui.choose import choose
from playground.ui.progress import Progress
from playground.ui.text import _, strong
from playground.ui.url import put


@dataclass(eq=False)
class _Ranking:
    """What one session has ranked so far.

    Attributes:
        key: Model, text and kind of ablation; others begin anew.
        running: The reader asked for it and has not stopped it.
        kl: Head -> bits.
        next_ids: Head -> the likeliest next token without it.
        n_heads: How many there will be.
    """

    key: tuple[object, ...]
    running: bool = False
    kl: dict[Head, float] = field(default_factory=dict)
    next_ids: dict[Head, int] = field(default_factory=dict)
    n_heads: int = 0


def panel(view: View) -> None:
    """Before and after, then the ranking, for a model that predicts a next token."""
    if view.context.model.kind != "decoder":
        st.info(_("This model predicts no next token. Pick a decoder to see what it answers without a head."))
        return
    names = {"zero": _("by zeros"), "mean": _("by its mean over this text")}
    replaced, off_at = st.columns([3, 5], vertical_alignment="center")
    with replaced:
        st.caption(_("A head that is off is replaced"))
        ablation = cast("Ablation", choose("att_ablation", names, _("Replaced by")))
    before = compute.trace(view.context, logits="last", topic="ablation_before")
    with off_at:
        _say_off(view)
    after = _without(view, ablation)
    _before_after(view, before, after, ablation)
    _rank(view, before, ablation)


def best_token_changed(view: View) -> bool:
    """Whether the model's first choice is another one without the heads that are off."""
    if view.context.model.kind != "decoder" or not view.off:
        return False
    chosen = st.session_state.get("att_ablation", "")
    after = _without(view, "mean" if chosen == "mean" else "zero")
    before = compute.trace(view.context, logits="last", topic="ablation_before")
    return bool(_logits(before).argmax() != _logits(after).argmax())


def _without(view: View, ablation: Ablation) -> Trace:
    edit = Edit(tuple(sorted(view.off)), ablation)
    return compute.trace(view.context, logits="last", edit=edit, topic="ablation")


def _say_off(view: View) -> None:
    if not view.off:
        st.markdown(_("No head is off. Switch some off in the grid above, or the chosen one here:"))
        name = f"{view.layer}.{view.head}"
        st.button(
            _("Switch off head {name}").format(name=name), key="att_off_this", icon=":material/block:",
            on_click=put, args=("att_off", name),
        )  # fmt: skip
        return
    names = ", ".join(f"{layer}.{head}" for layer, head in sorted(view.off)[:12])
    more = "" if len(view.off) <= 12 else ", …"
    st.markdown(_("Off: {names}").format(names=names + more))
    st.button(
        _("All heads on again"), key="att_all_on", icon=":material/undo:", on_click=put, args=("att_off", "")
    )


def _before_after(view: View, before: Trace, after: Trace, ablation: Ablation) -> None:
    first, second = _probs(before), _probs(after)
    bits = float(kl_bits(_logits(before), _logits(after)))
    shown = frames.shown_tokens(first, second)
    labels = _labels(view, shown)
    table = frames.ablated(first, second, labels)
    words = {
        "token": _("Token"), "probability": _("Probability"), "before": _("all heads"),
        "after": _("without those that are off"),
    }  # fmt: skip
    alt = _("The likeliest next tokens with all heads and without those that are off")
    show.show_chart(charts.before_after(words), "att_ablated", alt, data=table)
    told = _(
        "The next token changes by {bits:.3f} bits (KL divergence): "
        "{token} goes from {before:.1%} to {after:.1%}."
    )
    best = int(first.argmax())
    st.markdown(told.format(bits=bits, token=strong(labels[best]), before=first[best], after=second[best]))
    show.provenance(after)
    code = shown_code("ablation", view, off=[list(head) for head in sorted(view.off)], ablation=ablation)
    show.under_picture("ablation", frame=table, code=code, picture="att_ablated")


# ---------------------------------------------------------------- ranking


def _rank(view: View, before: Trace, ablation: Ablation) -> None:
    model = view.context.model
    st.markdown(f"#### {_('Which heads does the model need for its next token?')}")
    key = (model.model_id, model.revision, view.trace.input_ids.tobytes(), ablation)
    ranking: _Ranking = st.session_state.get("att_ranking") or _Ranking(key)
    if ranking.key != key:
        ranking = _Ranking(key)
    st.session_state["att_ranking"] = ranking
    n = model.n_layer * model.n_head
    if ranking.running:
        _go_on(view, before, ablation, ranking)
    elif len(ranking.kl) < n:
        words = _("Go on") if ranking.kl else _("Switch off each of the {n} heads, one at a time")
        st.button(
            words.format(n=n), key="att_rank", type="primary", icon=":material/play_arrow:",
            on_click=_set_running, args=(ranking, True),
        )  # fmt: skip
    if ranking.kl:
        _draw_ranking(view, ranking, ablation)


def is_ranking() -> bool:
    """Whether this run of the page is going to switch off head after head."""
    ranking: _Ranking | None = st.session_state.get("att_ranking")
    return st.session_state.get("att_panel") == "off" and ranking is not None and ranking.running


def _set_running(ranking: _Ranking, running: bool) -> None:
    ranking.running = running


def _go_on(view: View, before: Trace, ablation: Ablation, ranking: _Ranking) -> None:
    """Run until all are done; Stop ends this run, what was ranked so far stays."""
    bar_at, stop_at = st.columns([5, 1], vertical_alignment="center")
    with stop_at:
        st.button(
            _("Stop"),
            key="att_rank_stop",
            icon=":material/stop:",
            on_click=_set_running,
            args=(ranking, False),
        )
    model = view.context.model
    n_heads, told = model.n_layer * model.n_head, _("Heads are switched off one at a time")
    with bar_at:
        bar = Progress("heads off", model.model_id, n_heads, told, done=len(ranking.kl))
    clean = _logits(before)
    with closing(compute.ablations(view.context, ablation)) as parts:
        for part in parts:
            bits = kl_bits(clean, part.logits)
            ranking.kl.update(zip(part.heads, bits.tolist(), strict=True))
            ranking.next_ids.update(zip(part.heads, part.logits.argmax(-1).tolist(), strict=True))
            ranking.n_heads = part.n_heads
            told = _("{done} of {total} heads").format(done=len(ranking.kl), total=part.n_heads)
            bar.draw(len(ranking.kl), told)
    ranking.running = False
    st.rerun()


def _draw_ranking(view: View, ranking: _Ranking, ablation: Ablation) -> None:
    table = _ranking_table(view, ranking)
    words = {
        "layer": _("Layer"), "head": _("Head"), "bits": _("bits lost without it"),
        "token": _("next token without it"), "link": _("strongest link from the last token"),
    }  # fmt: skip
    done, total = len(ranking.kl), ranking.n_heads
    if done < total:
        st.info(_("Stopped: {done} of {total} heads were switched off.").format(done=done, total=total))
    alt = _("How much the next token changes without each head")
    show.show_chart(charts.effect_grid(words), "att_effects", alt, data=table)
    top = table.iloc[0]
    told = _(
        "Most is lost without head **{name}**: {bits:.3f} bits. The median head costs {median:.4f} bits."
    )
    st.markdown(told.format(name=top["name"], bits=top["kl_bits"], median=table["kl_bits"].median()))
    code = shown_code("ablation_ranking", view, ablation=ablation)
    show.under_picture("ablation_ranking", frame=table, code=code, picture="att_effects")
    st.markdown(f"#### {_('Is a strong weight an important head?')}")
    show.show_chart(
        charts.weight_against_effect(words), "att_importance", _("Weight against effect"), data=table
    )
    st.markdown(_importance(table))
    show.under_picture("weight_and_effect", frame=table, code=code, picture="att_importance")


def _ranking_table(view: View, ranking: _Ranking) -> pd.DataFrame:
    labels = _labels(view, sorted(set(ranking.next_ids.values())))
    links = view.weights[:, :, -1, 1:-1].max(axis=-1, initial=0.0)
    answers = {head: labels[token] for head, token in ranking.next_ids.items()}
    return frames.ranking(ranking.kl, links, answers)


def _importance(table: pd.DataFrame) -> str:
    strongest = table.iloc[int(table["strongest_link"].argmax())]
    needed = table.iloc[0]
    return _(
        "Rank correlation {rho:.2f}: weight is not importance. Head {strong} has the strongest link "
        "({link:.0%}) and costs {cost:.3f} bits; the head the answer needs most, {needed}, costs {most:.3f} "
        "bits with a strongest link of {weak:.0%}."
    ).format(
        rho=table.attrs["rank_correlation"], strong=strongest["name"], link=strongest["strongest_link"],
        cost=strongest["kl_bits"], needed=needed["name"], most=needed["kl_bits"],
        weak=needed["strongest_link"],
    )  # fmt: skip


def _labels(view: View, token_ids: list[int]) -> dict[int, str]:
    texts = compute.token_texts(view.context, np.array(token_ids, dtype=np.int64))
    return {token: piece(text).label for token, text in zip(token_ids, texts, strict=True)}


def _logits(trace: Trace) -> NDArray[np.float32]:
    assert trace.logits is not None
    last: NDArray[np.float32] = trace.logits[-1]
    return last


def _probs(trace: Trace) -> NDArray[np.float64]:
    logits = _logits(trace).astype(np.float64)
    e = np.exp(logits - logits.max())
    probs: NDArray[np.float64] = e / e.sum()
    return probs
