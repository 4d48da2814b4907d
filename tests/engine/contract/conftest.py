"""Every engine there is, each to pass the same tests; beside this file they know the contract alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.settings import Settings

MakeEngine = Callable[[Settings], Engine]
ENGINES: dict[str, MakeEngine] = {"local": create_engine}


@pytest.fixture(scope="session", params=ENGINES.values(), ids=ENGINES.keys())
def make_engine(request: pytest.FixtureRequest) -> MakeEngine:
    make: MakeEngine = request.param
    return make


@pytest.fixture(scope="session")
def engine(make_engine: MakeEngine, tiny_settings: Settings) -> Iterator[Engine]:
    made = make_engine(tiny_settings)
    yield made
    made.close()
