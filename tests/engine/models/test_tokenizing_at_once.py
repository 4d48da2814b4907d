"""Many threads cut texts with one tokenizer."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from playground.engine.models.catalogue import catalogue
from playground.engine.models.loading import load_tokenizer
from playground.engine.models.tokenizing import TextTokenizer
from playground.settings import DEFAULT_DECODER, Settings
from tests.engine.models.hard_texts import HARD_TEXTS


@pytest.fixture(scope="session")
def smollm(real_settings: Settings) -> TextTokenizer:
    return load_tokenizer(catalogue(real_settings)[DEFAULT_DECODER], real_settings)


@pytest.mark.real
def test_many_threads_get_what_one_gets_while_transformers_is_reconfigured(smollm: TextTokenizer) -> None:
    jobs = [(text, framed) for text in HARD_TEXTS * 20 for framed in (True, False)]
    expected = [smollm.tokenize(*job) for job in jobs]

    def reconfigure() -> None:
        """In one thread: two that share this object can wait for each other for ever."""
        for split in (False, True) * 50:
            smollm.tokenizer("a b", truncation=True, max_length=1, split_special_tokens=split)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as pool:
            other = pool.submit(reconfigure)
            found = list(pool.map(lambda job: smollm.tokenize(*job), jobs))
            other.result()
    finally:
        sys.setswitchinterval(interval)
    assert found == expected
