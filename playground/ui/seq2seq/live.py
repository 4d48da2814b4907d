"""Two runs while they train: losses, exact match, and the alignment that grows clear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from playground.charts import seq2seq as charts
from playground.core.pairs.sets import OWN, vocabularies
from playground.core.pairs.vocabulary import END, Vocabulary
from playground.core.tables import seq2seq as frames
from playground.engine.contract.networks import NetworkInfo
from playground.engine.contract.pairs import PairSettings, PairsObservation, drawn
from playground.engine.contract.training import ENDED, TrainingState
from playground.ui import compute, networks, show
from playground.ui.components.weight_maps import WeightMap, weight_maps
from playground.ui.runs import UPDATE_S, buttons, is_still, left_of, status
from playground.ui.seq2seq import choosing, code, own
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import _, plain, sentence

if TYPE_CHECKING:
    import pandas as pd

SHOWN = "seq_runs"  # ids of the runs that are shown
outlives_reload(SHOWN)
MOST_MAPS = 8  # milestones of a run


def show_runs(context: PageContext) -> list[TrainingState]:
    """The runs that are shown: those started together, else the last two."""
    known = [
        one for one in compute.training().runs.of(context.owner) if isinstance(one.settings, PairSettings)
    ]
    picked = [one for one in known if one.run_id in st.session_state.get(SHOWN, ())]
    return picked or known[-2:]


def show_these(run_ids: tuple[str, ...]) -> None:
    """Show these runs from now on."""
    st.session_state[SHOWN] = run_ids


def panel(context: PageContext) -> None:
    """Draw the runs; while one is alive, they are drawn again and again."""
    states = show_runs(context)
    if not states:
        st.caption(
            _(
                "Both networks start from random numbers; loss, exact match and alignment are drawn here "
                "while they train."
            )
        )
        return
    if all(map(is_still, states)):
        _draw(context, states)
    else:
        _moving(context)
    names = run_names(states)
    show.under_picture(
        "seq_live",
        frame=lambda: _losses(show_runs(context)),
        code=lambda: code.training(settings_of(states[-1]), own.every_pair()),
        picture="seq_loss_picture",
    )
    _use(context, states, names)


@st.fragment(run_every=UPDATE_S)
def _moving(context: PageContext) -> None:
    states = show_runs(context)
    if not states or all(map(is_still, states)):
        st.rerun()
    else:
        _draw(context, states)


def run_names(states: Sequence[TrainingState]) -> dict[str, str]:
    """Run id -> its name: the kind of network, with its number where that is not enough."""
    kinds = {one.run_id: networks.config_name(settings_of(one).network) for one in states}
    same = len(set(kinds.values())) < len(kinds)
    return {
        one.run_id: f"{one.number} · {kinds[one.run_id]}" if same else kinds[one.run_id] for one in states
    }


def settings_of(state: TrainingState) -> PairSettings:
    """Settings of a run that trains a network."""
    assert isinstance(state.settings, PairSettings)
    return state.settings


def observed(state: TrainingState) -> list[PairsObservation]:
    """Measurements of a run at its milestones."""
    return [one for one in state.observed if isinstance(one, PairsObservation)]


def _draw(context: PageContext, states: Sequence[TrainingState]) -> None:
    names = run_names(states)
    for place, (column, one) in enumerate(zip(st.columns(len(states)), states, strict=True)):
        with column:
            st.markdown(f"**{plain(names[one.run_id])}**")
            words = " · ".join(filter(None, (status(one), left_of(one))))
            st.progress(min(1.0, one.step / max(1, one.settings.n_steps)), words)
            with st.container(horizontal=True):
                buttons(one, f"seq_{place}")
            if one.error is not None:
                st.error(sentence(one.error))
    n_steps = max(one.settings.n_steps for one in states)
    left, right = st.columns(2)
    with left:
        spec = charts.losses(_words(), tuple(names.values()), n_steps=n_steps)
        alt = _("Training loss and held-out loss of both networks against the steps")
        show.show_chart(spec, "seq_loss_picture", alt, data=_losses(states))
    with right:
        spec = charts.exact_by_step(_words(), tuple(names.values()), n_steps=n_steps)
        alt = _("Exact match of both networks on held-out pairs against the steps")
        show.show_chart(spec, "seq_exact_picture", alt, data=_exact(states))
    st.markdown(_reading(states, names))
    _alignments(states, names)


def _words() -> Mapping[str, str]:
    return {
        "step": _("Training step"),
        "loss": _("Loss (nats per character)"),
        "train": _("training"),
        "held_out": _("held-out"),
        "data": _("Data"),
        "network": _("Network"),
        "share": _("Exact match, held-out"),
        "low": _("95 % interval, lower end"),
        "high": _("95 % interval, upper end"),
        "n": _("Held-out pairs"),
    }


def _losses(states: Sequence[TrainingState]) -> pd.DataFrame:
    names = run_names(states)
    return frames.losses({names[one.run_id]: (one.train, one.held_out) for one in states})


def _exact(states: Sequence[TrainingState]) -> pd.DataFrame:
    names = run_names(states)
    return frames.exact(
        {
            names[run.run_id]: [(one.step, one.n_right, one.n_asked) for one in observed(run)]
            for run in states
        },
        at="step",
    )


def _reading(states: Sequence[TrainingState], names: Mapping[str, str]) -> str:
    """One sentence for each run: its last exact match, and how fast it came there."""
    words = []
    for run in states:
        seen = [one for one in observed(run) if one.n_asked]
        if not seen:
            continue
        last = seen[-1]
        told = _("After step {step} *{name}* writes {share:.0%} of {n} held-out pairs exactly.")
        words.append(
            told.format(
                name=plain(names[run.run_id]),
                share=last.n_right / last.n_asked,
                n=last.n_asked,
                step=last.step,
            )
        )
    return " ".join(words) or _("The first measurement comes in a moment; step 0 is random numbers.")


def _alignments(states: Sequence[TrainingState], names: Mapping[str, str]) -> None:
    """The alignment of the same held-out pair at milestones, of each run that has one."""
    rows = {}
    for run in states:
        labels = _labels(settings_of(run))
        seen = [one for one in observed(run) if one.weights is not None]
        if labels is None or not seen:
            continue
        source, target = labels
        kept = (
            seen
            if len(seen) <= MOST_MAPS
            else [seen[(len(seen) - 1) * i // (MOST_MAPS - 1)] for i in range(MOST_MAPS)]
        )
        rows[names[run.run_id]] = [
            WeightMap(
                _("step {step}").format(step=one.step),
                target[2].text(one.written),
                target[1],
                source,
                one.weights,
            )
            for one in kept
            if one.weights is not None and one.weights.shape == (len(target[1]), len(source))
        ]
    if rows:
        st.markdown(f"### {_('The alignment of one held-out pair grows clear')}")
        weight_maps(rows, key="seq_milestones")


Labels = tuple[tuple[str, ...], tuple[str, tuple[str, ...], Vocabulary]]


def _labels(settings: PairSettings) -> Labels | None:
    """The pair that is shown at milestones: its source; its target, as characters, and their vocabulary."""
    if settings.data == OWN:
        pairs = own.every_pair()
        if not pairs:  # the file was put away
            return None
        shown = own.held_out()[0]
        source = Vocabulary.of(one.source for one in pairs)
        target = Vocabulary.of(one.target for one in pairs)
    else:
        shown = drawn(settings.data, settings.max_length)[1][0]
        source, target = vocabularies(settings.data)
    return (
        networks.signs(source, source.ids(shown.source)),
        (shown.target, networks.signs(target, (*target.ids(shown.target), END)), target),
    )


def _use(context: PageContext, states: Sequence[TrainingState], names: Mapping[str, str]) -> None:
    """Buttons that take a trained network into the pictures, out as a file, and away."""
    mine: dict[str, NetworkInfo] = {one.network_id: one for one in networks.networks().of(context.owner)}
    for one in states:
        info = mine.get(one.adapter)
        if info is None or one.status not in ENDED:
            continue
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(plain(names[one.run_id]), width="content")
            st.button(
                _("Look at it above"), key=f"seq_use_{info.network_id}", icon=":material/arrow_upward:",
                on_click=choosing.use, args=(info.network_id, info.settings.data),
            )  # fmt: skip
            st.download_button(
                _("Download"), partial(networks.networks().exported, info.network_id),
                code.file_name(info), key=f"seq_file_{info.network_id}", on_click="ignore",
                icon=":material/download:",
            )  # fmt: skip
            st.button(
                _("Delete"), key=f"seq_delete_{info.network_id}", icon=":material/delete:",
                on_click=networks.networks().remove, args=(info.network_id, context.owner),
            )  # fmt: skip
