"""A second learner: a small network from nothing that predicts characters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch.nn.functional import cross_entropy

from playground.engine.contract.training import (
    RunSettings,
    TrainingRequest,
    TrainingState,
)
from playground.engine.training.learner import GiveWay, NewSlot, RunLimits, Sampled
from playground.errors import TooManyAdapters

LINES = (
    "the cat sat on the mat", "the dog ran to the cat", "a hat is on the mat", "the cat has a hat",
    "a dog sat on a hat", "the mat is on the dog", "the dog has a mat", "a cat ran to the dog",
)  # fmt: skip


HELD_OUT = ("the dog sat on the mat", "a cat has a hat")


ALPHABET = " " + "".join(sorted(set("".join(LINES)) - {" "}))


UNIFORM = math.log(len(ALPHABET))


# ---- the learner: all that a new kind of training brings


@dataclass(frozen=True, slots=True)
class Line:
    """Every character after the first is to be predicted from those before it."""

    ids: tuple[int, ...]

    @property
    def n_tokens(self) -> int:
        return len(self.ids)

    @property
    def n_trained(self) -> int:
        return len(self.ids) - 1


@dataclass(frozen=True, slots=True)
class CharacterSettings(RunSettings):
    objective: str = "characters"
    d_hidden: int = 24


class Network(torch.nn.Module):
    """Characters -> embedding -> GRU -> logits of the next character, with first values of its own."""

    def __init__(self, d_hidden: int, seed: int) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(len(ALPHABET), d_hidden)
        self.gru = torch.nn.GRU(d_hidden, d_hidden, batch_first=True)
        self.head = torch.nn.Linear(d_hidden, len(ALPHABET))
        random = torch.Generator().manual_seed(seed)
        for parameter in self.parameters():
            torch.nn.init.uniform_(parameter, -(d_hidden**-0.5), d_hidden**-0.5, generator=random)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Shape [character] -> [character, d_vocab]."""
        logits: torch.Tensor = self.head(self.gru(self.embedding(ids)[None])[0][0])
        return logits

    def surprisal(self, line: Line) -> torch.Tensor:
        """Summed over the line, nats."""
        ids = torch.tensor(line.ids)
        return cross_entropy(self(ids[:-1]), ids[1:], reduction="sum")


@dataclass(frozen=True)
class Weights:
    step: int
    values: dict[str, torch.Tensor]

    def named(self, settings: RunSettings, number: int) -> Weights:
        return Weights(self.step, self.values)

    def is_finite(self) -> bool:
        return all(bool(value.isfinite().all()) for value in self.values.values())


class CharacterSlot:
    group, guess_loss = (), UNIFORM

    def __init__(self, request: TrainingRequest) -> None:
        settings = request.settings
        assert isinstance(settings, CharacterSettings)
        self.start = (settings.d_hidden, settings.seed)
        self.network: Network | None = Network(settings.d_hidden, settings.seed)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=settings.learning_rate, weight_decay=0.0
        )

    @property
    def whole(self) -> Network:
        assert self.network is not None
        return self.network

    def snapshot(self, step: int, number: int) -> Weights:
        return Weights(step, {name: value.clone() for name, value in self.whole.state_dict().items()})

    def forget(self) -> None:
        self.network = None


class CharacterLearner:
    """Trains each network in place, so there is nothing to unpack."""

    def __init__(self, slots: Sequence[CharacterSlot], give_way: GiveWay) -> None:
        self.slots, self._give_way = slots, give_way

    def step(self, batches: Sequence[Sequence[Line]]) -> list[float]:
        losses = []
        for slot, lines in zip(self.slots, batches, strict=True):
            slot.optimizer.zero_grad()
            with torch.enable_grad():
                loss = sum(map(slot.whole.surprisal, lines)) / sum(line.n_trained for line in lines)
            assert isinstance(loss, torch.Tensor)
            loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.item())
            self._give_way()
        for slot in self.slots:
            slot.optimizer.step()
        return losses

    @torch.no_grad()
    def measure(self, index: int, examples: Sequence[Line]) -> list[float]:
        return [float(self.slots[index].whole.surprisal(line)) for line in examples]

    def observe(self, index: int, request: TrainingRequest, step: int) -> None:
        pass

    def unpack(self, index: int) -> None:
        pass


class Characters:
    """The objective; keeps what was learned in a dictionary with room for two."""

    def __init__(self) -> None:
        self.kept: dict[str, Weights] = {}
        self.together: list[int] = []
        self.limits = RunLimits(200, 8, 1000, 128, 512, 1024)

    def prepare(self, request: TrainingRequest) -> NewSlot[CharacterSlot]:
        return NewSlot(10_000, lambda: CharacterSlot(request))

    def check_room(self, owner: str, size_bytes: int, n_coming: int) -> None:
        if len(self.kept) + n_coming >= 8:
            raise TooManyAdapters(limit=8)

    def learner(self, slots: Sequence[CharacterSlot], give_way: GiveWay) -> CharacterLearner:
        self.together.append(len(slots))
        return CharacterLearner(slots, give_way)

    @torch.no_grad()
    def sample(self, request: TrainingRequest, slot: CharacterSlot, step: int, sampled: Sampled) -> None:
        for prompt, first in enumerate(request.prompts):
            ids = list(first)
            for _ in range(6):
                ids.append(int(slot.whole(torch.tensor(ids))[-1].argmax()))
            sampled(prompt, "".join(ALPHABET[one] for one in ids[len(first) :]), "whole")

    def keep(self, snapshot: Weights, owner: str) -> str:
        self.kept[f"network {len(self.kept)} of {owner}"] = snapshot
        return [*self.kept][-1]


# ---- runs


def lines_of(texts: Sequence[str]) -> tuple[Line, ...]:
    return tuple(Line(tuple(map(ALPHABET.index, text))) for text in texts)


def run_on_lines(seed: int, owner: str = "me", n_steps: int = 60, **changes: object) -> TrainingRequest:
    settings = CharacterSettings("", f"characters {seed}", n_steps=n_steps, learning_rate=1e-2, seed=seed)
    request = TrainingRequest(
        settings, lines_of(LINES), lines_of(HELD_OUT), prompts=(lines_of(["the"])[0].ids,), owner=owner
    )
    return replace(request, **changes)


def losses(state: TrainingState) -> list[float]:
    return [loss for _step, loss in state.train]
