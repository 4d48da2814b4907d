"""On a CUDA machine: SmolLM2's shape with random weights, the GPU against the CPU. No embedded model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from playground.core.sampling import GREEDY
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from tests import tiny

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]
MODEL = "shape/smollm2"
TEXT = "The capital of England is"


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, LocalEngine]]:
    cache_dir: Path = tmp_path_factory.mktemp("cache")
    config = LlamaConfig(
        vocab_size=49_152,
        hidden_size=576,
        intermediate_size=1_536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        max_position_embeddings=8_192,
        rope_parameters={"rope_type": "default", "rope_theta": 100_000.0},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
    )
    folder = cache_dir / "models" / MODEL.replace("/", "--")
    model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    tiny.save_tokenizer(folder, tiny.byte_level_tokenizer(), revision="random")
    made = {
        device: LocalEngine(
            Settings(
                cache_dir=cache_dir,
                extra_models=(MODEL,),
                default_model=MODEL,
                device=device,
                dtype="float32",
            )
        )
        for device in ("cuda", "cpu")
    }
    yield made
    for engine in made.values():
        engine.close()


def test_trace_equals_the_cpus(engines: dict[str, LocalEngine]) -> None:
    ask = TraceRequest(MODEL, TEXT, Capture(logits="all", attentions="float32", hidden_states="all"))
    on_gpu, on_cpu = engines["cuda"].trace(ask), engines["cpu"].trace(ask)
    assert on_gpu.device.startswith("cuda")
    for name in ("logits", "attentions", "hidden_states"):
        np.testing.assert_allclose(getattr(on_gpu, name), getattr(on_cpu, name), atol=2e-3, err_msg=name)


def test_greedy_continuation_and_scores_equal_the_cpus(engines: dict[str, LocalEngine]) -> None:
    ask = GenerateRequest(MODEL, TEXT, sampling=GREEDY, max_new_tokens=16)
    tokens = [[step.token_id for step in engine.generate(ask)] for engine in engines.values()]
    assert tokens[0] == tokens[1]
    scores = [
        next(engine.score(ScoreRequest(MODEL, (TEXT,), ((" a", " the cat"),))))[1]
        for engine in engines.values()
    ]
    assert scores[0].logprobs == pytest.approx(scores[1].logprobs, abs=1e-3)
