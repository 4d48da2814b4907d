"""Every engine there is, each to pass the same tests; beside this file they know the contract alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.settings import Settings

MakeEngine = Callable[[Settings], Engine]
ENGINES = {
    "local": {"engine": "local"},
    "ray": {"engine": "ray", "replicas": 2, "object_store_bytes": 128 * 2**20},
}


@pytest.fixture(scope="session")
def make_engine() -> MakeEngine:
    """For engines with limits of their own: a replica is such an engine, and a head takes long to start."""
    return create_engine


@pytest.fixture(scope="session", params=ENGINES.values(), ids=ENGINES.keys())
def engine(request: pytest.FixtureRequest, tiny_settings: Settings) -> Iterator[Engine]:
    made = create_engine(tiny_settings.model_copy(update=request.param))
    yield made
    made.close()
