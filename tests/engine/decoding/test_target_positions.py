"""Targets of encoder-decoders with a table of positions: each row reads its own, wherever it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from playground.core.sampling import Sampling
from playground.engine import create_engine
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest, GenerateStep
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import model_folder
from playground.errors import ConfigRefused, TooManyTokens
from playground.settings import Settings
from tests import families
from tests.engine.conftest import oracle

MODELS = ("tiny/bart-uneven", "tiny/bart-forced", "tiny/mbart-language", "tiny/marian-scaled")
START = {"tiny/bart-forced": (2, 7), "tiny/mbart-language": (2, 290)}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return families.make(tmp_path_factory.mktemp("targets"), MODELS)


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[LocalEngine]:
    engine = create_engine(settings)
    assert isinstance(engine, LocalEngine)
    yield engine
    engine.close()


def ids(seed: int, n: int) -> tuple[int, ...]:
    return tuple(int(one) for one in np.random.default_rng(seed).integers(5, 290, n))


def check(settings: Settings, request: GenerateRequest, steps: list[GenerateStep]) -> None:
    """The library's log-probability of each token that was written, without any cache."""
    target = [*request.written, *(step.token_id for step in steps)]
    start = START.get(request.model, (2,))
    with torch.no_grad():
        logits = oracle(settings, request.model)(
            input_ids=torch.tensor([request.input_ids]), decoder_input_ids=torch.tensor([[*start, *target]])
        ).logits[0]
    values = logits.log_softmax(-1)[len(start) - 1 + len(request.written) : -1]
    expected = [float(row[step.token_id]) for row, step in zip(values, steps, strict=True)]
    assert [step.logprob for step in steps] == pytest.approx(expected, abs=1e-4)
    assert len(steps) == request.max_new_tokens or steps[-1].finish_reason != "length"


@pytest.mark.parametrize("model", MODELS)
def test_rows_that_join_and_leave_read_their_own_positions(
    engine: LocalEngine, settings: Settings, model: str
) -> None:
    def ask(seed: int) -> GenerateRequest:
        return GenerateRequest(
            model, input_ids=ids(seed, 3 + 5 * seed % 17), written=ids(50 + seed, 7 * seed % 19), seed=seed,
            sampling=Sampling(0.9), max_new_tokens=2 + 3 * seed,
        )  # fmt: skip

    early = ask(9)
    running = engine.generate(early)
    steps = [next(running) for _ in range(5)]  # it is in the batch, and goes on
    wanted = tuple(map(ask, range(9)))
    written: list[list[GenerateStep]] = [[] for _ in wanted]
    for row, step in engine.generate_many(GenerateManyRequest(model, wanted)):
        written[row].append(step)
    for request, found in zip((early, *wanted), ([*steps, *running], *written), strict=True):
        check(settings, request, found)


@pytest.mark.parametrize("model", MODELS)
def test_a_target_ends_where_the_table_of_positions_ends(
    engine: LocalEngine, settings: Settings, model: str
) -> None:
    start = len(START.get(model, (2,)))
    written = ids(3, families.N_CTX - start - 4)
    request = GenerateRequest(
        model, input_ids=ids(1, families.N_CTX), written=written, max_new_tokens=9, seed=1
    )
    steps = list(engine.generate(request))
    assert steps[-1].finish_reason == "context_full"
    assert len(steps) == 4
    check(settings, request, steps)
    full = TraceRequest(model, input_ids=(5,), capture=Capture(logits="last"), decoder_ids=ids(3, 64 - start))
    trace = engine.trace(full)
    assert trace.decoder_input_ids is not None
    assert trace.decoder_input_ids[:start].tolist() == list(START.get(model, (2,)))
    with pytest.raises(TooManyTokens):
        engine.trace(TraceRequest(model, input_ids=(5,), decoder_ids=ids(3, 65 - start)))


def test_a_token_that_is_never_written_is_never_drawn(engine: LocalEngine, settings: Settings) -> None:
    """It would be the most probable one."""
    model = "tiny/marian-scaled"
    asked = [
        GenerateRequest(model, input_ids=ids(seed, 6), seed=seed, max_new_tokens=20) for seed in range(6)
    ]
    ranks = []
    for request in asked:
        steps = list(engine.generate(request))
        check(settings, request, steps)
        assert 1 not in {step.token_id for step in steps}
        ranks += [int(np.flatnonzero(step.top_ids == 1)[0]) for step in steps if 1 in step.top_ids]
    assert 0 in ranks, "the distribution shown is the model's own"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("forced_bos_token_id", 300), ("forced_bos_token_id", "ko_KR"), ("bad_words_ids", [[5, 6]]),
        ("bad_words_ids", [[300]]), ("decoder_start_token_id", 300),
    ],
)  # fmt: skip
def test_a_way_of_writing_that_is_not_known_is_refused_by_name(
    settings: Settings, tmp_path: Path, key: str, value: Any
) -> None:
    model = "tiny/bart-uneven"
    mine = settings.model_copy(update={"cache_dir": tmp_path})
    folder = model_folder(model, mine)
    folder.parent.mkdir()
    folder.mkdir()
    for path in model_folder(model, settings).iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    name = "config.json" if key == "decoder_start_token_id" else "generation_config.json"
    said = json.loads((folder / name).read_text("utf-8"))
    (folder / name).write_text(json.dumps(said | {key: value}), "utf-8")
    engine = create_engine(mine)
    with pytest.raises(ConfigRefused, match=key):
        engine.trace(TraceRequest(model, input_ids=(5,)))
    engine.close()
