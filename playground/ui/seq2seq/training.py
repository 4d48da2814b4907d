"""Train it yourself: two networks on the same data, side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from playground.core.pairs.sets import OWN, PAIR_SETS
from playground.engine.contract.pairs import NetworkConfig, PairSettings, pairs_request
from playground.engine.contract.training import ENDED
from playground.errors import PlaygroundError, TooManyRuns
from playground.ui import compute, networks, state
from playground.ui.choose import choose_from_list
from playground.ui.number import number_field, slider
from playground.ui.seq2seq import live, own
from playground.ui.seq2seq.choosing import Choice
from playground.ui.state import PageContext
from playground.ui.text import _, sentence

RATES = (1e-4, 3e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2, 3e-2, 0.1, 1.0, 10.0, 100.0)
STEPS = (50, 100, 200, 300, 400, 600, 800, 1_000, 1_500, 2_000, 3_000)
SIZES = (32, 64, 128, 256)  # of a state
SHORT = 20  # longest source in training where the data is made of letters: longer ones are asked later
VARIANTS = {
    "gru-none": NetworkConfig("gru", "none"),
    "gru-additive": NetworkConfig("gru", "additive"),
    "gru-dot": NetworkConfig("gru", "dot"),
    "rnn-none": NetworkConfig("rnn", "none"),
    "rnn-additive": NetworkConfig("rnn", "additive"),
    "rnn-dot": NetworkConfig("rnn", "dot"),
    "lstm-none": NetworkConfig("lstm", "none"),
    "lstm-additive": NetworkConfig("lstm", "additive"),
    "lstm-dot": NetworkConfig("lstm", "dot"),
    "transformer": NetworkConfig("transformer", "dot"),
}
ERROR = "seq_error"


@dataclass(frozen=True)
class Wanted:
    """The two runs that the controls ask for.

    Attributes:
        first, second: Their settings.
    """

    first: PairSettings
    second: PairSettings


def panel(context: PageContext, choice: Choice) -> None:
    """Draw the settings, the button, and the runs."""
    st.markdown(f"## {_('Train it yourself: two networks on the same data')}")
    if choice.data == OWN and not own.every_pair():
        st.info(_("Upload your pairs above, then train on them here."), icon=":material/upload_file:")
    else:
        wanted = _controls(choice.data)
        st.button(
            _("Start training"), type="primary", key="seq_start", icon=":material/play_arrow:",
            on_click=_start, args=(context, wanted),
        )  # fmt: skip
    if (error := st.session_state.get(ERROR)) is not None:
        st.error(sentence(error))
    live.panel(context)


def _controls(data: str) -> Wanted:
    names = {variant: networks.config_name(config) for variant, config in VARIANTS.items()}
    others = {"gru-additive": names["gru-additive"]} | names
    first_at, second_at, steps_at, rate_at = st.columns(4)
    with first_at:
        first = choose_from_list("seq_a", names, _("First network"))
    with second_at:
        second = choose_from_list("seq_b", others, _("Second network"))
    most = state.settings().max_pair_steps
    with steps_at:
        n_steps = slider(
            _("Steps"), tuple(n for n in STEPS if n <= most), 400, key="seq_steps",
            help=_("In one step a batch of pairs is read, and all numbers of the network move once."),
        )  # fmt: skip
    with rate_at:
        rate = slider(
            _("Learning rate"), RATES, 2e-3, key="seq_rate",
            help=_("How far they move. Far too much, and the loss goes up."),
        )  # fmt: skip
    with st.popover(_("More settings"), icon=":material/tune:", width="content"):
        settings = _more(data)
    settings = replace(settings, data=data, n_steps=int(n_steps), learning_rate=float(rate))
    return Wanted(_with(settings, first), _with(settings, second))


def _with(settings: PairSettings, variant: str) -> PairSettings:
    network = replace(VARIANTS[variant], d_hidden=settings.network.d_hidden)
    return replace(settings, network=network, name=variant)


def _more(data: str) -> PairSettings:
    limit = state.settings()
    hidden = [size for size in SIZES if size <= limit.max_hidden]
    left, right = st.columns(2)
    with left:
        d_hidden = slider(_("Length of a state"), hidden, 128, key="seq_hidden")
        forcing = slider(
            _("Teacher forcing (percent)"), range(0, 101, 5), 100, key="seq_forcing",
            help=_("Share of the decoder's inputs that are the right character; the rest is its own output."),
        )  # fmt: skip
    with right:
        longest = _longest(data)
        batch = number_field(_("Pairs per step"), 1, limit.max_pair_batch, 32, key="seq_batch")
        seed = number_field(_("Seed"), 0, 9_999, 0, key="seq_seed")
    return PairSettings(
        batch_size=int(batch), seed=int(seed), max_length=longest, teacher_forcing=int(forcing) / 100,
        network=NetworkConfig(d_hidden=int(d_hidden)),
    )  # fmt: skip


def _longest(data: str) -> int:
    """The longest source in training; each data has a field of its own, with its own limits."""
    if data == OWN:
        return max(len(one.source) for one in own.every_pair())
    lengths = PAIR_SETS[data].lengths
    default = min(lengths[-1], SHORT) if data in ("reverse", "copy") else lengths[-1]
    return int(
        number_field(
            _("Longest source (characters)"), lengths[0], lengths[-1], default, key=f"seq_longest_{data}",
            help=_("Longer ones are never trained on, and are asked afterwards."),
        )
    )  # fmt: skip


def _check_room(context: PageContext) -> None:
    """Refuse two runs where there is room for one: its end would push out an older run of the session."""
    alive = [one for one in compute.training().runs.of(context.owner) if one.status not in ENDED]
    limit = state.settings().max_trainings_per_session
    if len(alive) + 2 > limit:
        raise TooManyRuns(limit=limit)


def _start(context: PageContext, wanted: Wanted) -> None:
    """Queue both runs, or none of them; a callback."""
    st.session_state[ERROR] = None
    runs = compute.training().runs
    started: list[str] = []
    try:
        _check_room(context)
        for settings in (wanted.first, wanted.second):
            pairs = own.every_pair() if settings.data == OWN else ()
            request = pairs_request(settings, context.owner, own=pairs)
            runs.start(request)
            started.append(request.request_id)
    except PlaygroundError as error:
        st.session_state[ERROR] = error
        for run_id in started:
            runs.cancel(run_id)
        return
    live.show_these(tuple(started))
