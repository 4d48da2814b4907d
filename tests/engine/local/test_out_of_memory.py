"""Memory that runs out at any call of a module ends what it was for, in one sentence; everybody goes on.

The error is the allocator's own: the test asks it for four petabytes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

import numpy as np
import pytest
import torch
from torch.nn.modules.module import register_module_forward_pre_hook

from playground.core.sampling import GREEDY
from playground.engine import create_engine
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import TrainingRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.memory import is_out_of_memory
from playground.engine.training.bank import AdapterBank
from playground.errors import Message, OutOfMemory
from playground.settings import Settings
from tests import tiny
from tests.engine.collections_built import ENGLISH, document, request, until_ended
from tests.engine.training.head_runs import head_run
from tests.engine.training.learning import run_of, trained

SENTENCE = OutOfMemory().message
NEIGHBOUR = GenerateRequest(tiny.LLAMA, "the cat sat", sampling=GREEDY, max_new_tokens=12, owner="neighbour")
fresh = count()


def fails_to_allocate() -> None:
    torch.empty(10**15)


def test_the_allocators_own_error_is_no_memory() -> None:
    with pytest.raises(RuntimeError) as raised:
        fails_to_allocate()
    assert is_out_of_memory(raised.value)
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


@pytest.fixture(scope="module")
def engine(tiny_settings: Settings) -> Iterator[LocalEngine]:
    made = create_engine(tiny_settings.model_copy(update={"known_vector_bytes": 1}))
    assert isinstance(made, LocalEngine)
    yield made
    assert made.stats().n_restarts == 0
    made.close()


@contextmanager
def no_room_at(k: int, kind: type[torch.nn.Module] | None = None) -> Iterator[list[str]]:
    """The k-th call of a module (of this kind) by the engine's thread, and each after it, finds no room."""
    n_calls, failed = count(), list[str]()

    def hook(module: torch.nn.Module, _inputs: object) -> None:
        is_meant = kind is None or isinstance(module, kind)
        if is_meant and threading.current_thread().name == "engine" and next(n_calls) >= k:
            failed.append(type(module).__name__)
            fails_to_allocate()

    handle = register_module_forward_pre_hook(hook)
    try:
        yield failed
    finally:
        handle.remove()


def outcome(ask: Callable[[], object]) -> Message | None:
    """The sentence of the error that ends it."""
    try:
        ask()
    except OutOfMemory as error:
        return error.message
    return None


def traced(engine: LocalEngine) -> Message | None:
    text = f"the dog sat {next(fresh)}"
    return outcome(lambda: engine.trace(TraceRequest(tiny.LLAMA, text, Capture(attentions="uint8"))))


def written(engine: LocalEngine) -> Message | None:
    text = f"the dog sat {next(fresh)}"
    return outcome(lambda: list(engine.generate(GenerateRequest(tiny.GPT2, text, max_new_tokens=4))))


def ended(engine: LocalEngine, asked: TrainingRequest) -> Message | None:
    return trained(engine, asked).error  # type: ignore[arg-type]


def adapted(engine: LocalEngine) -> Message | None:
    return ended(engine, run_of(next(fresh), n_steps=2))


def headed(engine: LocalEngine) -> Message | None:
    return ended(engine, head_run(next(fresh), n_steps=2, objective="encoder"))  # type: ignore[arg-type]


def embedded(engine: LocalEngine) -> Message | None:
    asked = request(f"reader {next(fresh)}", document("a", f"{ENGLISH} {next(fresh)}"))
    return until_ended(engine, engine.retrieval.build(asked), asked.owner).error


WORK = (traced, written, adapted, headed, embedded)


@pytest.mark.parametrize("k", [0, 3, 11])
@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_no_room_at_the_kth_call_is_one_sentence_and_the_next_works(
    engine: LocalEngine, work: Callable[[LocalEngine], Message | None], k: int
) -> None:
    with no_room_at(k) as failed:
        assert work(engine) == SENTENCE
    assert failed
    assert work(engine) is None, "and the next works"


@pytest.mark.parametrize("work", WORK[2:], ids=lambda work: work.__name__)
def test_a_neighbour_writes_on_while_there_is_no_room_for_anothers_work(
    engine: LocalEngine, work: Callable[[LocalEngine], Message | None]
) -> None:
    """One writes all the time; what another asks for finds no room."""
    expected = [step.token_id for step in engine.generate(NEIGHBOUR)]
    over = threading.Event()

    def writes() -> list[list[int]]:
        found = []
        while not (over.is_set() and found):
            found.append([step.token_id for step in engine.generate(NEIGHBOUR)])
        return found

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(writes)
        try:
            with no_room_for_its_own(work):
                assert work(engine) == SENTENCE
        finally:
            over.set()
        assert all(np.array_equal(one, expected) for one in writing.result())


@contextmanager
def no_room_for_its_own(work: Callable[[LocalEngine], Message | None]) -> Iterator[None]:
    """No room at what the Llama of a neighbour does not call: a step of training, the norms of a BERT."""
    if work is adapted:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(AdapterBank, "_stepped", lambda *_args: fails_to_allocate())
            yield
    else:
        with no_room_at(2, torch.nn.LayerNorm):
            yield
