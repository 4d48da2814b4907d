"""DPO equals trl's on the same batch: loss, implicit rewards and gradients, recorded by `record_trl`."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from playground.core.policy.answers import summed
from playground.core.policy.dpo import dpo
from tests.core.policy.trl_pairs import BETA, PAIRS, directions, model

TRL = json.loads((Path(__file__).parent / "trl_dpo.json").read_text("utf-8"))
CLOSE = 1e-5


def answer_logprob(llama: LlamaForCausalLM, prompt: tuple[int, ...], answer: tuple[int, ...]) -> torch.Tensor:
    """Log-probability of an answer, read alone: nothing is padded."""
    ids = torch.tensor([prompt + answer])
    logprobs = torch.log_softmax(llama(input_ids=ids).logits[0, :-1], -1)
    return logprobs[torch.arange(len(ids[0]) - 1), ids[0, 1:]][len(prompt) - 1 :].sum()


def logprobs_of(llama: LlamaForCausalLM) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    chosen = [answer_logprob(llama, prompt, one) for prompt, one, _other in PAIRS]
    return chosen, [answer_logprob(llama, prompt, one) for prompt, _other, one in PAIRS]


def test_loss_rewards_and_gradients_are_trls() -> None:
    policy = model(0.37)
    with torch.no_grad():
        reference = [[float(one) for one in side] for side in logprobs_of(model(0.53))]
    chosen, rejected = logprobs_of(policy)
    found = dpo([one.item() for one in chosen], [one.item() for one in rejected], *reference, beta=BETA)
    assert found.loss == pytest.approx(TRL["loss"], abs=CLOSE)
    expected = {
        "logps/chosen": np.mean([one.item() for one in chosen]),
        "logps/rejected": np.mean([one.item() for one in rejected]),
        "rewards/chosen": found.chosen_rewards.mean(),
        "rewards/rejected": found.rejected_rewards.mean(),
        "rewards/margins": found.margins.mean(),
        "rewards/accuracies": (found.margins > 0).mean(),
    }
    assert {name: float(value) for name, value in expected.items()} == pytest.approx(
        TRL["metrics"], abs=CLOSE
    )
    pulls = [w * (lose - win) for w, win, lose in zip(found.weights.tolist(), chosen, rejected, strict=True)]
    (sum(pulls[1:], pulls[0]) / len(pulls)).backward()  # type: ignore[no-untyped-call]
    gradients = {name: one.grad for name, one in policy.named_parameters()}
    assert gradients.keys() == TRL["gradients"].keys()
    for name, gradient in gradients.items():
        assert gradient is not None
        assert directions(gradient) == pytest.approx(TRL["gradients"][name], abs=CLOSE), name


def test_the_batch_is_no_step_0_and_summed_is_what_is_summed() -> None:
    """What is compared would not be equal by symmetry."""
    assert abs(TRL["loss"] - math.log(2)) > 0.01
    assert TRL["metrics"]["rewards/accuracies"] not in (0, 1)
    prompt, chosen, _rejected = PAIRS[0]
    llama, ids = model(0.37), torch.tensor([prompt + chosen])
    logprobs = torch.log_softmax(llama(input_ids=ids).logits[0, :-1], -1).gather(1, ids[0, 1:, None])[:, 0]
    mask = np.arange(len(logprobs)) >= len(prompt) - 1
    whole = summed(logprobs.detach().numpy()[None], mask[None])
    assert whole.item() == pytest.approx(answer_logprob(llama, prompt, chosen).item(), abs=CLOSE)
