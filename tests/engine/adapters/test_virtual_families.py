"""Soft prompts, prefixes and bottlenecks of every family of decoders equal the library's own forward."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch.nn.functional import gelu
from transformers.cache_utils import DynamicCache

from playground.core.sampling import GREEDY
from playground.engine import create_engine
from playground.engine.adapters.virtual import PROMPT, by_head
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from tests import families
from tests.engine.adapters.other_ways import made
from tests.engine.conftest import oracle, same_to_rounding

IDS = (5, 6, 7, 8, 9)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return families.make(tmp_path_factory.mktemp("families"), families.of_kind("decoder"))


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[LocalEngine]:
    engine = create_engine(settings.model_copy(update={"max_adapters_per_session": 10}))
    assert isinstance(engine, LocalEngine)
    yield engine
    engine.close()


def expected(settings: Settings, engine: LocalEngine, base: str, adapter: str) -> torch.Tensor:
    """Logits by plain transformers, the numbers put where the papers say."""
    model, own = oracle(settings, base), engine.adapters.get(adapter)
    ids = torch.tensor([IDS])
    if own.method == "prompt":
        first = own.changes[PROMPT].B[None]
        both = torch.cat([first, model.get_input_embeddings()(ids)], dim=1)
        return model(inputs_embeds=both, use_cache=False).logits[0, -len(IDS) :]
    if own.method == "prefix":
        cache, d_head = DynamicCache(config=model.config), engine.adapters.load(base).result().info.d_head
        for layer, one in enumerate(own.changes.values()):
            assert one.A is not None
            cache.update(by_head(one.A, d_head)[None], by_head(one.B, d_head)[None], layer)
        mask = torch.ones((1, 3 + len(IDS)), dtype=torch.long)
        return model(input_ids=ids, past_key_values=cache, attention_mask=mask).logits[0]
    hooks = []
    for path, one in own.changes.items():
        assert one.A is not None
        hooks.append(
            model.get_submodule(path).register_forward_hook(
                lambda _m, _i, y, A=one.A, B=one.B: y + gelu(y @ A.T) @ B.T
            )
        )
    try:
        return model(input_ids=ids, use_cache=False).logits[0]
    finally:
        for hook in hooks:
            hook.remove()


@pytest.mark.parametrize("model", families.of_kind("decoder"))
def test_every_family_reads_and_writes_as_the_library_would(
    settings: Settings, engine: LocalEngine, model: str
) -> None:
    for method in ("prompt", "prefix", "bottleneck"):
        adapter = made(engine, model, method, n=3)  # type: ignore[arg-type]
        with torch.no_grad():
            wanted = expected(settings, engine, model, adapter)
        found = engine.trace(TraceRequest(adapter, input_ids=IDS, capture=Capture(logits="all"))).logits
        same_to_rounding(found, wanted, f"{model} {method}")
        [step] = engine.generate(
            GenerateRequest(adapter, sampling=GREEDY, input_ids=IDS, max_new_tokens=1, n_top=3)
        )
        assert step.token_id == int(wanted[-1].argmax()), method
        engine.adapters.remove(adapter, "me")
