"""Models from zero: together and by hand, the samples, and what cannot be."""

from __future__ import annotations

import gc
import time
import weakref
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from playground.core.pretraining import ByteWindow
from playground.engine.contract.pretraining import (
    OBJECTIVES,
    PretrainingObservation,
    PretrainingRequest,
    PretrainingSettings,
    fixed_tokens,
    n_told,
    pretraining_request,
)
from playground.engine.local.engine import LocalEngine
from playground.engine.pretraining.bytes import IGNORED, batch_of, byte_tokenizer
from playground.engine.pretraining.shapes import empty_model, first_values, n_parameters
from playground.engine.pretraining.stacked import KEY_BIAS
from playground.engine.training.pretraining import check
from playground.engine.training.pretraining_learner import (
    BETAS,
    EPS,
    MAX_NORM,
    PretrainingLearner,
    PretrainingSlot,
    rate,
)
from playground.engine.training.run import text_order
from playground.errors import BadValue, EmptyText, InputError, TextTooShort, TooManyBytes
from playground.settings import Settings
from tests.engine.training.zero_runs import TEXT, zero_run

N_STEPS = 5


def batches(request: PretrainingRequest) -> list[list[ByteWindow]]:
    size = request.settings.batch_size
    order = text_order(len(request.train), N_STEPS * size, request.settings.seed)
    return [[request.train[i] for i in order[size * step : size * (step + 1)]] for step in range(N_STEPS)]


def by_hand(request: PretrainingRequest) -> tuple[list[float], Any]:
    """The same training as plain transformers and torch do it."""
    settings = request.settings
    model = empty_model(settings, is_traced=False)
    model.load_state_dict(first_values(model, settings), strict=False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.0, betas=BETAS, eps=EPS, weight_decay=0.0)
    losses = []
    for step, windows in enumerate(batches(request)):
        batch = batch_of(settings.objective, windows)
        more = {} if batch.decoder_ids is None else {"decoder_input_ids": batch.decoder_ids}
        logits = model(input_ids=batch.input_ids, **more).logits
        loss = cross_entropy(logits.transpose(1, 2), batch.targets, ignore_index=IGNORED)
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(model.parameters(), MAX_NORM)
        optimizer.param_groups[0]["lr"] = rate(settings, step)
        optimizer.step()
        losses.append(loss.item())
    return losses, model


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_three_in_one_step_are_three_loops_written_by_hand(objective: str) -> None:
    """Other seeds, other rates, other texts: losses to 1e-5, weights too."""
    requests = [
        zero_run(seed, objective=objective, learning_rate=3e-3 * (1 + seed), warm_up=2 * seed, n_train=n)
        for seed, n in enumerate((9, 14, None))
    ]
    slots = [PretrainingSlot(one) for one in requests]
    learner = PretrainingLearner(slots, lambda: None)
    together = [learner.step([batches(one)[step] for one in requests]) for step in range(N_STEPS)]
    for index, request in enumerate(requests):
        losses, model = by_hand(request)
        assert [one[index] for one in together] == pytest.approx(losses, abs=1e-5)
        learner.unpack(index)
        mine = slots[index].snapshot(N_STEPS, 1).library_model().state_dict()
        for name, value in model.state_dict().items():
            if name.endswith(KEY_BIAS):  # rounding alone moves it by hand
                assert not mine[name].any()
                continue
            torch.testing.assert_close(mine[name], value, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_first_values_are_those_of_the_seed_and_of_their_width(objective: str) -> None:
    """T5's as the library spreads them."""
    settings = PretrainingSettings("", "", objective=objective, seed=3)
    model = empty_model(settings, is_traced=False)
    mine = first_values(model, settings)
    assert n_parameters(settings) == sum(one.numel() for one in model.parameters())
    for name, value in model.named_parameters():
        assert mine[name].shape == value.shape
        if value.dim() > 1 and value.numel() > 1_000:
            library = float(value.detach().std())
            expected = library if objective == "span" else 0.7 * value.shape[-1] ** -0.5
            assert float(mine[name].std()) == pytest.approx(expected, rel=0.1), name
    again = first_values(model, settings)
    assert all(torch.equal(mine[name], again[name]) for name in mine)
    other = first_values(model, replace(settings, seed=4))
    assert not all(torch.equal(mine[name], other[name]) for name in mine)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_an_example_tells_what_its_objective_hides(objective: str) -> None:
    request = zero_run(1, objective=objective)
    batch = batch_of(objective, request.train)
    for row, window in enumerate(request.train):
        counts = batch.targets[row] != IGNORED
        assert int(counts.sum()) == window.n_trained == (n_told(objective, 32) or 32)
        told, data = batch.targets[row][counts].tolist(), list(window.data)
        if objective == "next":
            assert told == data
            assert batch.input_ids[row].tolist() == [256, *data[:-1]]
        elif objective == "masked":
            places = [place - 1 for place in counts.nonzero()[:, 0].tolist()]
            assert told == [data[place] for place in places]
            seen = [place for place in range(32) if place not in places]
            read = batch.input_ids[row].tolist()
            assert (read[0], read[-1]) == (257, 258)
            assert [read[1 + place] for place in seen] == [data[place] for place in seen]
        else:
            assert told[0] == 258, "it begins with the first mark"
            assert told[-1] == 257, "and ends"
            read = batch.input_ids[row].tolist()
            assert restored(read, told) == data
    assert torch.equal(batch_of(objective, request.train).input_ids, batch.input_ids), "drawn once for all"


def restored(read: list[int], told: list[int]) -> list[int]:
    spans: dict[int, list[int]] = {}
    for token in told[:-1]:
        if token >= 258:
            spans[token] = []
        else:
            spans[max(spans)].append(token)
    return [byte for token in read[:-1] for byte in (spans[token] if token >= 258 else [token])]


def test_other_draws_are_other_masks() -> None:
    request = zero_run(1, objective="masked", n_train=None)
    one = next(window for window in request.train if window.draw == 0)
    other = next(w for w in request.train if w.draw == 1 and w.data == one.data)
    assert not torch.equal(*(batch_of("masked", [each]).input_ids for each in (one, other)))


def test_the_tokenizer_is_bytes() -> None:
    for objective in OBJECTIVES:
        tokenizer = byte_tokenizer(objective)
        text = "가나 ABC\n\t\x00🙂é"
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        assert ids == list(text.encode())
        assert tokenizer.decode(ids) == text


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_milestone_tells_attention_and_embeddings_of_this_slot(objective: str) -> None:
    requests = [zero_run(seed, objective=objective) for seed in (1, 2)]
    slots = [PretrainingSlot(one) for one in requests]
    learner = PretrainingLearner(slots, lambda: None)
    learner.step([batches(one)[0] for one in requests])
    for index, request in enumerate(requests):
        told = learner.observe(index, request, 1)
        assert isinstance(told, PretrainingObservation)
        n = len(fixed_tokens(request))
        assert told.attention.shape == (2, 2, n, n)
        assert told.attention.sum(-1).astype(float) == pytest.approx(1, abs=2e-3)
        learner.unpack(index)
        model = slots[index].snapshot(1, 1).library_model()
        rows = model.get_input_embeddings().weight[list(request.mapped)]
        assert told.embedding == pytest.approx(rows.numpy(), abs=1e-3)
        tokenizer = byte_tokenizer(objective)
        ids = torch.tensor([tokenizer.encode(request.fixed.decode()).ids])
        body = model.get_encoder() if objective == "span" else model
        body.set_attn_implementation("eager")
        expected = body(input_ids=ids, output_attentions=True).attentions
        assert told.attention == pytest.approx(torch.stack(list(expected))[:, 0].numpy(), abs=2e-3)
        assert (len(told.filled) > 0) == (objective == "masked")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", EmptyText), ("abc", TextTooShort), ("x" * 200_001, TooManyBytes), ("가" * 66_667, TooManyBytes),
    ],
)  # fmt: skip
def test_a_text_that_cannot_be_is_one_sentence(text: str, error: type[InputError]) -> None:
    with pytest.raises(error) as raised:
        pretraining_request(PretrainingSettings("", ""), "me", text)
    assert str(raised.value).count(":") <= 1


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("text", ["a" * 400, "🙂" * 50_000, TEXT], ids=["letter", "emoji", "text"])
def test_odd_texts_are_learned(objective: str, text: str) -> None:
    request = zero_run(1, objective=objective, text=text, learning_rate=1e-2, warm_up=0)
    slot = PretrainingSlot(request)
    learner = PretrainingLearner([slot], lambda: None)
    losses = [learner.step([batches(request)[step]])[0] for step in range(N_STEPS)]
    assert losses[-1] < losses[0]
    assert all(one < 2 * slot.guess_loss for one in losses)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_layers", 0), ("d_model", 17), ("d_model", 512), ("n_heads", 0), ("window", 4), ("window", 1_000),
        ("warm_up", -1), ("objective", "guess"),
    ],
)  # fmt: skip
def test_a_shape_that_cannot_be_is_refused(name: str, value: Any, tiny_settings: Settings) -> None:
    with pytest.raises((BadValue, TextTooShort)):
        check(zero_run(1, **{name: value}), tiny_settings)


def test_windows_of_another_objective_are_refused(tiny_settings: Settings) -> None:
    request = zero_run(1, objective="masked")
    with pytest.raises(BadValue):
        check(replace(request, train=zero_run(1).train), tiny_settings)
    check(request, tiny_settings)


def test_readers_of_one_shape_share_a_step_and_another_shape_does_not(tiny_engine: LocalEngine) -> None:
    """They are long, and stopped once they were seen together: a slow machine may start the last one late."""
    shapes, runs = (16, 16, 16, 32), tiny_engine.training.runs
    requests = [zero_run(seed, f"shares {seed}", n_steps=2_000, d_model=d) for seed, d in enumerate(shapes)]
    for request in requests:
        runs.start(request)
    most, until = [0] * len(requests), time.monotonic() + 300
    try:
        while most != [3, 3, 3, 1] and time.monotonic() < until:
            states = [runs.state(one.request_id, one.owner) for one in requests]
            now = [0 if one is None else one.n_together for one in states]
            most = [max(*pair) for pair in zip(most, now, strict=True)]
            time.sleep(0.005)
    finally:
        for request in requests:
            runs.cancel(request.request_id)
    assert most == [3, 3, 3, 1]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_learner_is_in_no_reference_circle(objective: str) -> None:
    request = zero_run(1, objective=objective)
    learner = PretrainingLearner([PretrainingSlot(request)], lambda: None)
    learner.step([batches(request)[0]])
    gone = weakref.ref(learner)
    gc.disable()
    try:
        del learner
        assert gone() is None
    finally:
        gc.enable()
