"""Several readers pick several models in the same second."""

from __future__ import annotations

from playground.engine.table import ModelTable
from playground.settings import Settings


def test_models_asked_for_at_once_all_become_ready(tiny_settings: Settings) -> None:
    for _ in range(3):
        table = ModelTable(tiny_settings)
        futures = [table.load(model_id) for model_id in tiny_settings.extra_models]
        for future in futures:
            assert not any(p.is_meta for p in future.result(timeout=180).model.parameters())
        table.close()
