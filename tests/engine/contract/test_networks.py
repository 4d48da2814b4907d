"""Networks trained on pairs, through the contract: trained in the queue, kept with a session, asked again."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load

from playground.core import recurrent
from playground.core.pairs.pair import Pair
from playground.core.pairs.sets import is_held_out, of_length
from playground.core.pairs.vocabulary import END, Vocabulary
from playground.engine.contract.engine import Engine
from playground.engine.contract.networks import (
    CostRequest,
    ExactRequest,
    GradientRequest,
    LengthCount,
    UnrollRequest,
)
from playground.engine.contract.pairs import PairSettings, PairsObservation, PairsRequest, pairs_request
from playground.engine.contract.training import ENDED, TrainingState
from playground.errors import (
    BadUpload,
    BadValue,
    EmptyText,
    NetworkGone,
    PlaygroundError,
    TextTooLong,
    TooManyNetworks,
    UnknownCharacters,
)
from tests.engine.training.pair_runs import pairs_run


def ended(engine: Engine, *requests: PairsRequest) -> list[TrainingState]:
    for one in requests:
        engine.training.runs.start(one)
    until = time.monotonic() + 120
    while time.monotonic() < until:
        states = [engine.training.runs.state(one.request_id, one.owner) for one in requests]
        if all(one is not None and one.status in ENDED for one in states):
            return [one for one in states if one is not None]
        time.sleep(0.02)
    raise AssertionError("the runs did not end")


@pytest.fixture(scope="module")
def trained(engine: Engine) -> TrainingState:
    [state] = ended(engine, pairs_run(1, "reader", n_steps=12, attention="additive"))
    return state


def test_a_run_tells_losses_exact_match_and_its_alignment_at_the_same_milestones(
    trained: TrainingState,
) -> None:
    assert (trained.status, trained.error, trained.step) == ("done", None, 12)
    assert [one.step for one in trained.observed] == [step for step, _loss in trained.held_out]
    assert trained.observed[0].step == 0
    assert trained.observed[-1].step == 12
    shown = pairs_run(1, "reader").shown
    for one in trained.observed:
        assert isinstance(one, PairsObservation)
        assert one.n_asked == 6
        assert 0 <= one.n_right <= 6
        assert one.weights is not None
        assert one.weights.shape == (len(shown.target) + 1, len(shown.source))
        np.testing.assert_allclose(one.weights.sum(1), 1, atol=1e-5)
        assert len(one.written) == len(shown.target) + 1


def test_a_trained_network_is_a_thing_of_its_session(engine: Engine, trained: TrainingState) -> None:
    networks = engine.networks
    assert [one.network_id for one in networks.of("reader")] == [trained.adapter]
    assert networks.of("another") == []
    info = networks.info(trained.adapter)
    assert (info.step, info.run, info.is_shipped) == (12, 1, False)
    assert info.settings == trained.settings
    assert info.size_bytes == 4 * info.n_parameters
    assert networks.belongs(trained.adapter, "reader")
    assert not networks.belongs(trained.adapter, "another")
    networks.remove(trained.adapter, "another")
    assert networks.info(trained.adapter) == info, "only its own session can delete it"


def test_the_file_of_a_network_gives_its_own_output_in_numpy(engine: Engine, trained: TrainingState) -> None:
    told = engine.networks.unroll(UnrollRequest(trained.adapter, source="abcde", owner="reader"))
    weights = load(engine.networks.exported(trained.adapter))
    reading = recurrent.read("gru", told.source_ids.tolist(), weights)
    writing = recurrent.write("gru", "additive", reading, told.input_ids.tolist(), weights)
    np.testing.assert_allclose(writing.weights, told.weights, atol=1e-5)
    assert writing.logits.argmax(1).tolist() == told.output_ids.tolist()


def test_beams_are_told_best_first_and_the_best_is_what_was_unrolled(
    engine: Engine, trained: TrainingState
) -> None:
    told = engine.networks.unroll(UnrollRequest(trained.adapter, source="abc", n_beams=3))
    assert len(told.beams) == 3
    assert [one.logprob for one in told.beams] == sorted((one.logprob for one in told.beams), reverse=True)
    assert told.beams[0].ids == tuple(told.output_ids.tolist())
    assert told.beams[0].logprob == pytest.approx(float(np.log(told.output_probs).sum()), abs=1e-4)


def test_under_teacher_forcing_the_decoder_reads_the_target(engine: Engine, trained: TrainingState) -> None:
    known = engine.networks.info(trained.adapter).target
    told = engine.networks.unroll(UnrollRequest(trained.adapter, source="abc", target="cba"))
    assert known.text(told.input_ids.tolist()[1:]) == "cba"
    asked = engine.networks.gradients(GradientRequest(trained.adapter, source="abc", target="cba"))
    assert (asked.step, asked.output_id) == (3, told.output_ids[-1])
    assert bool((asked.norms > 0).all())


def test_exact_match_is_that_of_unrolling_one_by_one(engine: Engine, trained: TrainingState) -> None:
    request = ExactRequest(trained.adapter, lengths=(2, 5), n_each=8, owner="reader")
    counts = list(engine.networks.exact(request))
    assert counts == list(engine.networks.exact(request)), "the second time from the cache"
    known = engine.networks.info(trained.adapter).target
    for count in counts:
        pairs = of_length("reverse", count.length, 8, 0)
        assert all(is_held_out(one.source) for one in pairs)
        told = [engine.networks.unroll(UnrollRequest(trained.adapter, source=one.source)) for one in pairs]
        right = sum(
            known.text(one.output_ids.tolist()) == pair.target and one.output_ids[-1] == END
            for one, pair in zip(told, pairs, strict=True)
        )
        assert count == LengthCount(count.length, right, len(pairs))


def test_costs_are_measured_at_each_length(engine: Engine, trained: TrainingState) -> None:
    costs = list(engine.networks.costs(CostRequest(trained.adapter, lengths=(1, 20, 200))))
    assert [one.length for one in costs] == [1, 20, 200]
    assert all(one.step_s > 0 for one in costs)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"source": ""}, EmptyText),
        ({"source": "a" * 200}, TextTooLong),
        ({"source": "3 May 2026"}, UnknownCharacters),
        ({"source": "안녕"}, UnknownCharacters),
        ({"source": "ab", "target": "b?"}, UnknownCharacters),
        ({"source": "ab", "n_beams": 0}, BadValue),
        ({"source": "ab", "n_beams": 99}, BadValue),
        ({"source": "ab", "model": "nothing"}, NetworkGone),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    engine: Engine, trained: TrainingState, changes: dict[str, Any], error: type[PlaygroundError]
) -> None:
    with pytest.raises(error):
        engine.networks.unroll(replace(UnrollRequest(trained.adapter), **changes))


def test_the_characters_that_are_not_known_are_named(engine: Engine, trained: TrainingState) -> None:
    with pytest.raises(UnknownCharacters, match=r"^The network has never seen 3 M2: it only knows abc"):
        engine.networks.unroll(UnrollRequest(trained.adapter, source="3 Ma 23"))


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": math.nan}, {"n_steps": 10**6}, {"batch_size": 1000}, {"teacher_forcing": 1.5},
        {"kind": "perceptron"}, {"attention": "hard"}, {"d_hidden": 10**6},
        {"kind": "transformer", "d_hidden": 10},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(engine: Engine, changes: dict[str, Any]) -> None:
    with pytest.raises(BadValue):
        engine.training.runs.start(pairs_run(1, "refused", **changes))
    assert not engine.training.runs.of("refused")


def test_a_learning_rate_that_is_too_large_ends_its_run_with_the_cure(engine: Engine) -> None:
    good = pairs_run(2, "careful", n_steps=12)
    state, failed = ended(engine, good, pairs_run(2, "bold", n_steps=60, learning_rate=50.0))
    assert state.status == "done"
    assert failed.status == "failed"
    assert failed.error is not None
    assert "smaller learning rate" in failed.error.msgid


def test_a_class_that_trains_on_the_same_data_holds_it_once() -> None:
    first, second = (pairs_request(PairSettings(seed=one, data="copy"), f"{one}") for one in range(2))
    assert first.train is second.train
    assert first.held_out is second.held_out


def test_own_pairs_are_learned_and_a_tenth_of_them_is_held_out(engine: Engine) -> None:
    own = [Pair(f"{one} plus {one}", str(2 * one)) for one in range(30)]
    settings = PairSettings(name="own", data="own", n_steps=4, batch_size=4)
    request = pairs_request(settings, "owner of pairs", own=own)
    assert (len(request.train), len(request.held_out)) == (27, 3)
    assert not {one.source for one in request.train} & {one.source for one in request.held_out}
    [state] = ended(engine, request)
    assert state.status == "done"
    known = Vocabulary(request.source_characters)
    assert known.unknown("12 plus 12") == ""
    with pytest.raises(BadValue):
        list(engine.networks.exact(ExactRequest(state.adapter, lengths=(5,))))


@pytest.mark.parametrize("pair", [Pair("", "x"), Pair("x", ""), Pair("x", "  ")])
def test_an_own_pair_with_an_empty_side_is_named(pair: Pair) -> None:
    with pytest.raises(BadUpload, match=r"^Row 2 of the file cannot be used: the (source|target) is empty"):
        pairs_request(PairSettings(data="own"), "", own=[Pair("a", "b"), pair])


def test_a_side_that_is_too_long_is_refused(engine: Engine) -> None:
    own = [Pair("a", "b"), Pair("b" * 101, "b")]
    with pytest.raises(TextTooLong):
        engine.training.runs.start(pairs_request(PairSettings(data="own"), "long", own=own))


def test_own_pairs_of_too_many_different_characters_are_refused(engine: Engine) -> None:
    own = [Pair("".join(chr(0xAC00 + 90 * row + one) for one in range(90)), "x") for row in range(30)]
    with pytest.raises(BadValue, match=r"^source_characters is 2700, but only 1-2000"):
        engine.training.runs.start(pairs_request(PairSettings(data="own"), "many", own=own))


def test_a_session_has_room_for_some_networks_and_deleting_makes_room(engine: Engine) -> None:
    for number in range(8):
        ended(engine, pairs_run(number, "collector", n_steps=1))
    with pytest.raises(TooManyNetworks):
        engine.training.runs.start(pairs_run(9, "collector", n_steps=1))
    oldest = engine.networks.of("collector")[0].network_id
    engine.networks.remove(oldest, "collector")
    with pytest.raises(NetworkGone):
        engine.networks.info(oldest)
    ended(engine, pairs_run(9, "collector", n_steps=1))
    assert len(engine.networks.of("collector")) == 8


def test_thirty_readers_train_at_once_and_everyone_gets_a_network(engine: Engine) -> None:
    requests = [
        pairs_run(number, f"reader {number}", n_steps=3, kind=("gru", "rnn", "lstm")[number % 3])
        for number in range(30)
    ]
    states = ended(engine, *requests)
    assert {one.status for one in states} == {"done"}
    assert len({one.adapter for one in states}) == 30
    alone = ended(engine, replace(requests[7], owner="alone", request_id="alone"))[0]
    assert [loss for _, loss in alone.train] == pytest.approx([loss for _, loss in states[7].train], abs=1e-5)
    for number in range(30):
        engine.cancel_owner(f"reader {number}")
