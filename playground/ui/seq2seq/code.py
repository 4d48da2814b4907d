"""The code under the pictures of networks."""

from __future__ import annotations

from dataclasses import asdict

from playground.core.pairs.pair import Pair
from playground.engine.contract.networks import NetworkInfo
from playground.engine.contract.pairs import PairSettings
from playground.paths import site_root
from playground.ui import show


def unrolled(info: NetworkInfo, source: str) -> str:
    """The network in NumPy, over this source."""
    script = "seq2seq_transformer" if info.settings.network.kind == "transformer" else "seq2seq"
    return show.code(script, file=file_of(info), source=source)


def exact(info: NetworkInfo, lengths: list[int], n_each: int) -> str:
    """Exact match of a network by length."""
    return show.code(
        "seq2seq_exact", file=file_of(info), data=info.settings.data, lengths=lengths, n_each=n_each
    )


def gradient(info: NetworkInfo, source: str) -> str:
    """Gradient norms of the last output with respect to each character."""
    return show.code("seq2seq_gradient", file=file_of(info), source=source)


def cost(info: NetworkInfo, lengths: list[int]) -> str:
    """Bytes that are kept from step to step."""
    return show.code("seq2seq_cost", file=file_of(info), lengths=lengths)


def training(settings: PairSettings, own: tuple[Pair, ...]) -> str:
    """A run again, with the same numbers."""
    rows = [(one.source, one.target) for one in own]
    return show.code("seq2seq_training", settings=asdict(settings), own=rows)


def file_of(info: NetworkInfo) -> str:
    """File in which the shown code finds the weights: one that comes with the playground, or a download."""
    if info.is_shipped:
        return str(site_root() / "assets" / "trained" / info.network_id / "model.safetensors")
    return f"~/Downloads/{file_name(info)}"


def file_name(info: NetworkInfo) -> str:
    """Name of the file of a network that is downloaded."""
    return f"network-{info.network_id[:8]}.safetensors"
