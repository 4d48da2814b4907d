"""The code under the pictures, and the files that go with a downloaded adapter."""

from __future__ import annotations

import json
from dataclasses import asdict

from playground.core.files.training_rows import TrainingRow
from playground.engine.contract.models import AdapterName
from playground.engine.contract.training import FinetuneRequest, TrainingState
from playground.ui import show, state
from playground.ui.finetuning.sets import TrainingSet

_SHOWN = (
    "n_steps", "learning_rate", "r", "lora_alpha", "lora_dropout", "batch_size", "seed", "method",
    "keep_best",
)  # fmt: skip


def reproduce(request: FinetuneRequest, data: TrainingSet) -> str:
    """A script that trains the same adapter with plain peft.

    Args:
        request: The run.
        data: What it was trained on.
    """
    values = {name: getattr(request, name) for name in _SHOWN}
    return show.code(
        "finetuning",
        folder=show.model_folder(AdapterName.of(request.model).base_id),
        rows=[_as_written(row) for row in data.trained_rows],
        held_out=[_as_written(row) for row in data.tested_rows],
        target_modules=list(request.target_modules),
        max_tokens=state.settings().max_training_tokens,
        **values,
    )


def _as_written(row: TrainingRow) -> list[tuple[str, str]] | str:
    return list(row.messages) or row.text


def run_card(run: TrainingState, data: TrainingSet | None, revision: str) -> str:
    """What was done and measured, as JSON.

    Args:
        run: It has ended.
        data: What it was trained on, None where that is no longer known.
        revision: Of the base's weights.
    """
    request = run.request
    settings = asdict(request)
    for name in ("train", "held_out", "general", "prompts", "owner", "request_id"):
        del settings[name]
    card = {
        "settings": settings | {"revision": revision, "optimizer": "AdamW, weight decay 0, clipping at 1"},
        "texts": {
            "train": len(request.train),
            **({"held_out": len(data.parts[1])} if data is not None else {}),
            "held_out_tested": len(request.held_out),
        },
        "status": run.status,
        "steps": run.step,
        "adapter_step": run.adapter_step,
        "best_step": run.best_step,
        "train_loss": run.train,
        "held_out_loss": run.held_out,
        "general_loss": run.general,
        "n_tokens": run.n_tokens,
        "elapsed_s": round(run.elapsed_s, 1),
        "samples": [asdict(sample) for sample in run.samples],
    }
    return json.dumps(card, ensure_ascii=False, indent=2)
