"""Trained networks: of sessions, as files, and those that come with the playground."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from playground.engine.contract.networks import LengthCount, NetworkInfo
from playground.engine.contract.pairs import NetworkConfig, PairSettings
from playground.engine.models.owned import Departures, Owned
from playground.engine.models.shipped import trained_assets
from playground.engine.recurrent.building import AnyNetwork, empty_network
from playground.errors import NetworkGone, TooManyNetworks
from playground.settings import Settings

FACTS = "network"  # key of the metadata
WEIGHTS = "model.safetensors"
# Folders of `assets/trained/`, in the order they are shown.
SHIPPED = (
    "reverse-gru-none",
    "reverse-gru-additive",
    "dates-gru-additive",
    "reverse-rnn-none",
    "reverse-lstm-none",
    "dates-transformer-dot",
)


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A network that was trained.

    Attributes:
        settings: Settings of its run.
        source_characters, target_characters: Its vocabularies.
        step, run: Steps it was trained, and number of its run in the session.
        values: Its weights by name.
        exact: Exact match by length, if it was measured.
    """

    settings: PairSettings
    source_characters: str
    target_characters: str
    step: int
    run: int
    values: Mapping[str, Tensor]
    exact: tuple[LengthCount, ...] = ()

    def named(self, settings: PairSettings, number: int) -> TrainedNetwork:
        """The same, as learned by an equal run; it shares the memory."""
        return replace(self, settings=settings, run=number)

    def is_finite(self) -> bool:
        """True if all weights are numbers."""
        return all(bool(value.isfinite().all()) for value in self.values.values())

    @property
    def size_bytes(self) -> int:
        """Memory of the weights."""
        return sum(value.nbytes for value in self.values.values())

    @cached_property
    def network(self) -> AnyNetwork:
        """The network itself, over these weights; only the engine's thread uses it."""
        network = empty_network(
            self.settings.network, len(self.source_characters), len(self.target_characters)
        )
        network.load_state_dict(dict(self.values), assign=True)
        return network.eval()

    def info(self, network_id: str, *, is_shipped: bool = False) -> NetworkInfo:
        """Facts that readers see."""
        return NetworkInfo(
            network_id, self.settings, self.step, self.run,
            sum(value.numel() for value in self.values.values()), self.size_bytes,
            self.source_characters, self.target_characters, is_shipped, self.exact,
        )  # fmt: skip

    # ---- files

    def file(self, dtype: torch.dtype = torch.float32) -> bytes:
        """The network as a safetensors file."""
        facts = {name: value for name, value in vars(self).items() if name not in ("values", "network")}
        facts |= {"settings": asdict(self.settings), "exact": [asdict(one) for one in self.exact]}
        weights = {name: value.to(dtype).contiguous() for name, value in self.values.items()}
        return save(weights, {FACTS: json.dumps(facts, ensure_ascii=False)})


def of_file(data: bytes) -> TrainedNetwork:
    """A network from a file that `TrainedNetwork.file` made."""
    length = int.from_bytes(data[:8], "little")
    facts: dict[str, Any] = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][FACTS])
    settings = facts.pop("settings")
    settings = PairSettings(**settings | {"network": NetworkConfig(**settings["network"])})
    exact = tuple(LengthCount(**one) for one in facts.pop("exact"))
    values = {name: value.float() for name, value in load(data).items()}
    return TrainedNetwork(settings=settings, exact=exact, values=values, **facts)


@cache
def shipped(name: str) -> TrainedNetwork:
    """A network that comes with the playground."""
    return of_file((trained_assets() / name / WEIGHTS).read_bytes())


class NetworkTable:
    """Networks of all sessions, and those that come with the playground. Safe to share between threads.

    Args:
        settings: The limits.
        departures: The sessions that have left.
        on_orphan: Called when a network comes whose session has left meanwhile.
    """

    def __init__(self, settings: Settings, departures: Departures, on_orphan: Callable[[], None]) -> None:
        most = settings.max_networks_per_session
        self.owned = Owned[TrainedNetwork](
            departures,
            lambda network: network.size_bytes,
            most=most,
            most_bytes=settings.max_network_bytes,
            too_many=lambda: TooManyNetworks(limit=most),
            on_orphan=on_orphan,
            memory_of=lambda network: id(network.values),
        )

    def get(self, network_id: str) -> TrainedNetwork:
        """A network by its id.

        Raises:
            NetworkGone: It is no longer here, or never was.
        """
        if network_id in SHIPPED:
            return shipped(network_id)
        network = self.owned.get(network_id)
        if network is None:
            raise NetworkGone(network_id=network_id)
        return network
