"""Several readers pick several models in the same second, in one engine and in two."""

from __future__ import annotations

import pytest
from transformers import PreTrainedModel

from playground.engine.models import loading
from playground.engine.models.table import ModelTable
from playground.errors import ModelNotFound
from playground.settings import Settings
from tests import tiny


def test_models_asked_for_at_once_all_become_ready(tiny_settings: Settings) -> None:
    for _ in range(3):
        table = ModelTable(tiny_settings)
        futures = [table.load(model_id) for model_id in tiny_settings.extra_models]
        for future in futures:
            assert not any(p.is_meta for p in future.result(timeout=180).model.parameters())
        table.close()


def test_two_engines_of_a_process_load_one_after_the_other(tiny_settings: Settings) -> None:
    tie_weights = PreTrainedModel.tie_weights
    for _ in range(10):
        tables = [ModelTable(tiny_settings) for _ in range(2)]
        for future in [table.load(tiny.LLAMA) for table in tables]:
            assert not any(p.is_meta for p in future.result(timeout=180).model.parameters())
        for table in tables:
            table.close()
    assert PreTrainedModel.tie_weights is tie_weights, "from_pretrained takes it away while it loads"


@pytest.mark.parametrize("error", [OSError("disk **x**"), ModelNotFound(model_id="a/b", cure="pull a/b")])
def test_a_model_that_does_not_load_says_why(
    error: Exception, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(loading, "load", broken)
    table = ModelTable(tiny_settings)
    assert table.load(tiny.LLAMA).exception(timeout=60) is error
    (info,) = (one for one in table.infos() if one.model_id == tiny.LLAMA)
    assert (info.state, str(info.message)) == ("failed", str(error))
    assert table.state(tiny.LLAMA) == ("failed", info.message)
    table.close()


def test_a_tokenizer_is_counted_with_its_model_or_alone_and_leaves_for_one_that_needs_the_room(
    tiny_settings: Settings,
) -> None:
    table = ModelTable(tiny_settings.model_copy(update={"model_bytes": 1}))
    alone = table.tokenizer(tiny.BERT)
    assert table.size_bytes == alone.size_bytes > 0
    default, other = (table.load(model).result(timeout=180) for model in (tiny.LLAMA, tiny.GPT2))
    sizes = [
        sum(one.nbytes for one in loaded.model.parameters()) + loaded.tokenizer.size_bytes
        for loaded in (default, other)
    ]
    assert table.size_bytes == sum(sizes), "without that of the model that is not here"
    assert table.tokenizer(tiny.BERT) is not alone
    assert table.size_bytes == sum(sizes) + alone.size_bytes
    del other
    table.load(tiny.BERT).result(timeout=180)
    assert table.state(tiny.GPT2)[0] == "waiting"
    assert tiny.GPT2 not in table._tokenizers
    table.close()
