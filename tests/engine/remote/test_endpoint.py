"""The endpoint on an engine of replicas gives what it gives on one of this process."""

from __future__ import annotations

import numpy as np

from playground.engine.local.engine import LocalEngine
from playground.engine.remote.engine import RayEngine
from playground.settings import Settings
from tests import tiny
from tests.v1.conftest import serving


def test_a_replica_answers_clients_as_this_process_does(
    tiny_engine: LocalEngine, ray_engine: RayEngine, tiny_settings: Settings
) -> None:
    with serving(tiny_engine, tiny_settings) as here, serving(ray_engine, tiny_settings) as there:
        both = (here.client(), there.client())
        listed = [{one.id for one in client.models.list()} for client in both]
        assert listed[0] == listed[1] >= {tiny.LLAMA, tiny.BERT}
        texts = [
            client.completions.create(
                model=tiny.LLAMA, prompt=["The cat", "서울"], n=2, seed=1, max_tokens=6, logprobs=2, echo=True
            )
            for client in both
        ]
        assert len(texts[0].choices) == len(texts[1].choices) == 4
        for mine, theirs in zip(texts[0].choices, texts[1].choices, strict=True):
            assert mine.text == theirs.text
            told = [
                [one for one in choice.logprobs.token_logprobs or [] if one is not None]
                for choice in (mine, theirs)
                if choice.logprobs is not None
            ]
            assert len(told[0]) == len(told[1]) > 0
            np.testing.assert_allclose(told[0], told[1], atol=1e-5)
        vectors = [client.embeddings.create(model=tiny.BERT, input=["the cat"]).data[0] for client in both]
        np.testing.assert_allclose(vectors[0].embedding, vectors[1].embedding, atol=1e-5)
