"""The file means the same to transformers: its processors, its generated tokens' settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from playground.core.generation_config import generation_config
from playground.core.penalties import penalised
from playground.core.ranking import rank
from playground.core.sampling import distribution

MODEL = LlamaForCausalLM(
    LlamaConfig(vocab_size=60, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)
)
USUAL = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "typical_p": 1.0}


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"temperature": 1.7, "top_k": 9},
        {"top_p": 0.6, "min_p": 0.05},
        {"typical_p": 0.5},
        {"temperature": 0},
    ],
    ids=str,
)
@pytest.mark.parametrize("penalty", [1.0, 1.4])
def test_transformers_reads_the_same_distribution(
    chosen: dict[str, float], penalty: float, tmp_path: Path
) -> None:
    settings = USUAL | chosen
    (tmp_path / "generation_config.json").write_text(
        generation_config(**settings, repetition_penalty=penalty, max_new_tokens=17)
    )
    config = GenerationConfig.from_pretrained(tmp_path)
    assert config.max_new_tokens == 17
    assert config.do_sample == (settings["temperature"] > 0)
    logits = np.random.default_rng(3).normal(scale=3, size=60)
    prompt = torch.tensor([[4, 8, 15]])
    used = MODEL._get_logits_processor(config, input_ids_seq_length=3)
    scores = used(prompt, torch.from_numpy(logits)[None].clone())[0]
    found = distribution(rank(penalised(logits, [4, 8, 15], [], repetition=penalty)), **settings)
    if settings["temperature"] == 0:
        assert int(scores.argmax()) == found.token_ids[0]
        return
    assert set(torch.isfinite(scores).nonzero()[:, 0].tolist()) == set(found.token_ids.tolist())
    probs = scores.softmax(-1).numpy()
    np.testing.assert_allclose(probs[found.token_ids], found.probs, atol=1e-6)
