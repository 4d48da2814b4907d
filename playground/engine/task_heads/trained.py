"""Trained task heads: of sessions, as files, and those that come with the playground."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from playground.engine.contract.task_heads import HeadSettings, TaskHeadInfo
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.owned import Departures, Owned
from playground.engine.models.shipped import trained_assets
from playground.engine.task_heads.cutting import Cut
from playground.engine.task_heads.layers import with_own_layers
from playground.engine.task_heads.rewards import RewardTable
from playground.engine.task_heads.vectors import last_states, outputs, text_vector, word_vectors
from playground.errors import HeadGone, TooManyHeads
from playground.settings import Settings

FACTS = "task_head"  # key of the metadata
WEIGHTS = "model.safetensors"
SHIPPED = ("e5-sentiment-head", "e5-names-head")  # folders of `assets/trained/`, in the order they are shown


@dataclass(frozen=True, eq=False)
class TrainedHead:
    """A task head that was trained.

    Attributes:
        settings: Settings of its run.
        step, run: Steps it was trained, and number of its run in the session.
        weight, bias: Of vectors of length 1. Shapes [output, d_model] and [output].
        layers: Weights of the encoder's layers by name; empty where the encoder is as it was.
        figures: Name -> number measured on held-out texts when it was made.
        trained_on: Fingerprints of the texts it has learned from.
    """

    settings: HeadSettings
    step: int
    run: int
    weight: Tensor
    bias: Tensor
    layers: Mapping[str, Tensor] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    trained_on: Sequence[str] = ()

    @property
    def values(self) -> list[Tensor]:
        """All trained numbers."""
        return [self.weight, self.bias, *self.layers.values()]

    def named(self, settings: HeadSettings, number: int) -> TrainedHead:
        """The same, as learned by an equal run; it shares the memory."""
        return replace(self, settings=settings, run=number)

    def is_finite(self) -> bool:
        """True if all its numbers are numbers."""
        return all(bool(value.isfinite().all()) for value in self.values)

    @property
    def size_bytes(self) -> int:
        """Memory of its numbers."""
        return sum(value.nbytes for value in self.values)

    def info(self, head_id: str, *, is_shipped: bool = False) -> TaskHeadInfo:
        """Facts that readers see."""
        n_parameters = sum(value.numel() for value in self.values)
        return TaskHeadInfo(
            head_id, self.settings, self.step, self.run, n_parameters, self.size_bytes, is_shipped,
            tuple(self.figures.items()), frozenset(self.trained_on),
        )  # fmt: skip

    def answers(self, loaded: LoadedModel, texts: Sequence[Cut]) -> list[Tensor]:
        """Probabilities of the labels, or the number, of each text; only the engine's thread asks.

        Args:
            loaded: The encoder as it was before the training.
            texts: At least one.

        Returns:
            Each [1 or word, output]; NaN for a word without a token.
        """
        encoder = with_own_layers(loaded, self.layers) if self.layers else loaded
        weight, bias = self.weight.to(loaded.device), self.bias.to(loaded.device)
        found = []
        for states, text in zip(last_states(encoder, texts), texts, strict=True):
            if self.settings.task == "words":
                vectors = word_vectors(states, [place or 0 for place in text.places])
            else:
                vectors = text_vector(states)
            made = outputs(vectors, weight, bias)
            made = made if self.settings.task == "number" else made.softmax(-1)
            if self.settings.task == "words":
                made[[place is None for place in text.places]] = torch.nan
            found.append(made.cpu())
        return found

    # ---- files

    def file(self) -> bytes:
        """A head on an encoder as it was, as a safetensors file."""
        assert not self.layers, "an encoder is too large to be shipped"
        facts = {"settings": asdict(self.settings), "step": self.step, "run": self.run}
        facts |= {"figures": dict(self.figures), "trained_on": [*self.trained_on]}
        weights = {"weight": self.weight.contiguous(), "bias": self.bias.contiguous()}
        return save(weights, {FACTS: json.dumps(facts, ensure_ascii=False)})


def of_file(data: bytes) -> TrainedHead:
    """A head from a file that `TrainedHead.file` made."""
    length = int.from_bytes(data[:8], "little")
    facts: dict[str, Any] = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][FACTS])
    settings = facts.pop("settings")
    settings = HeadSettings(**settings | {"labels": tuple(settings["labels"])})
    values = load(data)
    return TrainedHead(settings=settings, weight=values["weight"], bias=values["bias"], **facts)


@cache
def shipped(name: str) -> TrainedHead:
    """A head that comes with the playground."""
    return of_file((trained_assets() / name / WEIGHTS).read_bytes())


class HeadTable:
    """Task heads of all sessions, and those that come with the playground. Safe to share between threads.

    Attributes:
        owned: Heads on encoders.
        rewards: Reward models, on decoders.

    Args:
        settings: The limits.
        departures: The sessions that have left.
        on_orphan: Called when a head comes whose session has left meanwhile.
    """

    def __init__(self, settings: Settings, departures: Departures, on_orphan: Callable[[], None]) -> None:
        most = settings.max_heads_per_session
        self.owned = Owned[TrainedHead](
            departures,
            lambda head: head.size_bytes,
            most=most,
            most_bytes=settings.max_head_bytes,
            too_many=lambda: TooManyHeads(limit=most),
            on_orphan=on_orphan,
            memory_of=lambda head: id(head.weight),
        )
        self.rewards = RewardTable(settings, departures, on_orphan)

    def get(self, head_id: str) -> TrainedHead:
        """A head by its id.

        Raises:
            HeadGone: It is no longer here, or never was.
        """
        if head_id in SHIPPED:
            return shipped(head_id)
        head = self.owned.get(head_id)
        if head is None:
            raise HeadGone(head_id=head_id)
        return head
