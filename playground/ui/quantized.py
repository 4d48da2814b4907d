"""Quantized copies of models: the door to them, for every page."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from playground.engine.contract.quantization import (
    Quantization,
    QuantizedModel,
    QuantizeRequest,
    Quantizing,
)
from playground.ui.compute import engine
from playground.ui.state import PageContext
from playground.ui.stepwise import until_click


def quantization() -> Quantization:
    """The part of the engine that quantizes."""
    return engine().quantization


def quantize(context: PageContext, request: QuantizeRequest) -> Generator[Quantizing | QuantizedModel]:
    """Progress and at last the result, until the reader clicks; the waiting line is drawn here and now."""
    return until_click(replace(request, owner=context.owner), quantization().quantize)
