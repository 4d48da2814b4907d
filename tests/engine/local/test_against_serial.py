"""Forty threads of random requests of every kind, against an engine that answers one after another."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from operator import attrgetter
from typing import Any

import numpy as np
import pytest

from playground.core.interventions import Intervention
from playground.core.penalties import Penalties
from playground.core.sampling import GREEDY, ORDERS, Sampling
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest, GenerateStep
from playground.engine.contract.inside import AblationsRequest, LensRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.vectors import TracesRequest
from playground.engine.local.engine import LocalEngine
from playground.errors import Cancelled, QueueFull, TimedOut
from playground.settings import Settings
from tests import tiny
from tests.engine.training.learning import run_of, trained

N_THREADS, N_EACH, N_KNOWN = 40, 12, 90
TEXTS = (
    "The capital of England is", "the cat sat on the mat", "서울은 한국의", "def add(a, b):", "0 1 2 3", "a",
    "the dog", "x" * 60,
)  # fmt: skip


@dataclass(frozen=True)
class Known:
    """A request and what the serial engine gives."""

    kind: str
    request: Any
    answer: Any = None


def some_trace(draw: random.Random, models: tuple[str, ...]) -> TraceRequest:
    model = draw.choice([*models, tiny.BERT, tiny.T5])
    text = draw.choice(TEXTS[:7])
    asked = TraceRequest(
        model,
        text,
        Capture(
            attentions=draw.choice([None, "uint8", "float32"]), hidden_states=draw.choice([None, "all", (1,)])
        ),
    )
    if model == tiny.T5:
        return replace(asked, decoder_text=draw.choice(["", "the cat"]))
    if model == tiny.BERT:
        return asked
    edit = draw.choice([None, Intervention(((1, 2), (0, 1))), Intervention(((1, 0),), "mean")])
    more = {
        "query_key": draw.random() < 0.3,
        "block_outputs": draw.random() < 0.3,
        "predictions": draw.choice([0, 3]),
    }
    capture = replace(asked.capture, logits=draw.choice([None, "last", "all"]), **more)
    return replace(asked, capture=capture, intervention=edit)


def some_generation(draw: random.Random, models: tuple[str, ...]) -> GenerateRequest:
    settings = draw.choice(
        [
            {"sampling": GREEDY}, {"sampling": Sampling(1.3, top_k=20)},
            {"sampling": Sampling(top_p=0.8, min_p=0.01)},
            {"sampling": Sampling(order=draw.choice(ORDERS), top_p=0.9)},
            {"sampling": Sampling(typical_p=0.7)},
            {"penalties": Penalties(1.4, frequency_penalty=0.3)}, {"written": (5, 9), "n_drawn": 2},
            {"alone": True},
        ]
    )  # fmt: skip
    return GenerateRequest(
        draw.choice([*models, tiny.T5]), draw.choice(TEXTS), seed=draw.randrange(100),
        n_top=draw.choice([1, 8]), max_new_tokens=draw.randrange(1, 16), **settings,
    )  # fmt: skip


def some_request(draw: random.Random, models: tuple[str, ...]) -> Known:
    """Anything an engine can be asked."""
    kind = draw.choice(
        ["trace", "trace", "generate", "generate", "generate_many", "inside.lens", "inside.ablations",
         "score", "beams", "vectors.traces", "tokenize", "vectors.embedding_table"]
    )  # fmt: skip
    model, text, short = draw.choice(models), draw.choice(TEXTS), draw.choice(TEXTS[:7])
    if kind == "trace":
        return Known(kind, some_trace(draw, models))
    if kind == "generate":
        return Known(kind, some_generation(draw, models))
    if kind == "generate_many":
        return Known(
            kind,
            GenerateManyRequest(
                model, tuple(replace(some_generation(draw, (model,)), model=model) for _ in "abc")
            ),
        )
    made: dict[str, Callable[[], Any]] = {
        "inside.lens": lambda: LensRequest(
            model, short, position=draw.choice([None, 0]), n_top=draw.choice([1, 4])
        ),
        "inside.ablations": lambda: AblationsRequest(model, short, ablation=draw.choice(["zero", "mean"])),
        "score": lambda: ScoreRequest(
            draw.choice([model, tiny.T5]),
            (text, text + " and", "the"),
            ((" cat", " dog"), (" a",), (" b", " c")),
        ),
        "beams": lambda: BeamsRequest(
            draw.choice([model, tiny.T5]), text, n_beams=draw.choice([1, 3]), max_new_tokens=5
        ),
        "vectors.traces": lambda: TracesRequest(model, tuple(draw.sample(TEXTS, 3)), (1,)),
        "tokenize": lambda: (model, text),
        "vectors.embedding_table": lambda: (model,),
    }
    return Known(kind, made[kind]())


def answer(engine: LocalEngine, kind: str, request: Any, n_steps: int | None = None) -> Any:
    """What the engine gives, as plain values; of what comes in steps, the first `n_steps` only."""
    if kind == "tokenize":
        return engine.tokenizers.tokenize(*request, add_special_tokens=True).input_ids
    if kind == "vectors.embedding_table":
        return engine.vectors.embedding_table(*request).vectors[:5]
    found = attrgetter(kind)(engine)(request)
    if not isinstance(found, Iterator):
        names = (
            "attentions",
            "hidden_states",
            "logits",
            "queries",
            "mlp_out",
            "decoder_attentions",
            "decoder_hidden_states",
        )
        names += ("top_ids", "top_probs", "answer_ranks")
        return [getattr(found, name) for name in names if getattr(found, name, None) is not None]
    steps = []
    for step in found:
        steps.append(step)
        if len(steps) == n_steps:
            found.close()  # type: ignore[attr-defined]
            break
    return steps


def plain(kind: str, given: Any) -> list[Any]:
    """Numbers of a whole answer that comes in steps, in an order of its own."""
    if kind == "inside.ablations":
        return [np.concatenate([one.logits for one in given])]
    if kind == "beams":
        return [[(one.token_id, one.logprob) for one in step.candidates] for step in given]
    if kind == "vectors.traces":
        return [read.hidden_states for _place, read in sorted(given, key=lambda one: one[0])]
    return [scores.logprobs for _place, scores in sorted(given, key=lambda one: one[0])]


def continuations(kind: str, given: Any) -> list[list[GenerateStep]]:
    """Each row up to its first near tie, where another batch may rightly go on otherwise."""
    rows: dict[int, list[GenerateStep]] = {}
    for row, step in [(0, step) for step in given] if kind == "generate" else given:
        rows.setdefault(row, []).append(step)
    return [rows[row] for row in sorted(rows)]


def is_same(kind: str, found: Any, wanted: Any, *, whole: bool) -> bool:
    """Whether an answer, or its beginning, is the serial engine's to rounding."""
    if kind in ("generate", "generate_many"):
        pairs = list(zip(continuations(kind, found), continuations(kind, wanted), strict=whole))
        for mine, theirs in pairs:
            tie = next((step.index for step in (*mine, *theirs) if step.near_tie), None)
            ids = [[step.token_id for step in steps[:tie]] for steps in (mine, theirs)]
            if ids[0] != (ids[1] if whole else ids[1][: len(ids[0])]):
                return False
            if not all(
                abs(a.logprob - b.logprob) < 1e-3 for a, b in zip(mine[:tie], theirs[:tie], strict=False)
            ):
                return False
        return True
    if kind in ("inside.ablations", "beams", "vectors.traces", "score"):
        if not whole:
            return True
        found, wanted = plain(kind, found), plain(kind, wanted)
    return len(found) == len(wanted) and all(
        np.shape(one) == np.shape(other) and np.allclose(one, other, rtol=0, atol=atol_of(one))
        for one, other in zip(found, wanted, strict=True)
    )


def atol_of(values: Any) -> float:
    """A step of the square-root scale for bytes; else rounding."""
    return (
        1.01
        if np.asarray(values).dtype == np.uint8
        else 2e-4 * max(1.0, float(np.abs(values).max(initial=0)))
    )


@pytest.fixture(scope="module")
def adapters(tiny_settings: Settings) -> list[tuple[str, bytes]]:
    """(base, peft's file) of three trained adapters."""
    engine = LocalEngine(tiny_settings)
    made = []
    for number, model in enumerate((tiny.LLAMA, tiny.LLAMA, tiny.GPT2)):
        last = trained(engine, run_of(number, model, n_steps=3, learning_rate=0.05, owner="teacher"))
        made.append((model, engine.adapters.exported(last.adapter, {})))
    engine.close()
    return made


def engine_with(settings: Settings, adapters: list[tuple[str, bytes]]) -> tuple[LocalEngine, tuple[str, ...]]:
    """An engine, and the decoders it has, in the order of the adapters."""
    engine = LocalEngine(settings)
    made = [engine.adapters.imported(base, "taught", data, "teacher").model_id for base, data in adapters]
    return engine, (tiny.LLAMA, tiny.GPT2, *made)


def renamed(known: Known, names: dict[str, str]) -> Known:
    """The same request of the other engine, whose adapters have other ids."""
    request = known.request
    if isinstance(request, tuple):
        return replace(known, request=(names.get(request[0], request[0]), *request[1:]))
    changed = replace(request, model=names.get(request.model, request.model))
    if known.kind == "generate_many":
        changed = replace(
            changed, requests=tuple(replace(one, model=changed.model) for one in request.requests)
        )
    return replace(known, request=changed)


def test_forty_threads_get_what_a_serial_engine_gives(
    tiny_settings: Settings, adapters: list[tuple[str, bytes]]
) -> None:
    draw = random.Random(17)
    serial, models = engine_with(tiny_settings.model_copy(update={"cache_bytes": 0}), adapters)
    asked = [some_request(draw, models) for _ in range(N_KNOWN)]
    known = [replace(one, answer=answer(serial, one.kind, one.request)) for one in asked]
    serial.close()
    small = {"cache_bytes": 300_000, "prefill_chunk_tokens": 16, "trace_batch_tokens": 64}
    engine, own = engine_with(tiny_settings.model_copy(update=small), adapters)
    known = [renamed(one, dict(zip(models, own, strict=True))) for one in known]
    wrong: list[object] = []
    ended: Counter[str] = Counter()
    number = count()

    def one_request(draw: random.Random) -> str:
        one, owner = draw.choice(known), f"session {draw.randrange(25)}"
        if isinstance(one.request, tuple):
            found = answer(engine, one.kind, one.request)
            return "right" if is_same(one.kind, [found], [one.answer], whole=True) else f"wrong: {one}"
        request_id, fate = (
            f"request {next(number)}",
            draw.choice(["whole"] * 6 + ["cancel", "leave", "close", "hurry"]),
        )
        request = replace(one.request, owner=owner, request_id=request_id)
        n_steps, timer = None, None
        if fate == "hurry":
            request = replace(request, timeout_s=0.001)
        if fate == "close":
            n_steps = draw.randrange(1, 4)
        if fate in ("cancel", "leave"):
            act, name = (engine.cancel, request_id) if fate == "cancel" else (engine.cancel_owner, owner)
            timer = threading.Timer(draw.random() * 0.05, act, [name])
            timer.start()
        try:
            found = answer(engine, one.kind, request, n_steps)
        except (Cancelled, QueueFull) as error:  # also: superseded, taken back with its session
            return type(error).__name__
        except TimedOut as error:
            return type(error).__name__ if fate == "hurry" else f"wrong: {one.kind} {error}"
        finally:
            if timer is not None:
                timer.join()
        return (
            "right"
            if is_same(one.kind, found, one.answer, whole=n_steps is None)
            else f"wrong: {one}, {found}"
        )

    def student(seed: int) -> None:
        draw = random.Random(seed)
        for _ in range(N_EACH):
            try:
                end = one_request(draw)
            except Exception as error:  # noqa: BLE001  (looked at below)
                end = f"wrong: {error!r}"
            ended[end.split(":")[0]] += 1
            if end.startswith("wrong"):
                wrong.append(end)

    threads = [threading.Thread(target=student, args=(seed,)) for seed in range(N_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert wrong == []
    assert ended.total() == N_THREADS * N_EACH, "nobody hangs"
    assert ended["right"] > ended.total() / 2, ended
    assert {"Cancelled", "Superseded"} <= ended.keys(), "some were taken back, some replaced"
    scheduler, until = engine._scheduler, time.monotonic() + 10
    while any(left := [scheduler._running, scheduler._waiting, scheduler._open, engine._thread._batches]):
        assert time.monotonic() < until, left
        time.sleep(0.01)
    engine.close()
