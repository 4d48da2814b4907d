"""Heads switched off: the model's answer without them, after a token that the reader chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.charts import heads as charts
from playground.core.heads import head_name, kl_bits
from playground.core.interventions import Ablation, Intervention
from playground.core.pieces import open_bytes, piece
from playground.core.tables import ablation as frames
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.ui import compute, show
from playground.ui.attention.view import View, shown_code
from playground.ui.choose import choose, default_index, list_key
from playground.ui.components.token_chips import remember_token
from playground.ui.text import _, strong
from playground.ui.url import put


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The baseline of an ablation: the next token after the selected one, with all heads.

    Attributes:
        view: The view of the page.
        ablation: Replacement of a head's output.
        before: The text up to the selected token, all heads on.
    """

    view: View
    ablation: Ablation
    before: Trace

    @property
    def token(self) -> str:
        """Label of the selected token."""
        return self.view.labels[self.view.query]

    @property
    def logits(self) -> NDArray[np.float32]:
        """Logits of the token after it. Shape [d_vocab]."""
        return last_logits(self.before)


def measure(view: View) -> Measured:
    """Read the text up to the selected token with all heads; the reader chooses the replacement of a head."""
    chosen = st.session_state.get("att_ablation", "")
    before = compute.trace(view.context, view.upto_query, Capture(logits="last"), topic="ablation_before")
    return Measured(view, "mean" if chosen == "mean" else "zero", before)


def panel(view: View) -> Measured | None:
    """Before and after, for a model that predicts a next token."""
    if view.context.model.kind != "decoder":
        st.info(_("This model predicts no next token. Pick a decoder to see what it answers without a head."))
        return None
    after_at, replaced, off_at = st.columns([3, 5, 4], vertical_alignment="bottom")
    with after_at:
        _choose_token(view)
    with replaced:
        names = {"zero": _("by zeros"), "mean": _("by its mean over the text so far")}
        st.caption(_("A head that is off is replaced"))
        ablation = cast("Ablation", choose("att_ablation", names, _("Replaced by")))
    measured = Measured(view, ablation, measure(view).before)
    with off_at:
        _say_off(view)
    _before_after(measured, _without(measured))
    return measured


def best_token_changed(view: View) -> bool:
    """True if the model's first choice after the selected token is another one with the heads off."""
    if view.context.model.kind != "decoder" or not view.off:
        return False
    measured = measure(view)
    return bool(measured.logits.argmax() != last_logits(_without(measured)).argmax())


def _without(measured: Measured) -> Trace:
    view = measured.view
    edit = Intervention(tuple(sorted(view.off)), measured.ablation)
    return compute.trace(
        view.context, view.upto_query, Capture(logits="last"), intervention=edit, topic="ablation"
    )


def _choose_token(view: View) -> None:
    """After which token the next one is predicted: that selected on the page; another is selected there."""
    names = {place: f"{place}: {label}" for place, label in enumerate(view.labels, view.start)}
    drawn = list_key("att_after", names)
    st.selectbox(
        _("Next token after"),
        tuple(names),
        default_index(drawn, names, view.start + view.query),
        key=drawn,
        format_func=names.__getitem__,
        on_change=_select,
        args=(drawn, tuple(names)),
    )


def _select(drawn: str, options: tuple[int, ...]) -> None:
    if st.session_state[drawn] in options:
        remember_token(st.session_state[drawn])


def _say_off(view: View) -> None:
    if not view.off:
        st.markdown(_("No head is off. Switch some off in the grid above, or the chosen one here:"))
        st.button(
            _("Switch off head {name}").format(name=view.name), key="att_off_this", icon=":material/block:",
            on_click=put, args=("att_off", f"{view.layer}.{view.head}"),
        )  # fmt: skip
        return
    names = ", ".join(head_name(*head) for head in sorted(view.off)[:12])
    more = "" if len(view.off) <= 12 else ", …"
    st.markdown(_("Off: {names}").format(names=names + more))
    st.button(
        _("All heads on again"), key="att_all_on", icon=":material/undo:", on_click=put, args=("att_off", "")
    )


def _before_after(measured: Measured, after: Trace) -> None:
    view = measured.view
    first, second = _probs(measured.logits), _probs(last_logits(after))
    shown = frames.shown_tokens(first, second)
    labels = token_labels(view, shown)
    table = frames.ablated(first, second, labels)
    words = {
        "token": _("Token"), "probability": _("Probability"), "before": _("all heads"),
        "after": _("without those that are off"),
    }  # fmt: skip
    alt = _("The likeliest next tokens with all heads and without those that are off")
    show.show_chart(charts.before_after(words), "att_ablated", alt, data=table)
    bits = float(kl_bits(measured.logits, last_logits(after)))
    best, now = int(first.argmax()), int(second.argmax())
    told = _(
        "After {last}, the next token changes by {bits:.3f} bits (KL divergence): "
        "{token} goes from {before:.1%} to {after:.1%}."
    ).format(
        last=strong(measured.token), bits=bits, token=strong(labels[best]), before=first[best],
        after=second[best],
    )  # fmt: skip
    if view.off:
        told += " " + (
            _("It stays the most probable one.")
            if now == best
            else _("The most probable one is {token} now.").format(token=strong(labels[now]))
        )
    st.markdown(told)
    show.provenance(after)
    off = [list(head) for head in sorted(view.off)]
    code = shown_code(
        "ablation", view, input_ids=list(view.upto_query), off=off, ablation=measured.ablation,
        **show.places(view.context.model, "blocks", "attention_output"),
    )  # fmt: skip
    show.under_picture("ablation", frame=table, code=code, picture="att_ablated")


def token_labels(view: View, token_ids: list[int]) -> dict[int, str]:
    """Token id -> how it is shown."""
    texts = compute.token_texts(view.context, np.array(token_ids, dtype=np.int64))
    begun = open_bytes(b"".join(view.tokens.token_bytes[: len(view.upto_query)]))
    return {token: piece(text, begun).label for token, text in zip(token_ids, texts, strict=True)}


def last_logits(trace: Trace) -> NDArray[np.float32]:
    """Logits of the last position. Shape [d_vocab]."""
    assert trace.logits is not None
    last: NDArray[np.float32] = trace.logits[-1]
    return last


def _probs(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    scores = logits.astype(np.float64)
    e = np.exp(scores - scores.max())
    probs: NDArray[np.float64] = e / e.sum()
    return probs
