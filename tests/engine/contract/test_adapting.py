"""The other ways to adapt, by any engine: trained, used, out as a file and in again."""

from __future__ import annotations

import time
from uuid import uuid4

import numpy as np
import pytest

from playground.core.lora import LoraConfig
from playground.engine.contract.adapters import Method
from playground.engine.contract.adapting import way_run, way_settings
from playground.engine.contract.engine import Engine
from playground.engine.contract.inside import AblationsRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import ENDED
from playground.errors import BadValue, Unsupported
from tests import tiny
from tests.engine.training.learning import texts

LAST = Capture(logits="last")


@pytest.mark.parametrize("method", ["bottleneck", "prompt", "prefix"])
def test_a_way_is_trained_used_and_taken_home(engine: Engine, method: Method) -> None:
    owner = uuid4().hex
    settings = way_settings(tiny.LLAMA, method, 3, LoraConfig().target_modules, n_steps=3)
    request = way_run(settings, texts(6, 1), texts(2, 2), owner)
    engine.training.runs.start(request)
    until = time.monotonic() + 300
    while (
        state := engine.training.runs.state(request.request_id, owner)
    ) is None or state.status not in ENDED:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert (state.status, state.step) == ("done", 3)
    while not state.adapter:
        time.sleep(0.05)
        state = engine.training.runs.state(request.request_id, owner)
        assert state is not None
    info = engine.adapters.info(state.adapter)
    assert (info.method, info.num_virtual_tokens) == (method, 0 if method == "bottleneck" else 3)
    own = engine.trace(TraceRequest(state.adapter, input_ids=(5, 6, 7), capture=LAST)).logits
    base = engine.trace(TraceRequest(tiny.LLAMA, input_ids=(5, 6, 7), capture=LAST)).logits
    assert own is not None
    assert np.abs(own - base).max() > 1e-4
    heads = [
        one
        for part in engine.inside.ablations(AblationsRequest(state.adapter, "the dog sat"))
        for one in part.heads
    ]
    assert len(heads) == len(set(heads)) > 1
    with pytest.raises(Unsupported):
        engine.adapters.changes(state.adapter)
    if method != "bottleneck":
        with pytest.raises(BadValue, match="0, 1"):
            engine.trace(TraceRequest(f"{state.adapter}@50", input_ids=(5, 6, 7), capture=LAST))
    data = engine.adapters.exported(state.adapter, {})
    again = engine.adapters.imported(tiny.LLAMA, "a.zip", data, owner).model_id
    np.testing.assert_array_equal(
        engine.trace(TraceRequest(again, input_ids=(5, 6, 7), capture=LAST)).logits, own
    )
    engine.cancel_owner(owner)
