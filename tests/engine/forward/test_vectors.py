"""The embedding table is the model's own memory; many texts are read as one by one, fairly and once each."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from playground.core.sentences import sentence_vector
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.vectors import TracesRequest
from playground.engine.forward.texts import chunks
from playground.engine.forward.traces import InputRow
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import model_folder
from playground.errors import BadValue, Cancelled, EmptyText, TooManyTokens, Unsupported
from playground.settings import DEFAULT_DECODER, DEFAULT_ENCODER, Settings
from tests import tiny
from tests.engine.conftest import oracle

TEXTS = ("The capital of England is", "the cat", "서울은 한국의 수도입니다.", "the cat", "a")


@pytest.mark.parametrize("model", tiny.FAMILIES)
def test_table_is_the_input_embedding(tiny_engine: LocalEngine, tiny_settings: Settings, model: str) -> None:
    table = tiny_engine.vectors.embedding_table(model)
    expected = oracle(tiny_settings, model).get_input_embeddings().weight.detach().numpy()
    np.testing.assert_array_equal(table.vectors, expected)
    assert not table.vectors.flags.writeable
    assert tiny_engine.vectors.embedding_table(model) is table, "thirty readers, one table"


@pytest.mark.real
@pytest.mark.parametrize("model", [DEFAULT_DECODER, DEFAULT_ENCODER])
def test_real_table_is_not_a_copy(real_engine: LocalEngine, model: str) -> None:
    table = real_engine.vectors.embedding_table(model)
    weight = real_engine._table.load(model).result(timeout=180).model.get_input_embeddings().weight
    assert table.vectors.ctypes.data == weight.data_ptr()


def test_untrained_vectors_are_what_a_new_embedding_layer_has(tiny_engine: LocalEngine) -> None:
    before = torch.random.get_rng_state()
    got = tiny_engine.vectors.untrained_vectors(7, 64, 5)
    assert torch.equal(torch.random.get_rng_state(), before), "the process-wide stream is untouched"
    with torch.random.fork_rng():
        torch.random.manual_seed(5)
        expected = torch.nn.Embedding(7, 64).weight.detach().numpy()
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2, tiny.BERT])
def test_many_texts_are_read_as_one_by_one(tiny_engine: LocalEngine, model: str) -> None:
    found = dict(tiny_engine.vectors.traces(TracesRequest(model, TEXTS, "all")))
    assert sorted(found) == list(range(len(TEXTS)))
    for place, text in enumerate(TEXTS):
        trace = found[place]
        assert isinstance(trace, Trace)
        loaded = tiny_engine._table.load(model).result(timeout=180)
        alone = oracle_states(loaded.model, trace)
        np.testing.assert_allclose(trace.hidden_states, alone, atol=1e-4, rtol=1e-4)
        assert (
            tuple(trace.input_ids)
            == tiny_engine.tokenizers.tokenize(model, text, add_special_tokens=True).input_ids
        )


def oracle_states(model: torch.nn.Module, trace: Trace) -> np.ndarray:
    with torch.no_grad():
        output = model.base_model(
            input_ids=torch.from_numpy(trace.input_ids.copy())[None], output_hidden_states=True
        )
    return torch.stack(output.hidden_states)[:, 0].numpy()


def test_equal_texts_are_read_once_and_known_ones_never(tiny_engine: LocalEngine) -> None:
    texts = ("all five hundred are equal",) * 500
    before = tiny_engine.stats().n_forwards
    assert len(list(tiny_engine.vectors.traces(TracesRequest(tiny.BERT, texts, (2,))))) == 500
    assert tiny_engine.stats().n_forwards == before + 1
    again = dict(tiny_engine.vectors.traces(TracesRequest(tiny.BERT, texts, (2,))))
    assert tiny_engine.stats().n_forwards == before + 1
    assert all(isinstance(trace, Trace) and trace.cached for trace in again.values())
    tiny_engine.trace(TraceRequest(tiny.BERT, texts[0], Capture(hidden_states=(2,))))
    assert tiny_engine.stats().n_forwards == before + 1, "and a single trace finds it too"


def test_a_text_that_cannot_be_read_takes_no_other_with_it(tiny_engine: LocalEngine) -> None:
    found = dict(tiny_engine.vectors.traces(TracesRequest(tiny.BERT, ("fine", "", "a b " * 300), (0,))))
    assert isinstance(found[0], Trace)
    assert isinstance(found[1], EmptyText)
    assert isinstance(found[2], TooManyTokens)


def test_of_a_long_text_the_beginning_is_read_when_so_asked(tiny_engine: LocalEngine) -> None:
    long, limit = "the cat sat on the mat " * 60, 20
    found = dict(
        tiny_engine.vectors.traces(TracesRequest(tiny.BERT, (long, "the cat"), (2,), max_tokens=limit))
    )
    trace, short = found[0], found[1]
    assert isinstance(trace, Trace)
    assert isinstance(short, Trace)
    ids = tiny_engine.tokenizers.tokenize(tiny.BERT, long, add_special_tokens=True).input_ids
    assert tuple(trace.input_ids) == (*ids[: limit - 1], ids[-1])
    whole = tiny_engine.trace(TraceRequest(tiny.BERT, "the cat", Capture(hidden_states=(2,))))
    np.testing.assert_allclose(short.hidden_states, whole.hidden_states, atol=1e-5)
    assert isinstance(
        dict(tiny_engine.vectors.traces(TracesRequest(tiny.BERT, (long,), (2,))))[0], TooManyTokens
    )


@pytest.mark.real
def test_a_long_sentence_has_the_vector_that_its_makers_give_it(
    real_engine: LocalEngine, real_settings: Settings
) -> None:
    """352 tokens; sentence-transformers cuts after 256, takes the mean and its direction."""
    text = "the weather is nice and the sea is calm today " * 35
    info = next(one for one in real_engine.models() if one.model_id == DEFAULT_ENCODER)
    request = TracesRequest(DEFAULT_ENCODER, (text,), (info.n_layer,), max_tokens=info.max_seq_length)
    ((_place, trace),) = real_engine.vectors.traces(request)
    assert isinstance(trace, Trace)
    tokenizer = AutoTokenizer.from_pretrained(model_folder(DEFAULT_ENCODER, real_settings))
    assert len(tokenizer(text).input_ids) == 352
    cut = tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
    with torch.no_grad():
        mean = oracle(real_settings, DEFAULT_ENCODER)(**cut).last_hidden_state[0].mean(0)
    expected = torch.nn.functional.normalize(mean, dim=0).numpy()
    np.testing.assert_allclose(sentence_vector(trace), expected, atol=1e-5)


def test_too_many_texts_and_families_without_one_stack_are_refused(tiny_engine: LocalEngine) -> None:
    with pytest.raises(BadValue):
        list(tiny_engine.vectors.traces(TracesRequest(tiny.BERT, ("a",) * 501, (0,))))
    with pytest.raises(Unsupported):
        list(tiny_engine.vectors.traces(TracesRequest(tiny.T5, ("a",), (0,))))
    with pytest.raises(BadValue):
        list(tiny_engine.vectors.traces(TracesRequest(tiny.BERT, ("a",), (9,))))


def test_leaving_stops_within_one_chunk(tiny_engine: LocalEngine) -> None:
    texts = tuple(f"sentence number {i} is different" for i in range(400))
    before = tiny_engine.stats().n_forwards
    reading = tiny_engine.vectors.traces(TracesRequest(tiny.LLAMA, texts, "all"))
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    time.sleep(0.3)
    done = tiny_engine.stats().n_forwards - before
    assert done <= 3
    assert tiny_engine.stats().n_waiting == 0


def test_a_closed_tab_ends_its_reading(tiny_engine: LocalEngine) -> None:
    texts = tuple(f"tab {i} closed" for i in range(500))
    caught: list[BaseException] = []

    def read() -> None:
        try:
            for _ in tiny_engine.vectors.traces(TracesRequest(tiny.LLAMA, texts, "all", owner="tab")):
                time.sleep(0.001)
        except Cancelled as error:
            caught.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    while thread.is_alive() and not caught:
        tiny_engine.cancel_owner("tab")
    thread.join(timeout=180)
    assert caught


def test_others_get_their_turn_between_chunks(tiny_engine: LocalEngine) -> None:
    texts = tuple(f"file {i} of somebody else with a few more words" for i in range(500))
    order: list[str] = []

    def read() -> None:
        for _ in tiny_engine.vectors.traces(TracesRequest(tiny.LLAMA, texts, "all", owner="file")):
            pass
        order.append("file")

    thread = threading.Thread(target=read)
    thread.start()
    tiny_engine.trace(
        TraceRequest(tiny.LLAMA, "a quick question", Capture(hidden_states=(1,)), owner="other")
    )
    order.append("question")
    thread.join(timeout=180)
    assert order == ["question", "file"]


def test_chunks_keep_the_budget_with_padding_and_lose_nothing() -> None:
    rows = [InputRow(tuple(range(n))) for n in (3, 50, 7, 300, 2, 9, 50, 1)]
    made = list(chunks(rows, 100))
    assert sorted(len(row.input_ids) for chunk in made for row in chunk) == [1, 2, 3, 7, 9, 50, 50, 300]
    for chunk in made:
        padded = max(len(row.input_ids) for row in chunk) * len(chunk)
        assert padded <= 100 or len(chunk) == 1
