import time

import pytest

from playground.ui.throttle import Throttle


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time now, which a drawing may move on."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def drawn_at(pace: Throttle, clock: list[float], costs_s: float, until_s: float) -> list[float]:
    """When it draws, asked every 10 ms."""
    found = []

    def draw() -> None:
        found.append(round(clock[0] - 100, 2))
        clock[0] += costs_s

    while clock[0] < 100 + until_s:
        pace(draw)
        clock[0] += 0.01
    return found


def test_a_quick_drawing_comes_a_few_times_a_second(clock: list[float]) -> None:
    found = drawn_at(Throttle(per_s=4, share=0.05), clock, costs_s=0.0, until_s=1.0)
    assert found == pytest.approx([0.0, 0.25, 0.5, 0.75], abs=0.03)


def test_a_slow_drawing_takes_its_share_of_the_time_and_no_more(clock: list[float]) -> None:
    found = drawn_at(Throttle(per_s=4, share=0.05), clock, costs_s=0.1, until_s=10.0)
    assert found == pytest.approx([0.0, 2.0, 4.0, 6.0, 8.0], abs=0.06)  # 0.1 s of every 2 s
