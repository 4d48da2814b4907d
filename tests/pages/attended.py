"""What the attention page shows, read back."""

from __future__ import annotations

from typing import Any

from playground.core.interventions import Intervention
from playground.core.trace import Trace
from playground.engine.contract.engine import Engine
from playground.engine.contract.traces import Capture, TraceRequest

TEXT = "The cat sat on the mat and the cat sat"


def read(
    engine: Engine, model: str, text: str = TEXT, *, intervention: Intervention | None = None, **wanted: Any
) -> Trace:
    capture = Capture(**{"attentions": "float32"} | wanted)
    return engine.trace(TraceRequest(model, text, capture, intervention=intervention))
