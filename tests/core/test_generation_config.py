"""The file means the same to transformers: its processors, its generated tokens' settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from playground.core.generation_config import generation_config
from playground.core.penalties import Penalties, penalised
from playground.core.ranking import rank
from playground.core.sampling import GREEDY, Sampling, distribution

MODEL = LlamaForCausalLM(
    LlamaConfig(vocab_size=60, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)
)


@pytest.mark.parametrize(
    "chosen",
    [
        Sampling(),
        Sampling(temperature=1.7, top_k=9),
        Sampling(top_p=0.6, min_p=0.05),
        Sampling(typical_p=0.5),
        GREEDY,
    ],
    ids=str,
)
@pytest.mark.parametrize("penalty", [1.0, 1.4])
def test_transformers_reads_the_same_distribution(chosen: Sampling, penalty: float, tmp_path: Path) -> None:
    penalties = Penalties(repetition_penalty=penalty)
    (tmp_path / "generation_config.json").write_text(generation_config(chosen, penalties, max_new_tokens=17))
    config = GenerationConfig.from_pretrained(tmp_path)
    assert config.max_new_tokens == 17
    assert config.do_sample == (chosen.temperature > 0)
    logits = np.random.default_rng(3).normal(scale=3, size=60)
    prompt = torch.tensor([[4, 8, 15]])
    used = MODEL._get_logits_processor(config, input_ids_seq_length=3)
    scores = used(prompt, torch.from_numpy(logits)[None].clone())[0]
    found = distribution(rank(penalised(logits, [4, 8, 15], [], penalties)), chosen)
    if chosen.temperature == 0:
        assert int(scores.argmax()) == found.token_ids[0]
        return
    assert set(torch.isfinite(scores).nonzero()[:, 0].tolist()) == set(found.token_ids.tolist())
    probs = scores.softmax(-1).numpy()
    np.testing.assert_allclose(probs[found.token_ids], found.probs, atol=1e-6)
