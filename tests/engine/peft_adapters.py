"""Adapter files that stock peft writes, and what stock peft makes of them when it reads them again."""

from __future__ import annotations

import copy
import io
import json
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import peft
import torch
from numpy.typing import NDArray

from playground.engine.adapters.peft_folder import CONFIG
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from tests.engine.conftest import oracle

IDS = (5, 6, 7, 8, 9)
Files = dict[str, bytes]


def written_by_peft(settings: Settings, model: str, seed: int = 0, **config: Any) -> Files:
    """The files of an adapter with random weights, as `save_pretrained` writes them.

    Raises:
        ValueError: peft refuses the config.
    """
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        made = peft.get_peft_model(copy.deepcopy(oracle(settings, model)), peft.LoraConfig(**config))
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, parameter in made.named_parameters():
                if "lora_" in name:
                    parameter.normal_(std=0.05, generator=generator)
        made.save_pretrained(folder)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.name != "README.md"}


def with_config(files: Mapping[str, bytes], **values: Any) -> Files:
    """The files with other values in the config; `...` takes a key away."""
    config = json.loads(files[CONFIG]) | values
    kept = {name: value for name, value in config.items() if value is not ...}
    return {**files, CONFIG: json.dumps(kept).encode()}


def read_by_peft(settings: Settings, model: str, files: Mapping[str, bytes]) -> NDArray[np.float32]:
    """Logits of the base with these files, by stock peft."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        for name, data in files.items():
            Path(folder, name).write_bytes(data)
        made = peft.PeftModel.from_pretrained(copy.deepcopy(oracle(settings, model)), folder).eval()
    with torch.no_grad():
        found: NDArray[np.float32] = made(torch.tensor([IDS])).logits[0].numpy()
    return found


def read_here(engine: LocalEngine, model: str, files: Mapping[str, bytes]) -> NDArray[np.float32]:
    """The same by the playground, which forgets the adapter again."""
    made = engine.adapters.imported(model, "x.zip", zipped(files), "reader", any_base=True).model_id
    try:
        return logits(engine, made)
    finally:
        engine.adapters.remove(made, "reader")


def logits(engine: LocalEngine, model: str) -> NDArray[np.float32]:
    """Logits of a model at every position."""
    found = engine.trace(TraceRequest(model, input_ids=IDS, capture=Capture(logits="all"))).logits
    assert found is not None
    return found


def zipped(files: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of these files."""
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", compression) as folder:
            for name, data in files.items():
                folder.writestr(name, data)
        return file.getvalue()
