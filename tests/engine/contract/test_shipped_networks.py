"""The networks that come with the playground, as any engine tells of them."""

from __future__ import annotations

import time

from playground.engine.contract.engine import Engine
from playground.engine.contract.networks import NetworkInfo, UnrollRequest

NAMES = (
    "reverse-gru-none",
    "reverse-gru-additive",
    "dates-gru-additive",
    "reverse-rnn-none",
    "reverse-lstm-none",
    "dates-transformer-dot",
)


def test_the_alignment_of_an_english_date_crosses(engine: Engine) -> None:
    """Day, month and year are written in another order than they are read."""
    source = "3 May 2026"
    told = engine.networks.unroll(UnrollRequest("dates-gru-additive", source=source))
    info = engine.networks.info("dates-gru-additive")
    assert info.target.text(told.output_ids.tolist()) == "2026-05-03"
    assert told.weights is not None
    places = told.weights.argmax(1)
    year, month, day = places[2:4].mean(), places[5:7].mean(), places[8:10].mean()
    assert year > month > day


def test_shipped_networks_are_there_at_once_and_belong_to_everybody(engine: Engine) -> None:
    started = time.process_time()
    infos = engine.networks.shipped()
    assert time.process_time() - started < 1
    assert [one.network_id for one in infos] == [*NAMES]
    for info in infos:
        assert isinstance(info, NetworkInfo)
        assert info.is_shipped
        assert engine.networks.belongs(info.network_id, "anybody")
        engine.networks.remove(info.network_id, "anybody")
        assert engine.networks.info(info.network_id) == info


def test_a_korean_date_keeps_its_order(engine: Engine) -> None:
    told = engine.networks.unroll(UnrollRequest("dates-gru-additive", source="2026년 5월 3일"))
    assert engine.networks.info("dates-gru-additive").target.text(told.output_ids.tolist()) == "2026-05-03"
    assert told.weights is not None
    places = told.weights.argmax(1)
    assert places[2:4].mean() < places[5:7].mean() < places[8:10].mean()
