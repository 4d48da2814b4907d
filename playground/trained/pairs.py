"""Networks that turn one sequence into another, trained by the learner and on the data of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import torch

from playground.core import recurrent
from playground.core.pairs.sets import of_length
from playground.core.pairs.vocabulary import START, Vocabulary
from playground.engine.contract.networks import LengthCount
from playground.engine.contract.pairs import (
    NetworkConfig,
    PairExample,
    PairSettings,
    PairsRequest,
    pairs_request,
)
from playground.engine.recurrent.trained import SHIPPED, WEIGHTS, TrainedNetwork, of_file
from playground.engine.recurrent.unrolling import unrolled
from playground.engine.recurrent.writing import n_right
from playground.engine.training.pair_learner import PairLearner, PairSlot
from playground.engine.training.run import text_order
from playground.trained.note import seal_with_note

N_EACH, SEED = 100, 0  # held-out pairs of each length
LONGEST = 40
_TOLD = 200  # steps between two lines
_CHECKED = 10  # held-out pairs


def _settings(name: str, n_steps: int) -> PairSettings:
    data, kind, attention = name.split("-")
    is_transformer = kind == "transformer"  # twice the numbers of the others, so it is narrower: 1 MB
    network = NetworkConfig(kind, attention, 96 if is_transformer else 128)  # type: ignore[arg-type]
    return PairSettings(
        name=name, network=network, data=data, n_steps=n_steps, batch_size=32, seed=SEED,
        learning_rate=1e-3 if is_transformer else 2e-3, max_length=20 if data == "reverse" else LONGEST,
    )  # fmt: skip


STEPS = dict.fromkeys(SHIPPED, 1_500) | {
    "reverse-gru-additive": 2_000,
    "reverse-gru-none": 2_000,
    "dates-gru-additive": 500,
    "dates-transformer-dot": 1_600,
}
RECIPES: Mapping[str, PairSettings] = {name: _settings(name, n_steps) for name, n_steps in STEPS.items()}


def make(name: str, folder: Path, tell: Callable[[str], None]) -> None:
    """Train a network and write it below a folder, as half precision, with figures of what was written.

    Args:
        name: One of `RECIPES`.
        folder: `assets/trained/`, or one like it.
        tell: Is told how far it is.
    """
    request = pairs_request(RECIPES[name], "")
    network = None
    for network, loss in trained(request):
        if network.step % _TOLD == 0:
            tell(f"step {network.step}: loss {loss:.4f}")
    assert network is not None
    written = of_file(network.file(torch.float16))  # the figures are those of what is shipped
    check(written, request)
    right = n_right(written.network, request.held_out)
    counts = tuple(counted(written, length) for length in range(2, LONGEST + 1, 2))
    written = replace(written, exact=tuple(one for one in counts if one.n_asked))
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / WEIGHTS).write_bytes(written.file(torch.float16))
    figures = {"held_out_exact": right / len(request.held_out)}
    seal_with_note(folder / name, script=__name__, seed=SEED, figures=figures)
    tell(f"{name}: {figures}, {[(one.length, one.n_right) for one in written.exact]}")


def check(network: TrainedNetwork, request: PairsRequest) -> None:
    """Refuse a network whose outputs are not those of its arithmetic written out in NumPy."""
    shape = network.settings.network
    if shape.kind == "transformer":
        return
    weights = {name: value.numpy() for name, value in network.values.items()}
    for example in request.held_out[:_CHECKED]:
        reading = recurrent.read(shape.kind, example.source, weights)
        inputs = (START, *example.target)
        writing = recurrent.write(shape.kind, shape.attention, reading, inputs, weights)
        told = unrolled(network.network, example.source, example.target, 1, len(inputs))
        if writing.logits.argmax(1).tolist() != told.output_ids.tolist():
            raise ValueError(f"{network.settings.name} and its arithmetic in NumPy differ")


def trained(request: PairsRequest, every: int = _TOLD) -> Iterator[tuple[TrainedNetwork, float]]:
    """The network, and the loss of its last batch, after so many steps each and at the end."""
    settings = request.settings
    slot = PairSlot(request)
    learner, size = PairLearner([slot], lambda: None), settings.batch_size
    order = text_order(len(request.train), settings.n_steps * size, settings.seed)
    for step in range(settings.n_steps):
        batch = [request.train[i] for i in order[step * size : (step + 1) * size]]
        [loss] = learner.step([batch])
        done = step + 1
        if done % every == 0 or done == settings.n_steps:
            yield slot.snapshot(done, 0), loss


def counted(network: TrainedNetwork, length: int) -> LengthCount:
    """Exact matches among held-out pairs of one length of its data."""
    source, target = Vocabulary(network.source_characters), Vocabulary(network.target_characters)
    pairs = of_length(network.settings.data, length, N_EACH, SEED)
    if not pairs:
        return LengthCount(length, 0, 0)
    examples = [PairExample(source.ids(one.source), target.ids(one.target)) for one in pairs]
    with torch.no_grad():
        return LengthCount(length, n_right(network.network, examples), len(examples))
