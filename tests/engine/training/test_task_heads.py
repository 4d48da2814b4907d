"""Task heads: by hand with plain transformers, by scikit-learn, refused by name, bounded."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from torch.nn.functional import cross_entropy

from playground.core.byte_cache import ByteCache
from playground.engine import create_engine
from playground.engine.contract.task_heads import (
    HeadExample,
    HeadObservation,
    HeadRequest,
    HeadTask,
)
from playground.engine.local.engine import LocalEngine
from playground.engine.training.head_learner import HeadLearner
from playground.engine.training.head_slot import HEAD_RATE, HeadSlot
from playground.engine.training.run import text_order
from playground.errors import (
    BadValue,
    HeadGone,
    HeldOutTrained,
    NoRoom,
    OneLabelOnly,
    PlaygroundError,
    TooManyHeads,
    TooManyTokens,
    Unsupported,
)
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import oracle
from tests.engine.training.head_runs import examples, head_run

TASKS: tuple[HeadTask, ...] = ("label", "number", "words")


def nothing() -> None:
    """Nobody waits."""


def learner_of(engine: LocalEngine, request: HeadRequest) -> tuple[HeadSlot, HeadLearner]:
    slot = HeadSlot(request, engine.adapters.load(request.settings.model).result(timeout=60))
    return slot, HeadLearner([slot], ByteCache(2**20), 64, nothing)


def vectors(model: Any, one: HeadExample) -> torch.Tensor:
    """What the head reads, of one text alone, by the library's own model."""
    states = model(torch.tensor([one.input_ids])).last_hidden_state[0]
    chosen = states[list(one.places)] if one.places else states.mean(0)[None]
    made: torch.Tensor = chosen / chosen.norm(dim=1, keepdim=True) * states.shape[1] ** 0.5
    return made


def batches(request: HeadRequest, n_steps: int) -> list[list[HeadExample]]:
    size = request.settings.batch_size
    order = text_order(len(request.train), n_steps * size, request.settings.seed)
    return [[request.train[i] for i in order[size * n : size * (n + 1)]] for n in range(n_steps)]


@pytest.mark.parametrize("task", TASKS)
def test_an_encoder_learns_as_a_loop_written_by_hand(
    task: HeadTask, tiny_engine: LocalEngine, tiny_settings: Settings
) -> None:
    request = head_run(3, task=task, objective="encoder")
    slot, learner = learner_of(tiny_engine, request)
    model = copy.deepcopy(oracle(tiny_settings, tiny.BERT)).requires_grad_(False)
    layers = list(model.encoder.layer.requires_grad_(True).parameters())
    head = torch.nn.Linear(slot.weight.shape[1], slot.weight.shape[0])
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.constant_(head.bias, float(np.mean([one.targets for one in request.train]))
                            if task == "number" else 0.0)  # fmt: skip
    rate = request.settings.learning_rate
    optimizer = torch.optim.AdamW(
        [{"params": layers, "lr": rate}, {"params": head.parameters(), "lr": HEAD_RATE * rate}],
        weight_decay=0.0,
    )
    for batch in batches(request, 5):
        made = torch.cat([head(vectors(model, one)) for one in batch])
        targets = torch.tensor([target for one in batch for target in one.targets])
        loss = (
            (made[:, 0] - targets).square().mean()
            if task == "number"
            else cross_entropy(made, targets.long())
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_([*layers, *head.parameters()], 1.0)
        optimizer.step()
        assert learner.step([batch]) == pytest.approx([loss.item()], rel=1e-5)
    torch.testing.assert_close(slot.bias, head.bias, atol=1e-5, rtol=1e-4)
    own = dict(slot.encoder.model.base_model.named_parameters())
    for name, value in model.named_parameters():
        if not name.endswith("key.bias"):  # it moves all scores alike: its gradient is rounding
            torch.testing.assert_close(own[name], value, atol=1e-5, rtol=1e-3)


def test_training_an_encoder_leaves_the_shared_one_as_it_was(tiny_engine: LocalEngine) -> None:
    loaded = tiny_engine.adapters.load(tiny.BERT).result()
    before = {name: value.clone() for name, value in loaded.model.named_parameters()}
    request = head_run(3, objective="encoder", learning_rate=1e-2)
    slot, learner = learner_of(tiny_engine, request)
    learner.step([batches(request, 1)[0]])
    learner.step([batches(request, 2)[1]])
    assert all(torch.equal(before[name], value) for name, value in loaded.model.named_parameters())
    layers = slot.snapshot(2, 1).layers
    assert any(not torch.equal(layers[name], before[f"encoder.layer.{name}"]) for name in layers)
    shared = {one.data_ptr() for one in loaded.model.parameters()}
    own = {name for name, one in slot.encoder.model.named_parameters() if one.data_ptr() not in shared}
    assert own == {f"encoder.layer.{name}" for name in layers}, "the table of embeddings is the same memory"


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("labels", [("a", "b"), ("a", "b", "c")])
def test_a_head_alone_ends_where_scikit_learn_ends(
    task: HeadTask, labels: tuple[str, ...], tiny_engine: LocalEngine, tiny_settings: Settings
) -> None:
    train = examples(24, 5, task, len(labels))
    request = head_run(5, task=task, train=train, labels=() if task == "number" else labels)
    request = replace(request, settings=replace(request.settings, inverse_penalty=0.5))
    slot, learner = learner_of(tiny_engine, request)
    for _ in range(600):
        learner.step([train])
    model = oracle(tiny_settings, tiny.BERT)
    read = torch.cat([vectors(model, one) for one in (*train, *request.held_out)]).detach().numpy()
    read = read / np.linalg.norm(read, axis=1, keepdims=True)
    targets = np.array([target for one in train for target in one.targets])
    learned, asked = read[: len(targets)], read[len(targets) :]
    head = slot.snapshot(600, 1)
    made = asked @ head.weight.numpy().T + head.bias.numpy()
    if task == "number":
        fitted: Any = Ridge(alpha=1 / (2 * 0.5)).fit(learned, targets)
        np.testing.assert_allclose(made[:, 0], fitted.predict(asked), atol=2e-3)
        return
    fitted = LogisticRegression(C=0.5 * (2 if len(labels) == 2 else 1), max_iter=5_000, tol=1e-9)
    np.testing.assert_allclose(_softmax(made), fitted.fit(learned, targets).predict_proba(asked), atol=2e-3)


def _softmax(logits: NDArray[Any]) -> NDArray[Any]:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def ended(engine: LocalEngine, request: HeadRequest) -> Any:
    engine.training.runs.start(request)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        state = engine.training.runs.state(request.request_id, request.owner)
        if state is not None and state.status in ("done", "failed", "cancelled") and state.is_settled:
            return state
        time.sleep(0.005)
    raise AssertionError("the run did not end")


@pytest.mark.parametrize("objective", ["head", "encoder"])
def test_the_same_seed_gives_the_same_numbers(objective: str, tiny_engine: LocalEngine) -> None:
    def numbers(seed: int, owner: str) -> tuple[object, ...]:
        changed = replace(head_run(1).settings, seed=seed, objective=objective)
        state = ended(tiny_engine, replace(head_run(1, owner), settings=changed))
        tiny_engine.task_heads.remove(state.adapter, owner)  # so that the same is computed again
        return state.train, state.held_out, state.observed

    assert numbers(1, "first") == numbers(1, "again") != numbers(2, "other seed")


def test_a_text_is_read_once_by_all_runs_that_learn_from_it(tiny_engine: LocalEngine) -> None:
    loaded = tiny_engine.adapters.load(tiny.BERT).result()
    n_read: list[int] = []
    hook = loaded.model.register_forward_pre_hook(
        lambda _model, _args, named: n_read.append(len(named["input_ids"])), with_kwargs=True
    )
    try:
        shared = head_run(77, train=examples(9, 770), held_out=examples(5, 771))
        for owner in ("one", "two"):
            own = replace(shared, owner=owner, request_id=owner)
            assert ended(tiny_engine, own).status == "done"
    finally:
        hook.remove()
    assert sum(n_read) == 9 + 5


def test_answers_to_held_out_texts_are_counted_as_they_are(tiny_engine: LocalEngine) -> None:
    request = head_run(4, task="words", held_out=examples(6, 44, "words"))
    slot, learner = learner_of(tiny_engine, request)
    learner.step([batches(request, 1)[0]])
    seen = learner.observe(0, request, 1)
    counts = np.zeros((3, 3), dtype=int)
    for one in request.held_out:
        made = torch.cat([vectors(slot.loaded.model, one)]) @ slot.weight.T + slot.bias
        np.add.at(counts, (np.array(one.targets, dtype=int), made.argmax(1).numpy()), 1)
    assert seen == HeadObservation(1, tuple(map(tuple, counts.tolist())))
    assert counts.sum() == 12
    assert seen.accuracy == np.trace(counts) / 12


# ---- refused by name


def changed(request: HeadRequest, **settings: object) -> HeadRequest:
    return replace(request, settings=replace(request.settings, **settings))  # type: ignore[arg-type]


GOOD = head_run(1)
SAME_IDS = replace(GOOD.train[0], texts=("other words",))


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (replace(GOOD, held_out=(*GOOD.held_out, GOOD.train[2])), HeldOutTrained),
        (replace(GOOD, held_out=(replace(GOOD.held_out[0], texts=("text  1.0 ",)),)), HeldOutTrained),
        (replace(GOOD, held_out=(SAME_IDS,)), HeldOutTrained),
        (replace(GOOD, train=tuple(replace(one, targets=(1.0,)) for one in GOOD.train)), OneLabelOnly),
        (replace(GOOD, train=(replace(GOOD.train[0], targets=(3.0,)),)), BadValue),
        (replace(GOOD, train=(replace(GOOD.train[0], targets=(float("nan"),)),)), BadValue),
        (replace(GOOD, train=(replace(GOOD.train[0], input_ids=(999,)),)), BadValue),
        (replace(GOOD, train=(replace(GOOD.train[0], places=(1,), targets=(0.0, 1.0)),)), BadValue),
        (replace(GOOD, train=(replace(GOOD.train[0], input_ids=(5,) * 129),)), TooManyTokens),
        (changed(GOOD, labels=("a",)), BadValue),
        (changed(GOOD, labels=("a", "a", "b")), BadValue),
        (changed(GOOD, labels=("a", "b", "c" * 61)), BadValue),
        (changed(GOOD, inverse_penalty=0.0), BadValue),
        (changed(GOOD, task="magic"), BadValue),
        (changed(GOOD, model=tiny.LLAMA), Unsupported),
        (changed(GOOD, n_steps=1001), BadValue),
        (changed(GOOD, objective="encoder", n_steps=301), BadValue),
        (changed(GOOD, objective="encoder", batch_size=33), BadValue),
    ],
)
def test_a_run_that_cannot_be_is_refused(
    request_: HeadRequest, error: type[PlaygroundError], tiny_engine: LocalEngine
) -> None:
    with pytest.raises(error):
        tiny_engine.training.runs.start(request_)


def test_a_held_out_text_that_is_learned_from_is_named(tiny_engine: LocalEngine) -> None:
    with pytest.raises(HeldOutTrained, match=r'The text "text 1\.2" is both learned from'):
        tiny_engine.training.runs.start(replace(GOOD, held_out=(GOOD.train[2],)))


# ---- bounded


def test_whole_encoders_train_one_after_another(tiny_engine: LocalEngine) -> None:
    first, second = (
        head_run(one, f"one of two {one}", objective="encoder", n_steps=200, learning_rate=1e-5)
        for one in (1, 2)
    )
    for request in (first, second):
        tiny_engine.training.runs.start(request)
    seen: set[tuple[str, str]] = set()
    states: Sequence[Any] = ()
    while not states or any(one.status != "done" for one in states):
        found = [tiny_engine.training.runs.state(one.request_id, one.owner) for one in (first, second)]
        states = [one for one in found if one is not None]
        seen.add((states[0].status, states[1].status))
        time.sleep(0.001)
    assert ("running", "waiting") in seen
    assert ("running", "running") not in seen


def test_encoders_in_training_that_fill_the_memory_keep_others_out(tiny_settings: Settings) -> None:
    engine = create_engine(tiny_settings.model_copy(update={"max_encoder_bytes": 2**20}))
    try:
        rests = head_run(1, "rests", objective="encoder", n_steps=300, learning_rate=1e-6)
        engine.training.runs.start(rests)
        engine.training.runs.pause(rests.request_id)
        assert ended(engine, head_run(2, "let in", objective="encoder")).status == "done"
        engine.training.runs.resume(rests.request_id)
        while not (state := engine.training.runs.state(rests.request_id, "rests")) or not state.step:
            time.sleep(0.002)
        engine.training.runs.pause(rests.request_id)
        kept_out = ended(engine, head_run(3, "kept out", objective="encoder"))
        assert (kept_out.status, kept_out.error) == ("failed", NoRoom().message)
        engine.training.runs.cancel(rests.request_id)
        assert ended(engine, head_run(4, "room again", objective="encoder")).status == "done"
    finally:
        engine.close()


def test_kept_encoders_are_bounded_and_those_of_who_left_go_first(tiny_settings: Settings) -> None:
    room = 400_000  # bytes: the tiny encoder's layers once, not twice
    engine = create_engine(
        tiny_settings.model_copy(update={"max_head_bytes": room, "max_heads_per_session": 2})
    )
    heads = engine.task_heads
    try:
        one = ended(engine, head_run(1, "one", objective="encoder")).adapter
        assert room / 2 < heads.info(one).size_bytes < room
        with pytest.raises(NoRoom):
            engine.training.runs.start(head_run(2, "two", objective="encoder"))
        engine.cancel_owner("one")
        assert ended(engine, head_run(2, "two", objective="encoder")).adapter
        with pytest.raises(HeadGone):
            heads.info(one)
        [kept] = heads.of("two")
        heads.remove(kept.head_id, "nobody")
        assert [heads.belongs(kept.head_id, who) for who in ("two", "three")] == [True, False]
        ended(engine, head_run(3, "two"))
        with pytest.raises(TooManyHeads):
            engine.training.runs.start(head_run(4, "two"))
    finally:
        engine.close()
