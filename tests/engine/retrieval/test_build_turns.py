"""Builds of collections beside other readers."""

from __future__ import annotations

import time

import pytest

from playground.engine import create_engine
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.forward.vectors import VectorsWork
from playground.settings import Settings
from tests import tiny
from tests.engine.collections_built import request
from tests.engine.contract.test_retrieval_builds import numbered


def test_other_readers_are_answered_while_documents_are_embedded(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long build has its turns behind all who ask something short; two builds share the time."""
    embed = VectorsWork.run

    def embed_slowly(work: VectorsWork) -> object:
        time.sleep(0.01)  # else a machine that is slow elsewhere may be done before a trace is asked
        return embed(work)

    monkeypatch.setattr(VectorsWork, "run", embed_slowly)
    engine = create_engine(tiny_settings.model_copy(update={"prefill_chunk_tokens": 32}))
    try:
        builds = {owner: engine.retrieval.build(request(owner, numbered(450, owner))) for owner in "ab"}
        while any(
            engine.retrieval.state(build_id, owner).n_done == 0  # type: ignore[union-attr]
            for owner, build_id in builds.items()
        ):
            time.sleep(0.001)
        for n in range(3):
            capture = Capture(hidden_states=(0,))
            engine.trace(TraceRequest(tiny.BERT, f"The cat {n}", capture=capture, owner="c"))
        now = [engine.retrieval.state(build_id, owner) for owner, build_id in builds.items()]
        assert all(one is not None and one.status == "embedding" for one in now)
        for owner, build_id in builds.items():
            engine.retrieval.stop(build_id, owner)
    finally:
        engine.close()
