"""Every head switched off, one at a time: which ones the model needs, and whether a strong link tells it."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from playground.charts import heads as charts
from playground.core.heads import kl_bits
from playground.core.tables import ablation as frames
from playground.ui import compute, show
from playground.ui.attention.ablation import Measured, token_labels
from playground.ui.attention.view import Head, shown_code
from playground.ui.progress import Progress
from playground.ui.text import N_, _, strong

# what a rank correlation lets one say, from this value on
_RELATIONS = (
    (0.5, N_("heads with a stronger link tend to cost more here")),
    (0.2, N_("heads with a stronger link cost a little more here, with many exceptions")),
    (-0.2, N_("how strong a link is says next to nothing here about what the head costs")),
    (-0.5, N_("heads with a stronger link cost a little less here, with many exceptions")),
    (-1.0, N_("heads with a stronger link tend to cost less here")),
)


@dataclass(eq=False)
class _Ranking:
    """The heads that one session has ranked so far.

    Attributes:
        key: Model, tokens and kind of ablation; others begin anew.
        running: The reader asked for it and has not stopped it.
        kl: Head -> bits.
        next_ids: Head -> the likeliest next token without it.
        n_heads: Number of heads there will be.
    """

    key: tuple[object, ...]
    running: bool = False
    kl: dict[Head, float] = field(default_factory=dict)
    next_ids: dict[Head, int] = field(default_factory=dict)
    n_heads: int = 0


def rank(measured: Measured) -> None:
    """The button that switches off head after head, and what it found so far."""
    model = measured.view.context.model
    asked = _("Which heads does the model need for the token after {last}?")
    st.markdown(f"## {asked.format(last=strong(measured.token))}")
    key = (model.model_id, model.revision, measured.view.upto_query, measured.ablation)
    ranking: _Ranking = st.session_state.get("att_ranking") or _Ranking(key)
    if ranking.key != key:
        ranking = _Ranking(key)
    st.session_state["att_ranking"] = ranking
    n = model.n_layer * model.n_head
    if ranking.running:
        _go_on(measured, ranking)
    elif len(ranking.kl) < n:
        words = _("Go on") if ranking.kl else _("Switch off each of the {n} heads, one at a time")
        st.button(
            words.format(n=n), key="att_rank", type="primary", icon=":material/play_arrow:",
            on_click=_set_running, args=(ranking, True),
        )  # fmt: skip
    if ranking.kl:
        _draw(measured, ranking)


def is_ranking() -> bool:
    """True if this run of the page is going to switch off head after head."""
    ranking: _Ranking | None = st.session_state.get("att_ranking")
    return st.session_state.get("att_panel") == "off" and ranking is not None and ranking.running


def _set_running(ranking: _Ranking, running: bool) -> None:
    ranking.running = running


def _go_on(measured: Measured, ranking: _Ranking) -> None:
    """Run until all are done; Stop ends this run, what was ranked so far stays."""
    bar_at, stop_at = st.columns([5, 1], vertical_alignment="center")
    with stop_at:
        st.button(
            _("Stop"), key="att_rank_stop", icon=":material/stop:", on_click=_set_running,
            args=(ranking, False),
        )  # fmt: skip
    view, model = measured.view, measured.view.context.model
    told = _("Heads are switched off one at a time")
    with bar_at:
        bar = Progress("heads off", model.model_id, model.n_layer * model.n_head, told, done=len(ranking.kl))
    with closing(compute.ablations(view.context, measured.ablation, view.upto_query)) as parts:
        for part in parts:
            bits = kl_bits(measured.logits, part.logits)
            # A run that Stop begins reads these while this one still adds: replaced, and the bits last.
            ranking.n_heads = part.n_heads
            ids = part.logits.argmax(-1).tolist()
            ranking.next_ids = ranking.next_ids | dict(zip(part.heads, ids, strict=True))
            ranking.kl = ranking.kl | dict(zip(part.heads, bits.tolist(), strict=True))
            told = _("{done} of {total} heads").format(done=len(ranking.kl), total=part.n_heads)
            bar.draw(len(ranking.kl), told)
    ranking.running = False
    st.rerun()


def _draw(measured: Measured, ranking: _Ranking) -> None:
    table = _table(measured, ranking)
    words = {
        "layer": _("Layer"), "head": _("Head"), "bits": _("bits lost without it"),
        "token": _("next token without it"),
        "link": _("strongest link from {last}").format(last=measured.token),
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
    view = measured.view
    code = shown_code(
        "ablation_ranking", view, input_ids=list(view.upto_query), ablation=measured.ablation,
        **show.places(view.context.model, "blocks", "attention_output"),
    )  # fmt: skip
    show.under_picture("ablation_ranking", frame=table, code=code, picture="att_effects")
    st.markdown(f"## {_('Is a strong weight an important head?')}")
    show.show_chart(
        charts.weight_against_effect(words), "att_importance", _("Weight against effect"), data=table
    )
    st.markdown(importance(table))
    show.under_picture("weight_and_effect", frame=table, code=code, picture="att_importance")


def _table(measured: Measured, ranking: _Ranking) -> pd.DataFrame:
    view = measured.view
    kl, next_ids = ranking.kl, ranking.next_ids
    labels = token_labels(view, sorted(set(next_ids.values())))
    first = 0 if view.start else 1  # many heads rest on the first token of a text, whatever it is
    links = view.weights[:, :, view.query, first : view.query].max(axis=-1, initial=0.0)
    answers = {head: labels[token] for head, token in next_ids.items()}
    return frames.ranking(kl, links, answers)


def importance(table: pd.DataFrame) -> str:
    """A sentence on whether links predict the effect of heads, from the numbers.

    Args:
        table: From `frames.ranking`.
    """
    rho = frames.rank_correlation(table)
    if math.isnan(rho):  # all costs or all links are equal
        told = [_("All heads cost the same or have the same strongest link: nothing to compare.")]
    else:
        relation = next(words for least, words in _RELATIONS if rho >= least or least == -1.0)
        told = [_("Rank correlation {rho:.2f}: {relation}.").format(rho=rho, relation=_(relation))]
    strongest, needed = int(table["strongest_link"].argmax()), 0
    values = {
        "strong": table["name"][strongest], "link": table["strongest_link"][strongest],
        "cost": table["kl_bits"][strongest], "place": strongest + 1, "n": len(table),
        "needed": table["name"][needed], "most": table["kl_bits"][needed],
        "weak": table["strongest_link"][needed],
    }  # fmt: skip
    same = _(
        "Head {strong} has both the strongest link ({link:.0%}) and the highest cost ({cost:.3f} bits): here "
        "the strongest weight marks the head that is needed most."
    )
    other = _(
        "Head {strong} has the strongest link ({link:.0%}) and costs {cost:.3f} bits, number {place} of {n}; "
        "the head that is needed most, {needed}, costs {most:.3f} bits with a strongest link of {weak:.0%}."
    )
    told.append((same if strongest == needed else other).format(**values))
    return " ".join(told)
