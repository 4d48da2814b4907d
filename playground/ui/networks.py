"""Networks that learn pairs: the door to them, their names, and characters as they are shown."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence

from playground.core.pairs.vocabulary import END, PAD, START, Vocabulary
from playground.engine.contract.networks import (
    CostRequest,
    ExactRequest,
    GradientRequest,
    InputGradients,
    LengthCount,
    NetworkInfo,
    Networks,
    StepCost,
    Unrolled,
    UnrollRequest,
)
from playground.engine.contract.pairs import NetworkConfig
from playground.ui.compute import engine
from playground.ui.state import PageContext
from playground.ui.stepwise import until_click
from playground.ui.text import N_, _
from playground.ui.waiting import WaitingLine

SIGNS = {PAD: "∅", START: "▷", END: "■"}
_KINDS = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM", "transformer": "Transformer"}
_ATTENTIONS = {
    "none": N_("no attention"),
    "dot": N_("dot attention"),
    "additive": N_("additive attention"),
}


def networks() -> Networks:
    """The part of the engine that knows trained networks."""
    return engine().networks


def known(context: PageContext) -> list[NetworkInfo]:
    """The networks that come with the playground, then those of this session."""
    part = networks()
    return [*part.shipped(), *part.of(context.owner)]


def config_name(config: NetworkConfig) -> str:
    """A kind of network in the reader's language: GRU, additive attention."""
    if config.kind == "transformer":
        return _("Transformer")
    return f"{_KINDS[config.kind]}, {_(_ATTENTIONS[config.attention])}"


def network_name(info: NetworkInfo) -> str:
    """A network in lists and legends."""
    name = config_name(info.settings.network)
    if info.is_shipped:
        return name
    return _("my run {n}: {name}, step {step}").format(n=info.run, name=name, step=info.step)


def signs(vocabulary: Vocabulary, ids: Iterable[int]) -> tuple[str, ...]:
    """Characters of ids one by one as they are shown: marks and spaces as signs."""
    shown = []
    for one in ids:
        character = SIGNS.get(one) or vocabulary.text([one])
        shown.append("␣" if character == " " else character)
    return tuple(shown)


def unroll(
    context: PageContext, network: str, source: str, *, target: str | None = None, n_beams: int = 1,
    topic: str = "unroll",
) -> Unrolled:  # fmt: skip
    """All states over a source; waits with a progress line.

    Args:
        context: From `frame.page`.
        network: Id of the network.
        source, target, n_beams: As in `UnrollRequest`.
        topic: A newer request of the same topic in this session replaces this one.

    Raises:
        PlaygroundError: As the engine raises it.
    """
    request = UnrollRequest(
        network, source=source, target=target, n_beams=n_beams, owner=context.owner, topic=topic
    )
    with WaitingLine(engine(), request, ends_run=False) as line:
        return networks().unroll(request, line)


def gradients(context: PageContext, network: str, source: str, target: str | None = None) -> InputGradients:
    """Effect of each character of a source on the last output.

    Raises:
        PlaygroundError: As the engine raises it.
    """
    request = GradientRequest(
        network, source=source, target=target, owner=context.owner, topic=f"gradient {network}"
    )
    with WaitingLine(engine(), request, ends_run=False) as line:
        return networks().gradients(request, line)


def exact(context: PageContext, network: str, lengths: Sequence[int]) -> Generator[LengthCount]:
    """Exact match length by length, until the reader clicks."""
    request = ExactRequest(network, lengths=tuple(lengths), owner=context.owner)
    return until_click(request, networks().exact)


def costs(context: PageContext, network: str, lengths: Sequence[int]) -> Generator[StepCost]:
    """Cost of one more step length by length, until the reader clicks."""
    request = CostRequest(network, lengths=tuple(lengths), owner=context.owner, topic=f"cost {network}")
    return until_click(request, networks().costs)
