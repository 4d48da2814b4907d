"""The same network teacher forced and free running, greedy and with a beam search."""

from __future__ import annotations

import numpy as np
import streamlit as st

from playground.charts import seq2seq as charts
from playground.core import seq2seq
from playground.core.pairs.vocabulary import END
from playground.core.tables import seq2seq as frames
from playground.engine.contract.networks import NetworkInfo, Unrolled
from playground.errors import PlaygroundError
from playground.ui import networks, show
from playground.ui.number import slider
from playground.ui.seq2seq import choosing, code
from playground.ui.seq2seq.choosing import Choice
from playground.ui.seq2seq.pictures import Reading
from playground.ui.state import PageContext
from playground.ui.text import _, sentence
from playground.ui.url import setting

TARGET = "seq_target"
MOST_LOOKED_AT = 40  # held-out pairs, for one that is written wrong
MOST_BEAMS = 8


def panel(context: PageContext, choice: Choice, seen: Reading | None) -> None:
    """Draw both ways of running, step by step, and the beams."""
    st.markdown(f"## {_('What if the decoder reads the right answer instead of its own?')}")
    if seen is None:
        st.info(_("Choose a source above that the network can read."))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        target = _target(seen)
        st.button(
            _("One that it gets wrong"), key="seq_wrong", icon=":material/search:", on_click=_find_wrong,
            args=(context, seen.info, choice.data),
        )  # fmt: skip
    if n := st.session_state.pop("seq_all_right", 0):
        st.info(
            _("All of {n} held-out pairs are written exactly: there is no wrong one to show.").format(n=n)
        )
    try:
        forced = networks.unroll(context, seen.info.network_id, seen.source, target=target, topic="forced")
    except PlaygroundError as error:
        st.error(sentence(error))
    else:
        _both(seen, forced, target)
    _beams(context, seen)


def _target(seen: Reading) -> str:
    """Draw the field of the right answer; another source brings another one."""
    default = seen.written if seen.target is None else seen.target
    before = st.session_state.get(f"{TARGET}_of", seen.source)
    if before != seen.source and TARGET in st.session_state:
        st.session_state[TARGET] = default
    st.session_state[f"{TARGET}_of"] = seen.source
    return st.text_input(
        _("Right answer"), default, **setting(TARGET, default), width=300,
        help=_("Teacher forcing: the decoder reads this, whatever it would write itself."),
    )  # fmt: skip


def _find_wrong(context: PageContext, info: NetworkInfo, data: str) -> None:
    """Go to the next held-out pair that the network does not write exactly; a callback."""
    found = choosing.held_out(data)
    first = st.session_state.get("seq_n_wrong", 0)
    for n in range(first, first + min(MOST_LOOKED_AT, len(found))):
        pair = found[n % len(found)]
        try:
            read = networks.unroll(context, info.network_id, pair.source, topic="wrong")
        except PlaygroundError:
            return
        if info.target.text(read.output_ids.tolist()) != pair.target:
            st.session_state["seq_n_wrong"] = n + 1
            st.session_state[choosing.source_key(data)] = pair.source
            return
    st.session_state["seq_all_right"] = min(MOST_LOOKED_AT, len(found))


def _both(seen: Reading, forced: Unrolled, target: str) -> None:
    info, free = seen.info, seen.read
    right = networks.signs(info.target, [*info.target.ids(target), END])
    table = frames.writings(right, _written(info, forced), _written(info, free))
    words = {
        "step": _("Step of the decoder"),
        "right": _("right answer"),
        "forced": _("teacher forced"),
        "free": _("free running"),
        "output": _("writes"),
        "input": _("reads"),
        "prob": _("probability"),
        "mode": _("Mode"),
    }
    alt = _("The right answer, and what the network writes teacher forced and free running, step by step")
    show.show_chart(charts.writings(words), "seq_writing_picture", alt, data=table)
    st.caption(_("Greener: the output is more probable. Orange frame: it is wrong. ■ is the end."))
    st.markdown(_reading(info, free, forced, target))
    show.under_picture(
        "seq_writing", frame=table, code=lambda: code.unrolled(info, seen.source),
        picture="seq_writing_picture",
    )  # fmt: skip


def _written(info: NetworkInfo, read: Unrolled) -> list[tuple[str, str, float]]:
    """Character read, character written and its probability at each step."""
    return list(
        zip(
            networks.signs(info.target, read.input_ids.tolist()),
            networks.signs(info.target, read.output_ids.tolist()),
            read.output_probs.astype(float).tolist(),
            strict=True,
        )
    )


def _reading(info: NetworkInfo, free: Unrolled, forced: Unrolled, target: str) -> str:
    """One sentence: how many characters are right in both ways."""
    right = [*info.target.ids(target), END]
    n_forced, n_free = (
        sum(one == other for one, other in zip(read.output_ids.tolist(), right, strict=False))
        for read in (forced, free)
    )
    told = _(
        "Teacher forced, {forced} of {n} outputs are right (the end is one of them); free running, {free} of "
        "{n}."
    )
    words = told.format(forced=n_forced, free=n_free, n=len(right))
    place = seq2seq.first_difference(free.output_ids.tolist(), right)
    if place is None:
        return f"{words} {_('It makes no mistake, so it reads the same characters both times.')}"
    if n_free < n_forced:
        after = _("After its first mistake, at step {n}, it goes on from what it wrote itself.")
        return f"{words} {after.format(n=place + 1)}"
    return words


def _beams(context: PageContext, seen: Reading) -> None:
    st.markdown(f"## {_('Greedy, or with a beam search?')}")
    n_beams = slider(
        _("Beams"), range(1, MOST_BEAMS + 1), 4, key="seq_beams",
        help=_("Texts that are followed at the same time; 1 is greedy."), width=320,
    )  # fmt: skip
    try:
        found = networks.unroll(
            context, seen.info.network_id, seen.source, n_beams=int(n_beams), topic="beams"
        )
        greedy = networks.unroll(context, seen.info.network_id, seen.source, n_beams=1, topic="beams_1")
    except PlaygroundError as error:
        st.error(sentence(error))
        return
    target = seen.info.target
    beams = [(target.text(one.ids), one.logprob, one.is_whole) for one in found.beams]
    table = frames.hypotheses(beams)
    greedy_text = target.text(greedy.output_ids.tolist())
    if not beams:  # one beam is the greedy text
        beams = [(greedy_text, float(_logprob(greedy)), greedy.is_whole)]
        table = frames.hypotheses(beams)
    st.dataframe(
        table, hide_index=True,
        column_config={
            "rank": st.column_config.NumberColumn(_("Rank"), width="small"),
            "text": st.column_config.TextColumn(_("Text")),
            "logprob": st.column_config.NumberColumn(_("Log-probability (nats)"), format="%.3f"),
            "prob": st.column_config.NumberColumn(_("Probability"), format="%.4f"),
            "is_whole": st.column_config.CheckboxColumn(_("ended"), width="small"),
        },
    )  # fmt: skip
    if beams[0][0] == greedy_text:
        told = _("The best of {n} beams is the greedy text: nothing more probable was found.")
        st.markdown(told.format(n=int(n_beams)))
    else:
        told = _(
            "The best beam has log-probability {best:.3f}, the greedy text {greedy:.3f}: greedy missed it."
        )
        st.markdown(told.format(best=beams[0][1], greedy=_logprob(greedy)))
    show.under_picture("seq_beam", frame=table, code=lambda: code.unrolled(seen.info, seen.source))


def _logprob(read: Unrolled) -> float:
    return float(np.log(np.maximum(read.output_probs.astype(np.float64), 1e-300)).sum())
