"""The quantized copy: the shared model is untouched, the copy is right and is gone afterwards."""

from __future__ import annotations

import gc
import hashlib
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from playground.core.byte_cache import ByteCache
from playground.core.quantization import Scheme, quantize
from playground.engine.adapters.layers import Change, adapted, linears
from playground.engine.contract.quantization import QuantizedModel, QuantizeRequest, Quantizing
from playground.engine.contract.waiting import Waiting
from playground.engine.forward.traces import InputRow
from playground.engine.local.engine import LocalEngine
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.targets import target_start
from playground.engine.quantizing import work
from playground.engine.quantizing.line import Line
from playground.engine.scheduling.jobs import More
from playground.errors import Cancelled, TooLargeToCopy
from playground.settings import Settings
from tests.engine.conftest import oracle
from tests.tiny import FAMILIES, GPT2, LLAMA

COARSE = Scheme(2, "group", 32, is_symmetric=False, outliers=0.01)


def loaded_of(engine: LocalEngine, model: str) -> LoadedModel:
    return engine.adapters.load(model).result()


def hash_of(model: Any) -> str:
    """SHA-256 of every tensor with its name."""
    said = hashlib.sha256()
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        said.update(name.encode())
        said.update(tensor.detach().contiguous().view(torch.uint8).numpy().tobytes() if tensor.ndim else b"")
    return said.hexdigest()


def made(asked: work.Asked) -> QuantizedModel:
    job = work.QuantizingWork(asked, ByteCache(10**6))
    while isinstance(found := job.run(), More):
        pass
    return found


@pytest.mark.parametrize("model", FAMILIES)
def test_the_shared_model_is_untouched(tiny_engine: LocalEngine, model: str) -> None:
    loaded = loaded_of(tiny_engine, model)
    before = hash_of(loaded.model), hash_of(loaded.template)
    for whole in (False, True):
        list(
            tiny_engine.quantization.quantize(
                QuantizeRequest(model, "Untouched", passage="One. Two. Three.", scheme=COARSE, whole=whole)
            )
        )
    assert (hash_of(loaded.model), hash_of(loaded.template)) == before


@pytest.mark.parametrize("model", [LLAMA, GPT2])
def test_the_copy_answers_as_transformers_with_the_same_weights(
    tiny_engine: LocalEngine, tiny_settings: Settings, model: str
) -> None:
    """The library's own model, read anew, whose weights are replaced by hand."""
    import copy

    own = copy.deepcopy(oracle(tiny_settings, model))
    scheme = Scheme(3, "channel")
    for name, module in own.named_modules():
        if any(part.isdigit() for part in name.split(".")) and getattr(module, "weight", None) is not None:
            weight = module.weight.detach().numpy()
            if weight.ndim == 2:
                is_turned = type(module).__name__ == "Conv1D"
                read = quantize(np.ascontiguousarray(weight.T if is_turned else weight), scheme).weights()
                module.weight.data = torch.from_numpy(np.ascontiguousarray(read.T if is_turned else read))
    [*_, found] = tiny_engine.quantization.quantize(QuantizeRequest(model, "The capital", scheme=scheme))
    assert isinstance(found, QuantizedModel)
    assert found.logits is not None
    with torch.no_grad():
        expected = own(torch.tensor([found.input_ids])).logits[0, -1].numpy()
    np.testing.assert_allclose(found.logits[1], expected, atol=1e-4)


def test_a_tied_head_is_quantized_with_its_table(tiny_engine: LocalEngine) -> None:
    listed = tiny_engine.quantization.matrices(GPT2, whole=True)
    outside = [one for one in listed if one.layer is None]
    tied = loaded_of(tiny_engine, GPT2).model.config.tie_word_embeddings
    assert len(outside) == (1 if tied else 2)


@pytest.mark.parametrize("model", FAMILIES)
def test_the_copy_is_gone_when_the_work_is_done_or_dropped(tiny_engine: LocalEngine, model: str) -> None:
    loaded, copies = loaded_of(tiny_engine, model), list[Any]()

    def remembered(one: Any) -> Any:
        tree = real(one)
        copies.append(weakref.ref(tree))
        return tree

    start = target_start(loaded) if loaded.info.kind == "encoder-decoder" else ()
    asked = work.Asked(loaded, InputRow((5, 6, 7), start), (), Scheme(4, "channel").spelled(), False, 64)
    real, work.template_over = work.template_over, remembered  # type: ignore[misc]
    gc.collect()
    gc.disable()
    try:
        made(asked)
        dropped = work.QuantizingWork(asked, ByteCache(10**6))
        dropped.run()
        own = list(copies[1]().parameters()) if copies[1]() is not None else []
        ids = {id(one) for one in loaded.model.parameters()}
        tensors = [weakref.ref(one) for one in own if id(one) not in ids]
        del dropped, own
    finally:
        work.template_over = real  # type: ignore[misc]
        gc.enable()
    assert tensors
    assert [one() for one in tensors if one() is not None] == []


def test_a_copy_that_is_too_large_is_refused_with_both_sizes(tiny_engine: LocalEngine) -> None:
    part = tiny_engine.quantization
    settings, part._settings = part._settings, part._settings.model_copy(update={"max_quantized_bytes": 10})
    try:
        with pytest.raises(TooLargeToCopy) as raised:
            list(part.quantize(QuantizeRequest(LLAMA, "a")))
    finally:
        part._settings = settings
    assert raised.value.params["limit_gb"] == 10 / 1e9


def test_a_line_lets_equal_keys_stand_together() -> None:
    line = Line()
    with line.standing("a") as first:
        with line.standing("b") as second, line.standing("a") as same:
            assert (first(), second(), same()) == (0, 1, 0)
        with line.standing("b") as again:
            assert again() == 1
    with line.standing("b") as alone:
        assert alone() == 0


def test_another_scheme_waits_is_told_its_place_and_can_be_cancelled(
    tiny_engine: LocalEngine,
) -> None:
    """One copy at a time: the first reader's is not done yet."""
    part, places = tiny_engine.quantization, list[int]()
    first = part.quantize(QuantizeRequest(LLAMA, "first in line", scheme=Scheme(5, "tensor"), owner="a"))
    assert isinstance(next(first), Quantizing)
    request = QuantizeRequest(LLAMA, "second in line", scheme=Scheme(6, "tensor"), owner="b")

    def on_wait(waiting: Waiting) -> None:
        places.append(waiting.position)
        if len(places) == 2:
            tiny_engine.cancel(request.request_id)

    with pytest.raises(Cancelled):
        list(part.quantize(request, on_wait))
    assert places == [1, 1]
    first.close()  # type: ignore[attr-defined]  # a generator
    [*_progress, last] = part.quantize(request)
    assert isinstance(last, QuantizedModel)
    assert last.scheme.bits == 6


def test_the_model_as_it_is_reads_a_passage_once_for_all_schemes(tiny_engine: LocalEngine) -> None:
    found, n_forwards = [], []
    for bits in (2, 3):
        before = tiny_engine.stats().n_forwards
        request = QuantizeRequest(
            LLAMA, "a", passage="Once for all of them. " * 4, scheme=Scheme(bits, "tensor")
        )
        [*_progress, last] = tiny_engine.quantization.quantize(request)
        assert isinstance(last, QuantizedModel)
        found.append(last)
        n_forwards.append(tiny_engine.stats().n_forwards - before)
    assert n_forwards[1] == n_forwards[0] - 1
    np.testing.assert_array_equal(found[0].logprobs[0], found[1].logprobs[0])
    assert found[0].logprobs[0].all()


def test_who_closes_takes_the_job_back(tiny_engine: LocalEngine) -> None:
    request = QuantizeRequest(LLAMA, "closed early", passage="One. Two. " * 9, scheme=Scheme(7, "tensor"))
    steps = tiny_engine.quantization.quantize(request)
    next(steps)
    steps.close()  # type: ignore[attr-defined]  # a generator
    assert tiny_engine.stats().n_waiting == 0
    [*_progress, last] = tiny_engine.quantization.quantize(request)
    assert isinstance(last, QuantizedModel)


def test_results_are_bounded_in_bytes(tiny_engine: LocalEngine) -> None:
    known = tiny_engine.quantization._known
    assert known.limit_bytes == tiny_engine.settings.quantized_cache_bytes
    assert 0 < known.size_bytes <= known.limit_bytes


def test_the_numbers_of_an_adapter_stay_in_float(tiny_engine: LocalEngine) -> None:
    """Only the frozen matrix below it is quantized: as QLoRA does."""
    base = loaded_of(tiny_engine, LLAMA)
    path = next(iter(linears(base.template)))
    layer = base.template.get_submodule(path)
    change = Change(torch.ones(1, layer.in_features), torch.ones(layer.out_features, 1))
    adapted_model = adapted(base.template, {path: change}, 0.5, "x")
    asked = work.Asked(
        replace(base, model=adapted_model), InputRow((5, 6, 7)), (), Scheme(2, "tensor").spelled(), False, 64
    )
    found = made(asked)
    names = [one.matrix.name for one in found.matrices]
    assert f"{path}.base" in names
    assert not any("change" in name for name in names)
    assert found.logits is not None
    plain_before = made(replace(asked, loaded=base)).logits
    assert plain_before is not None
    assert np.abs(found.logits[0] - plain_before[0]).max() > 1e-3
