"""The endpoint on an engine of replicas gives what it gives on one of this process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.settings import Settings
from tests import tiny
from tests.v1.conftest import CHAT, Served, serving

HI: list[Any] = [{"role": "user", "content": "The cat"}]


@pytest.fixture(scope="module")
def ray_engine(chat_settings: Settings) -> Iterator[Engine]:
    """One replica with the same models."""
    more = {"engine": "ray", "replicas": 1, "object_store_bytes": 128 * 2**20}
    engine = create_engine(chat_settings.model_copy(update=more))
    yield engine
    engine.close()


def test_a_replica_answers_as_this_process_does(served: Served, ray_engine: Engine) -> None:
    with serving(ray_engine, served.settings) as remote:
        both = (served.client(), remote.client())
        listed = [{one.id for one in client.models.list()} for client in both]
        assert listed[0] == listed[1] >= {tiny.LLAMA, CHAT}
        texts = [
            client.completions.create(
                model=tiny.LLAMA, prompt=["The cat", "서울"], n=2, seed=1, max_tokens=6, logprobs=2, echo=True
            )
            for client in both
        ]
        for here, there in zip(texts[0].choices, texts[1].choices, strict=True):
            assert here.text == there.text
            assert here.logprobs is not None
            assert there.logprobs is not None
            told = [
                [one for one in logprobs.token_logprobs or [] if one is not None]
                for logprobs in (here.logprobs, there.logprobs)
            ]
            np.testing.assert_allclose(told[0], told[1], atol=1e-5)
        form: Any = {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": {"enum": [[1, 2], "three"]}},
        }
        said = [
            client.chat.completions.create(
                model=CHAT, messages=HI, seed=2, max_tokens=20, response_format=form
            ).choices[0]
            for client in both
        ]
        assert said[0].message.content == said[1].message.content in ("[1, 2]", '"three"')
        vectors = [client.embeddings.create(model=tiny.BERT, input=["the cat"]).data[0] for client in both]
        np.testing.assert_allclose(vectors[0].embedding, vectors[1].embedding, atol=1e-5)
