"""Runs on pairs: by hand, with the network's own outputs read, kept as long as their session and a while."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from playground.engine import create_engine
from playground.engine.contract.pairs import PairsObservation
from playground.engine.recurrent.building import batch_of, new_network
from playground.engine.recurrent.writing import greedy, n_right
from playground.engine.training.pair_learner import PairLearner, PairSlot
from playground.engine.training.run import text_order
from playground.errors import NetworkGone
from playground.settings import Settings
from tests.engine.training.pair_runs import pairs_run


def nothing() -> None:
    """Nobody waits."""


@pytest.mark.parametrize(
    ("kind", "attention"), [("gru", "additive"), ("lstm", "dot"), ("rnn", "none"), ("transformer", "dot")]
)
def test_a_run_learns_as_a_loop_written_by_hand(kind: str, attention: str) -> None:
    request = pairs_run(3, kind=kind, attention=attention, n_steps=5)
    settings = request.settings
    slot = PairSlot(request)
    learner = PairLearner([slot], nothing)
    n_source, n_target = len(request.source_characters), len(request.target_characters)
    network = new_network(settings.network, n_source, n_target, settings.seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=0.0)
    order = text_order(len(request.train), 20, settings.seed)
    for step in range(5):
        examples = [request.train[i] for i in order[4 * step : 4 * step + 4]]
        losses = []
        for one in examples:  # alone, so that nothing is filled up
            batch = batch_of([one])
            logits = network.forced(
                batch.inputs, network.read(network.embed(batch.source), batch.lengths)
            ).logits
            losses.append(cross_entropy(logits[0], batch.targets[0], reduction="sum"))
        loss = torch.stack(losses).sum() / sum(one.n_trained for one in examples)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        assert learner.step([examples]) == pytest.approx([loss.item()], abs=1e-5)
    trained = network.state_dict()
    for name, value in slot.network.state_dict().items():
        if not name.endswith("key.bias"):  # it moves all scores alike: its gradient is rounding
            torch.testing.assert_close(value, trained[name], atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("kind", ["gru", "transformer"])
@torch.no_grad()
def test_without_teacher_forcing_the_decoder_reads_its_own_outputs(kind: str) -> None:
    request = pairs_run(4, kind=kind, attention="dot", teacher_forcing=0.0)
    slot = PairSlot(request)
    examples = request.train[:3]
    batch = batch_of(examples)
    logits = PairLearner([slot], nothing)._written(slot, batch)
    for row, example in enumerate(examples):
        written = greedy(slot.network, [example.source], batch.inputs.shape[1])[0]
        assert logits[row].argmax(-1).tolist()[: len(written)] == [*written]


def test_a_share_of_teacher_forcing_is_drawn_anew_in_each_step_and_the_same_again() -> None:
    def losses(forcing: float) -> list[float]:
        request = pairs_run(5, teacher_forcing=forcing)
        learner = PairLearner([PairSlot(request)], nothing)
        return [learner.step([request.train[:8]])[0] for _ in range(4)]

    assert losses(0.5) == losses(0.5)
    assert len({losses(forcing)[-1] for forcing in (0.0, 0.5, 1.0)}) == 3


def test_what_is_observed_is_what_the_network_writes() -> None:
    request = pairs_run(6, attention="none")
    slot = PairSlot(request)
    seen = PairLearner([slot], nothing).observe(0, request, 0)
    assert seen == PairsObservation(
        0, n_right(slot.network, request.held_out), len(request.held_out), seen.written, None
    )


def test_networks_outlive_their_session_for_a_while(tiny_settings: Settings) -> None:
    engine = create_engine(tiny_settings.model_copy(update={"adapter_grace_s": 0.3}))
    try:
        request = pairs_run(1, "leaver", n_steps=2)
        engine.training.runs.start(request)
        state: Any = None
        until = time.monotonic() + 60
        while (state is None or not state.adapter) and time.monotonic() < until:
            state = engine.training.runs.state(request.request_id, "leaver")
            time.sleep(0.01)
        engine.cancel_owner("leaver")
        assert engine.networks.info(state.adapter).step == 2
        while engine.networks.of("leaver") and time.monotonic() < until:
            time.sleep(0.02)
        with pytest.raises(NetworkGone):
            engine.networks.info(state.adapter)
    finally:
        engine.close()
