"""Collections made through the contract, of documents that tests know."""

from __future__ import annotations

import time
from typing import Any

from playground.core.chunks import Chunking, boundaries, cut
from playground.engine.contract.engine import Engine
from playground.engine.contract.retrieval import BUILD_ENDED, Build, BuildRequest, CutDocument, Document
from tests import tiny

ENGLISH = "The capital of England is London. The cat sat on the mat. The dog sat on the cat. " * 4
KOREAN = "서울은 한국의 수도입니다. 나는 오늘 학교에 갑니다. " * 4


def document(name: str, text: str, size: int = 40, **facts: Any) -> CutDocument:
    spans = cut(boundaries(text), Chunking("characters", size, size // 4, "words"))
    return CutDocument(Document(name, text, **facts), spans)


def request(owner: str, *documents: CutDocument, replaces: str = "", is_shared: bool = False) -> BuildRequest:
    return BuildRequest(tiny.BERT, documents, replaces, is_shared, owner=owner)


def until_ended(engine: Engine, build_id: str, owner: str) -> Build:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        state = engine.retrieval.state(build_id, owner)
        assert state is not None
        if state.status in BUILD_ENDED:
            return state
        time.sleep(0.01)
    raise AssertionError("the build did not end")


def built(engine: Engine, asked: BuildRequest) -> str:
    state = until_ended(engine, engine.retrieval.build(asked), asked.owner)
    assert state.status == "done", state
    assert state.n_done == state.n_chunks
    return state.collection_id
