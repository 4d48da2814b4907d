"""The network over the reader's own source: unrolled, and its alignment."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from playground.core import seq2seq
from playground.core.tables import seq2seq as frames
from playground.engine.contract.networks import NetworkInfo, Unrolled
from playground.errors import PlaygroundError
from playground.ui import networks, show
from playground.ui.components import unrolled as component
from playground.ui.components.positions import Control
from playground.ui.components.unrolled import Characters
from playground.ui.components.weight_maps import WeightMap, weight_maps
from playground.ui.seq2seq import code
from playground.ui.seq2seq.choosing import Choice
from playground.ui.state import PageContext
from playground.ui.text import _, plain, sentence
from playground.ui.url import put
from playground.ui.url_settings import chosen, remember

PLACE = "seq"
KEPT = 0.8  # rank correlation from which on the order is said to be kept
FORMULAS = {"dot": "s·h", "additive": "v·tanh(W s + U h)", "none": ""}


@dataclass(frozen=True, eq=False)
class Reading:
    """A network over a source.

    Attributes:
        info: The network.
        source: The source.
        read: Its states.
        characters: Its characters as they are shown.
        target: The right answer, None where nobody knows it.
    """

    info: NetworkInfo
    source: str
    read: Unrolled
    characters: Characters
    target: str | None

    @property
    def written(self) -> str:
        """The text that the network writes."""
        return self.info.target.text(self.read.output_ids.tolist())

    @property
    def most_at(self) -> tuple[int, int]:
        """Step (from 1) and source position (from 0) that are shown first.

        The step that goes furthest back in the source, where there is one; else the first.
        """
        if self.read.weights is None:
            return 1, 0
        step = seq2seq.longest_way_back(self.read.weights[:-1])
        return step + 1, int(seq2seq.strongest(self.read.weights)[step])


def reading(context: PageContext, choice: Choice) -> Reading | None:
    """Have the chosen network read the source; None, with a sentence, where it cannot."""
    info = choice.network
    if info is None:
        st.info(
            _("There is no network for this data yet: train one below."), icon=":material/model_training:"
        )
        return None
    try:
        read = networks.unroll(context, info.network_id, choice.source)
    except PlaygroundError as error:
        st.error(sentence(error))
        return None
    return Reading(info, choice.source, read, characters_of(info, read), choice.target)


def characters_of(info: NetworkInfo, read: Unrolled) -> Characters:
    """Characters of an unrolled network as they are shown."""
    return Characters(
        networks.signs(info.source, read.source_ids.tolist()),
        networks.signs(info.target, read.input_ids.tolist()),
        networks.signs(info.target, read.output_ids.tolist()),
        tuple(networks.signs(info.target, row) for row in read.top_ids.tolist()),
    )


def draw(context: PageContext, seen: Reading) -> None:
    """Draw the network unrolled, and its alignment below; both show the same step."""
    step, character = seen.most_at
    controls = [
        component.step_control(seen.characters, step),
        component.character_control(seen.characters, character),
    ]
    shown = (seen.info.network_id, seen.source)
    if st.session_state.get(f"{PLACE}_shown", shown) != shown:
        for control in controls:  # of another source
            put(f"{PLACE}_{control.name}", "")
    st.session_state[f"{PLACE}_shown"] = shown
    settings = chosen(PLACE, controls)
    _unrolled(context, seen, controls[:1], {"step": settings["step"]})
    _alignment(context, seen, controls, settings)


def _unrolled(
    context: PageContext, seen: Reading, controls: list[Control], settings: dict[str, float]
) -> None:
    with st.container(key="seq_unrolled"):
        component.unrolled(
            seen.read, seen.characters, controls, settings, key="seq_unrolled_picture",
            language=context.language, on_release=remember(PLACE, controls),
        )  # fmt: skip
    st.markdown(_told(seen))
    provenance(seen.info)
    show.under_picture(
        "seq_steps",
        frame=lambda: frames.steps(
            seen.characters.inputs, seen.characters.outputs, seen.characters.top, seen.read.top_probs
        ),
        code=lambda: code.unrolled(seen.info, seen.source),
        picture="seq_unrolled",
    )


def provenance(info: NetworkInfo) -> None:
    """The small line that says which network gave a picture's numbers."""
    words = [
        networks.network_name(info),
        _("{n:,} parameters").format(n=info.n_parameters),
        _("trained to step {n:,} on sources up to length {longest}").format(
            n=info.step, longest=info.settings.max_length
        ),
        _("seed {seed}").format(seed=info.settings.seed),
        _("comes with the playground") if info.is_shipped else _("trained in this session"),
    ]
    st.caption(plain(" · ".join(words)))


def _told(seen: Reading) -> str:
    """One sentence on what was written, and whether it is right."""
    written, answer = f"**{plain(seen.written) or '∅'}**", seen.target
    words = _("The network writes {written}.").format(written=written)
    if not seen.read.is_whole:
        words = _("The network writes {written} and does not come to an end.").format(written=written)
    if answer is None:
        return words
    place = seq2seq.first_difference(seen.written, answer)
    if place is None:
        return f"{words} {_('That is right.')}"
    told = _("It should be {answer}: wrong from character {n} on.")
    return f"{words} {told.format(answer=f'**{plain(answer)}**', n=place + 1)}"


def _alignment(
    context: PageContext, seen: Reading, controls: list[Control], settings: dict[str, float]
) -> None:
    st.markdown(f"## {_('Which characters does each step look at?')}")
    weights = seen.read.weights
    if weights is None:
        st.info(
            _(
                "This network has no attention: every step gets the same vector, so there is no alignment. "
                "Choose a network with attention above."
            ),
            icon=":material/visibility_off:",
        )
        return
    with st.container(key="seq_alignment"):
        component.alignment(
            seen.read, seen.characters, controls, settings,
            formula=FORMULAS[seen.info.settings.network.attention], key="seq_alignment_picture",
            language=context.language, on_release=remember(PLACE, controls),
        )  # fmt: skip
    st.markdown(_crossing(seen))
    show.under_picture(
        "seq_alignment",
        frame=lambda: frames.alignment(
            seen.characters.outputs, seen.characters.sources, weights, seen.read.scores,
            seen.read.encoder_states,
        ),
        code=lambda: code.unrolled(seen.info, seen.source),
        picture="seq_alignment",
    )  # fmt: skip
    _three_attentions(seen)


def _crossing(seen: Reading) -> str:
    """One sentence on the order in which the source is looked at."""
    assert seen.read.weights is not None
    r = seq2seq.rank_correlation(seen.read.weights[:-1])  # the end looks anywhere
    told = _("Rank correlation of the steps and the characters they look at most: {r:.2f}.")
    if r >= KEPT:
        order = _("The output keeps the order of the source.")
    elif r <= -KEPT:
        order = _("The output runs against the order of the source.")
    else:
        order = _("The order of the output is not that of the source.")
    return f"{told.format(r=r)} {order}"


def _three_attentions(seen: Reading) -> None:
    """The maps of every head of a Transformer: in the encoder, in the decoder, and from one to the other."""
    if (maps := seen.read.maps) is None:
        return
    st.markdown(f"## {_('The three attentions of a Transformer')}")
    sources, inputs = seen.characters.sources, seen.characters.inputs
    kinds = (
        (_("Encoder: source over source"), maps.encoder, sources, sources),
        (_("Decoder: output over what was written before"), maps.decoder, inputs, inputs),
        (_("Cross-attention: output over source"), maps.cross, inputs, sources),
    )
    weight_maps(
        {
            title: [
                WeightMap(_("head {n}").format(n=f"{layer + 1}.{head + 1}"), "", rows, columns, weights)
                for layer, heads in enumerate(every)
                for head, weights in enumerate(heads)
            ]
            for title, every, rows, columns in kinds
        },
        key="seq_heads",
    )
