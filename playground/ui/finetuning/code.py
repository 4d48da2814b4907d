"""The code under the pictures, and the files that go with a downloaded adapter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from playground.core.files.training_rows import TrainingRow
from playground.core.forgetting import ForgettingMethod, everyday, general
from playground.engine.contract.models import AdapterName
from playground.engine.contract.remedies import Remedy
from playground.engine.contract.training import FinetuneSettings, TrainingState
from playground.engine.models.catalogue import catalogue
from playground.ui import show, state
from playground.ui.finetuning.sets import ReadSet


def reproduce(settings: FinetuneSettings, data: ReadSet) -> str:
    """A script that trains the same adapter with plain peft.

    Args:
        settings: Settings of the run.
        data: Data it was trained on.
    """
    lora = settings.lora
    return show.code(
        "finetuning",
        folder=show.model_folder(AdapterName.of(settings.model).base_id),
        rows=[_as_written(row) for row in data.trained_rows],
        held_out=[_as_written(row) for row in data.tested_rows],
        max_tokens=state.settings().max_training_tokens,
        n_steps=settings.n_steps,
        learning_rate=settings.learning_rate,
        r=lora.r,
        lora_alpha=lora.lora_alpha,
        lora_dropout=lora.lora_dropout,
        target_modules=list(lora.target_modules),
        batch_size=settings.batch_size,
        seed=settings.seed,
        method=settings.method,
        num_virtual_tokens=settings.num_virtual_tokens,
        bottleneck=settings.bottleneck,
        outputs=_outputs(settings.model),
        keep_best=settings.keep_best,
    )


def _outputs(model_id: str) -> list[str]:
    """Paths in a layer of the last projection of the attention and of the MLP."""
    entry = catalogue(state.settings())[AdapterName.of(model_id).base_id]
    return [str(one) for one in show.places(entry, "attention_output", "mlp_output").values()]


def remedied(
    method: ForgettingMethod,
    settings: FinetuneSettings,
    rows: tuple[Sequence[TrainingRow], Sequence[TrainingRow]],
    language: str,
) -> str:
    """A script that trains with a remedy against forgetting, with plain peft.

    Args:
        method: The remedy, or a rank.
        settings: All else.
        rows: Rows to learn from, and held-out ones.
        language: Language of the ordinary texts.
    """
    lora, remedy = settings.lora, Remedy.of(method.kind, method.strength)
    return show.code(
        "forgetting",
        folder=show.model_folder(AdapterName.of(settings.model).base_id),
        rows=[_as_written(row) for row in rows[0]],
        held_out=[_as_written(row) for row in rows[1]],
        old=list(everyday(language)),
        general=list(general(language)),
        kind=remedy.kind,
        strength=remedy.strength,
        n_steps=settings.n_steps,
        learning_rate=settings.learning_rate,
        r=method.r,
        lora_alpha=lora.scaling * method.r,
        target_modules=list(lora.target_modules),
        batch_size=settings.batch_size,
        seed=settings.seed,
        max_tokens=state.settings().max_training_tokens,
    )


def _as_written(row: TrainingRow) -> list[tuple[str, str]] | str:
    return list(row.messages) or row.text


def run_card(run: TrainingState, settings: FinetuneSettings, data: ReadSet | None, revision: str) -> str:
    """Settings and measurements of a run, as JSON.

    Args:
        run: A run that has ended.
        settings: Settings of the run.
        data: Data it was trained on, None where that is no longer known.
        revision: Revision of the base's weights.
    """
    card = {
        "settings": {
            "model": settings.model,
            "name": settings.name,
            "n_steps": settings.n_steps,
            "learning_rate": settings.learning_rate,
            **asdict(settings.lora),
            "method": settings.method,
            "remedy": asdict(settings.remedy),
            "num_virtual_tokens": settings.num_virtual_tokens,
            "bottleneck": settings.bottleneck,
            "batch_size": settings.batch_size,
            "seed": settings.seed,
            "keep_best": settings.keep_best,
            "revision": revision,
            "optimizer": "AdamW, weight decay 0, clipping at 1",
        },
        "texts": {
            "train": run.n_train,
            **({"held_out": len(data.held_out_rows)} if data is not None else {}),
            "held_out_tested": run.n_held_out,
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
