"""Every engine there is, each to pass the same tests; beside this file they know the contract alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.settings import Settings

MakeEngine = Callable[[Settings], Engine]


@pytest.fixture(scope="session")
def make_engine() -> MakeEngine:
    """For engines with limits of their own: a replica is such an engine, and a head takes long to start."""
    return create_engine


@pytest.fixture(scope="session", params=["tiny_engine", "ray_engine"], ids=["local", "ray"])
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(request.param)
    return found
