"""Each value of config.json that is let in: whatever the engine says is what the library says."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from playground.core.lora import LoraConfig
from playground.core.sampling import GREEDY
from playground.engine import create_engine
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture
from playground.engine.contract.training import FinetuneRequest, FinetuneSettings, TrainingText
from playground.engine.forward.traces import InputRow, run_traces
from playground.engine.local.engine import LocalEngine
from playground.engine.training.bank import AdapterBank
from playground.errors import (
    Unsupported,
)
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import same_to_rounding
from tests.engine.forward.test_positions import check_first_head
from tests.engine.local.variants import (
    BOTH,
    DECODERS,
    ENCODERS,
    LLAMAS,
    WINDOW,
    WINDOWED,
    made,
    plain,
)
from tests.engine.training.learning import slot_of

ROTARY = ("tiny/llama-biases", "tiny/llama-head-dim", "tiny/qwen3-biases", "tiny/qwen3-window")


IDS = [[int(one) for one in np.random.default_rng(n).integers(5, 290, n)] for n in (3, 7, 22, 11)]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    cache = tmp_path_factory.mktemp("variants")
    byte_level = tiny.byte_level_tokenizer(300)
    word_piece, unigram = tiny.word_piece_tokenizer(), tiny.unigram_tokenizer()
    every = (*DECODERS, *ENCODERS, *BOTH)
    for seed, model_id in enumerate(every):
        tokenizer = {"bert": word_piece, "t5": unigram}.get(model_id[5:].split("-")[0], byte_level)
        folder = cache / "models" / model_id.replace("/", "--")
        tiny.save(folder, made(model_id), tokenizer, seed=seed, std=0.15)
        changed = json.loads((folder / "config.json").read_text("utf-8"))
        changed |= LLAMAS.get(model_id.removeprefix("tiny/llama-"), {})  # the library leaves some of it out
        (folder / "config.json").write_text(json.dumps(changed), "utf-8")
    return Settings(
        cache_dir=cache, extra_models=every, default_model=DECODERS[0], device="cpu", HF_HUB_OFFLINE=True
    )


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[LocalEngine]:
    engine = create_engine(settings)
    assert isinstance(engine, LocalEngine)
    yield engine
    engine.close()


def logprobs(settings: Settings, model: str, ids: list[int]) -> torch.Tensor:
    found: torch.Tensor = plain(settings, model, ids).logits[0].log_softmax(-1)
    return found


@pytest.mark.parametrize("model", [*DECODERS, *ENCODERS])
def test_traces_of_texts_of_different_lengths(engine: LocalEngine, settings: Settings, model: str) -> None:
    loaded = engine._table.load(model).result(timeout=180)
    capture = Capture("float32", "all", "all" if model in DECODERS else None, query_key=True)
    with torch.no_grad():
        traces = run_traces(loaded, [InputRow(tuple(ids)) for ids in IDS], capture)
    for ids, trace in zip(IDS, traces, strict=True):
        expected = plain(settings, model, ids)
        same_to_rounding(trace.attentions, torch.stack(expected.attentions)[:, 0], "attentions")  # type: ignore[arg-type]
        if model in DECODERS:
            same_to_rounding(trace.logits, expected.logits[0], "logits")  # type: ignore[arg-type]
        same_to_rounding(trace.hidden_states, torch.stack(expected.hidden_states)[:, 0], "states")  # type: ignore[arg-type]
        assert trace.queries is not None
        assert trace.keys is not None
        keys = np.repeat(trace.keys, trace.queries.shape[1] // trace.keys.shape[1], axis=1)
        scores = trace.queries @ keys.swapaxes(-1, -2) / math.sqrt(keys.shape[-1])  # as pages compute them
        if model in DECODERS:
            scores[..., np.triu(np.ones((len(ids), len(ids)), bool), 1)] = -np.inf
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        same_to_rounding(weights / weights.sum(-1, keepdims=True), trace.attentions)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", DECODERS)
def test_texts_written_side_by_side(engine: LocalEngine, settings: Settings, model: str) -> None:
    asked = tuple(
        GenerateRequest(model, sampling=GREEDY, input_ids=tuple(ids), max_new_tokens=9) for ids in IDS
    )
    written: dict[int, list[Any]] = {row: [] for row in range(len(IDS))}
    for row, step in engine.generate_many(GenerateManyRequest(model, asked)):
        written[row].append(step)
    limit = next(info for info in engine.models() if info.model_id == model).n_ctx
    for row, steps in written.items():
        is_end = steps[-1].finish_reason == "end_of_text"
        assert is_end or len(steps) == min(9, limit - len(IDS[row])), "until the window is full"
        ids = [*IDS[row], *(step.token_id for step in steps)]
        expected = logprobs(settings, model, ids)[len(IDS[row]) - 1 : -1]
        for step, values in zip(steps, expected, strict=True):
            assert step.logprob == pytest.approx(float(values.max()), abs=1e-4)


@pytest.mark.parametrize("model", BOTH)
def test_targets_written_side_by_side(engine: LocalEngine, settings: Settings, model: str) -> None:
    sources = [tuple(one % 200 for one in ids) for ids in IDS]
    asked = tuple(
        GenerateRequest(model, sampling=GREEDY, input_ids=ids, max_new_tokens=9, written=ids[:n])
        for n, ids in enumerate(sources)
    )
    written: list[list[Any]] = [[] for _ in asked]
    for row, step in engine.generate_many(GenerateManyRequest(model, asked)):
        written[row].append(step)
    for request, source, steps in zip(asked, sources, written, strict=True):
        target = [0, *request.written, *(step.token_id for step in steps)]
        output = plain(settings, model, list(source), decoder_input_ids=torch.tensor([target]))
        expected = output.logits[0].log_softmax(-1)[len(request.written) : -1]
        for step, values in zip(steps, expected, strict=True):
            assert step.logprob == pytest.approx(float(values.max()), abs=1e-4)


@pytest.mark.parametrize("model", DECODERS)
def test_scores_of_a_tree_of_texts(engine: LocalEngine, settings: Settings, model: str) -> None:
    start = tuple(IDS[3])
    texts = ((*start, 9, 8, 7), start, (4, 5), (*start, 9, 8, 11))
    request = ScoreRequest(model, texts, ((" good", " bad", "!"),) * len(texts))
    for (_place, scores), text in zip(engine.score(request), texts, strict=True):
        for ids, found in zip(scores.input_ids, scores.token_logprobs, strict=True):
            expected = logprobs(settings, model, [*text, *ids])[len(text) - 1 : -1]
            values = [float(row[token]) for row, token in zip(expected, ids, strict=True)]
            assert found == pytest.approx(values, abs=1e-4)


@pytest.mark.parametrize("model", [*WINDOWED, "tiny/llama-dynamic"])
def test_scores_of_a_tree_that_is_longer_than_the_window(
    engine: LocalEngine, settings: Settings, model: str
) -> None:
    random = np.random.default_rng(7)
    texts = tuple(tuple(int(one) for one in random.integers(5, 290, WINDOW - 4)) for _ in range(16))
    assert sum(map(len, texts)) > settings.prefill_chunk_tokens, "read in pieces"
    request = ScoreRequest(model, texts, (("!", "?"),) * len(texts))
    for (_place, scores), text in zip(engine.score(request), texts, strict=True):
        expected = logprobs(settings, model, list(text))[-1]
        values = [float(expected[ids[0]]) for ids in scores.input_ids]
        assert scores.logprobs == pytest.approx(values, abs=1e-4)


@pytest.mark.parametrize("model", DECODERS)
def test_losses_of_training_texts(engine: LocalEngine, settings: Settings, model: str) -> None:
    texts = [TrainingText(tuple(ids), (False, *(True,) * (len(ids) - 1))) for ids in (IDS[1], IDS[2])]
    modules = ("c_attn",) if "gpt2" in model else ("q_proj", "v_proj")
    settings_of_run = FinetuneSettings(model, "run", n_steps=1, lora=LoraConfig(r=2, target_modules=modules))
    request = FinetuneRequest(settings_of_run, tuple(texts), ())
    loaded, slot = slot_of(engine, request)
    bank = AdapterBank(loaded, [slot], lambda: None)
    expected = []
    for text in texts:
        values = logprobs(settings, model, list(text.input_ids))
        expected.append(-float(values[:-1].gather(1, torch.tensor(text.input_ids[1:])[:, None]).sum()))
    assert bank.measure(0, texts) == pytest.approx(expected, rel=1e-5)
    n_trained = sum(len(text.input_ids) - 1 for text in texts)
    assert bank.step([texts])[0] == pytest.approx(sum(expected) / n_trained, rel=1e-5)


@pytest.mark.parametrize("model", ["tiny/qwen3-window", "tiny/llama-longrope", "tiny/llama-biases"])
def test_beams(engine: LocalEngine, settings: Settings, model: str) -> None:
    asked = BeamsRequest(model, input_ids=tuple(IDS[1]), n_beams=3, max_new_tokens=6, length_penalty=0.0)
    *_, last = engine.beams(asked)
    best = last.hypotheses[0]
    values = logprobs(settings, model, [*IDS[1], *best.token_ids])[len(IDS[1]) - 1 : -1]
    total = sum(float(row[token]) for row, token in zip(values, best.token_ids, strict=True))
    assert best.logprob == pytest.approx(total, abs=1e-4)


@pytest.mark.parametrize("model", BOTH)
def test_scores_and_beams_of_targets(engine: LocalEngine, settings: Settings, model: str) -> None:
    source = tuple(one % 200 for one in IDS[2])

    def expected(target: tuple[int, ...]) -> list[float]:
        given = torch.tensor([[0, *target[:-1]]])
        rows = plain(settings, model, list(source), decoder_input_ids=given).logits[0].log_softmax(-1)
        return [float(row[token]) for row, token in zip(rows, target, strict=True)]

    ((_place, scores),) = engine.score(ScoreRequest(model, (source,), (("good", "a bad cat", "!"),)))
    for ids, found in zip(scores.input_ids, scores.token_logprobs, strict=True):
        assert found == pytest.approx(expected(ids), abs=1e-4)
    *_, last = engine.beams(BeamsRequest(model, input_ids=source, n_beams=3, max_new_tokens=6))
    for one in last.hypotheses:
        assert one.logprob == pytest.approx(sum(expected(one.token_ids)), abs=1e-4)


@pytest.mark.parametrize("model", ROTARY)
def test_the_clocks_of_the_positions_page(engine: LocalEngine, model: str) -> None:
    check_first_head(engine, model)


@pytest.mark.parametrize("name", ["linear", "llama3", "yarn", "dynamic", "longrope"])
def test_a_rotation_with_other_angles_has_no_clocks(engine: LocalEngine, name: str) -> None:
    engine._table.load(f"tiny/llama-{name}").result(timeout=180)
    with pytest.raises(Unsupported, match="rotation by one base"):
        engine.inside.positions(f"tiny/llama-{name}")
