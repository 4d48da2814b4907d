"""The share of the engine that training has, by who waits, on a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from playground.core.byte_cache import ByteCache
from playground.engine.local import model_thread
from playground.engine.local.model_thread import ModelThread
from playground.engine.scheduling.scheduler import Scheduler
from playground.settings import Settings

N_LAYERS = 60


class Shared:
    """A model thread whose ticks and training steps take as long as they say, and nothing else."""

    def __init__(
        self, settings: Settings, patch: pytest.MonkeyPatch, *, tick_s: float, step_s: float, layers: int
    ) -> None:
        self.now = self.others_s = self.trained_s = 0.0
        self.longest_s = self.since_tick = 0.0
        self.urgent, self.rest = 0, 0
        self.layers, self.step_s, self.tick_s = layers, step_s, tick_s
        patch.setattr(model_thread.time, "monotonic", lambda: self.now)
        patch.setattr(Scheduler, "n_waiting", property(lambda _one: self.urgent + self.rest))
        patch.setattr(Scheduler, "n_urgent", property(lambda _one: self.urgent))
        trainer: Any = SimpleNamespace(work=self.step, has_work=True)
        self.thread = ModelThread(settings, Scheduler(settings), ByteCache(0), trainer)
        patch.setattr(self.thread, "_tick", self.tick)

    def tick(self) -> None:
        spent = self.tick_s if self.urgent + self.rest else 0.0
        self.longest_s, self.since_tick = max(self.longest_s, self.since_tick), 0.0
        self.now += spent
        self.others_s += spent

    def step(self, give_way: Callable[[], None]) -> None:
        for _layer in range(self.layers):
            self.now += self.step_s / self.layers
            self.trained_s += self.step_s / self.layers
            self.since_tick += self.step_s / self.layers
            give_way()

    def share_after(self, seconds: float) -> float:
        """Training's share of so many further seconds."""
        begun, before = self.now, self.trained_s
        while self.now < begun + seconds:
            self.thread._turn()
        return (self.trained_s - before) / (self.now - begun)


@pytest.mark.parametrize(("step_s", "layers"), [(4.0, N_LAYERS), (0.03, 1)])
@pytest.mark.parametrize("tick_s", [0.05, 0.5])
def test_the_share_is_kept_however_long_steps_and_turns_are(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch, step_s: float, layers: int, tick_s: float
) -> None:
    shared = Shared(tiny_settings, monkeypatch, tick_s=tick_s, step_s=step_s, layers=layers)
    assert shared.share_after(60) == 1.0, "nobody waits"
    shared.urgent = 3
    assert shared.share_after(600) == pytest.approx(tiny_settings.training_share, rel=0.1)
    shared.urgent, shared.rest = 0, 3
    assert shared.share_after(600) == pytest.approx(tiny_settings.training_share_beside_rest, rel=0.1)
    shared.urgent = 1
    assert shared.share_after(600) == pytest.approx(tiny_settings.training_share, rel=0.1)


def test_who_comes_while_it_trains_is_served_at_the_next_layer(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = Shared(tiny_settings, monkeypatch, tick_s=0.05, step_s=4.0, layers=N_LAYERS)
    shared.share_after(60)
    shared.urgent, shared.longest_s, shared.since_tick = 1, 0.0, 0.0
    shared.share_after(20)
    assert shared.longest_s <= 2 * 4.0 / N_LAYERS
