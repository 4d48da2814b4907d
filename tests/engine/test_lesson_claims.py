"""What the lessons say of SmolLM2 is so: each claim against the numbers of plain transformers."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoTokenizer

from playground.core.heads import kl_bits
from playground.engine.models.catalogue import model_folder
from playground.paths import site_root
from playground.settings import Settings
from tests.engine.conftest import oracle

MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
SENTENCES = (
    "The capital of England is",
    "The capital of France is",
    "Water boils at 100 degrees Celsius, but at the top of a mountain it",
    "The animal didn't cross the street because it was too tired",
    "My bike has a flat tyre and I",
    "Once upon a time there was a",
    "대한민국의 수도는",
)
MOST = len(SENTENCES) // 2 + 1


@pytest.fixture(scope="module")
def model(real_settings: Settings) -> Any:
    return oracle(real_settings, MODEL)


@pytest.fixture(scope="module")
def ids(real_settings: Settings) -> dict[str, Tensor]:
    tokenizer = AutoTokenizer.from_pretrained(model_folder(MODEL, real_settings))
    return {text: tokenizer(text, return_tensors="pt").input_ids for text in SENTENCES}


@pytest.fixture(scope="module")
def passes(model: Any, ids: dict[str, Tensor]) -> dict[str, Any]:
    """Text -> its states, of shape [layer + 1, position, d_model] with the last one before the final norm,
    and its attention weights of shape [layer, head, query, key]."""
    found = {}
    last: list[Tensor] = []
    hook = model.model.norm.register_forward_pre_hook(lambda _norm, given: last.append(given[0]))
    for text, input_ids in ids.items():
        with torch.no_grad():
            out = model(input_ids, output_hidden_states=True, output_attentions=True)
        states = torch.stack([*out.hidden_states[:-1], last.pop()])[:, 0]
        found[text] = states, torch.stack(out.attentions)[:, 0]
    hook.remove()
    return found


def test_the_state_gets_longer_but_not_at_every_step_and_the_first_token_is_longest_between(
    passes: dict[str, Any],
) -> None:
    ends = []
    for states, _weights in passes.values():
        lengths = states.norm(dim=-1)  # [layer + 1, position]
        own = lengths[:, -1]
        assert own[-1] > 50 * own[0]
        assert (own.diff() < 0).any(), "not at every step"
        ends.append(bool(own[-1] < own[-2]))
        middle = lengths[len(lengths) // 2]
        assert middle[0] > 20 * middle[1:].max()
        assert own.argmax() > len(own) - 3
    assert 0 < sum(ends) < len(ends), "sometimes not at the last"


def test_the_answer_takes_the_lead_late_and_is_often_far_down_for_two_thirds(
    model: Any, passes: dict[str, Any]
) -> None:
    far, late = 0, 0
    for states, _weights in passes.values():
        with torch.no_grad():
            logits = model.lm_head(model.model.norm(states[:, -1]))
        ranks = (logits > logits[:, logits[-1].argmax(), None]).sum(-1) + 1
        n = len(ranks) - 1
        far += bool(ranks[2 * n // 3] > 50)
        late += bool((ranks[: 5 * n // 6] > 1).all())
    assert far >= MOST
    assert late == len(SENTENCES), "no answer leads before the last sixth of the blocks"


def test_most_heads_rest_on_the_first_token_in_most_sentences(passes: dict[str, Any]) -> None:
    resting = [(weights[:, :, 1:, 0].mean(-1) > 0.5).double().mean() for _states, weights in passes.values()]
    assert sum(share > 0.5 for share in resting) >= MOST


def test_without_the_division_most_rows_put_nearly_all_on_one_key(model: Any, passes: dict[str, Any]) -> None:
    root = model.config.head_dim**0.5
    _states, weights = passes["The animal didn't cross the street because it was too tired"]
    rows = weights[:, :, 3:].double()
    undivided = (rows.clamp_min(1e-300).log() * root).softmax(-1)
    assert (undivided.amax(-1) > 0.95).double().mean() > 0.5
    assert (rows.amax(-1) > 0.95).double().mean() < 0.25


def test_rollout_answers_the_first_token(passes: dict[str, Any]) -> None:
    for _states, weights in passes.values():
        n = weights.shape[-1]
        flow = torch.eye(n)
        for layer in weights.mean(1):
            flow = (layer + torch.eye(n)) / 2 @ flow
        assert flow[-1, 0] > 0.9


def test_what_decides_moves_from_the_word_to_the_last_token(
    model: Any, ids: dict[str, Tensor], passes: dict[str, Any]
) -> None:
    (states, _weights), target = passes["The capital of France is"], ids["The capital of England is"]
    (place,) = (ids["The capital of France is"] != target)[0].nonzero().flatten().tolist()
    with torch.no_grad():
        clean = model(target).logits[0, -1]

    def patched(block: int, position: int) -> float:
        def insert(_block: object, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            changed = given[0].clone()
            changed[0, position] = states[block, position]
            return (changed, *given[1:])

        hook = model.model.layers[block].register_forward_pre_hook(insert)
        with torch.no_grad():
            after = model(target).logits[0, -1]
        hook.remove()
        return float(kl_bits(clean.numpy(), after.numpy()))

    n = len(model.model.layers)
    assert patched(0, place) > 3
    assert patched(n // 2, place) > 3
    assert patched(n - 1, place) < 0.05
    assert patched(0, target.shape[1] - 1) < 0.05
    assert patched(n - 1, target.shape[1] - 1) > 3


def test_greedy_is_not_the_most_probable_text(model: Any, ids: dict[str, Tensor]) -> None:
    start = ids["The capital of England is"]

    def log_probability(**how: object) -> float:
        with torch.no_grad():
            text = model.generate(start, max_new_tokens=12, do_sample=False, **how)
            logs = model(text).logits[0].log_softmax(-1)
        return sum(float(logs[i - 1, text[0, i]]) for i in range(start.shape[1], text.shape[1]))

    assert log_probability(num_beams=4, length_penalty=0.0) > log_probability() + 1


def test_fewer_analogies_are_right_when_the_input_words_may_be_the_answer(
    model: Any, real_settings: Settings
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model_folder(MODEL, real_settings))
    table = model.model.embed_tokens.weight.detach()
    units = table / table.norm(dim=-1, keepdim=True)
    samples = json.loads((site_root() / "assets/samples/embeddings.json").read_text("utf-8"))["analogies"]
    without = within = total = 0
    for words in (words for kind in samples.values() for words in kind):
        tokens = [tokenizer(f" {word}").input_ids for word in words]
        if any(len(pieces) > 1 for pieces in tokens):
            continue
        a, b, c, d = (pieces[0] for pieces in tokens)
        cosines = units @ (table[a] - table[b] + table[c])
        within += int(cosines.argmax()) == d
        cosines[[a, b, c]] = -torch.inf
        without += int(cosines.argmax()) == d
        total += 1
    assert within < without < total, "some fail, and fewer are right with the input words"
