"""The product of a decode step is the one that was the fastest here; whichever it is, it is x Wᵀ."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import torch

from playground.engine import create_engine
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.decoding import product_times, products
from playground.engine.decoding.llama_step import LinearLayer
from playground.engine.decoding.product_times import Machine
from playground.engine.decoding.products import MAX_ROWS, TIMED_ROWS, Products, Way, by_torch, ways_of_cpu
from playground.engine.local import model_thread
from playground.engine.local.engine import LocalEngine
from playground.settings import DEFAULT_DECODER, Settings
from tests import tiny
from tests.engine.decoding.test_llama_step import PROMPTS, CountOperations, batch

WIDE, TALL = torch.ones(256, 512), torch.ones(512, 256)


class FakeTime:
    """A clock that moves when one of its ways is gone, by seconds that depend on weight and rows."""

    def __init__(self, seconds: Callable[[str, int, int], float]) -> None:
        self.now = 0.0
        self.n_calls = 0
        self._seconds = seconds
        self.ways: dict[str, Way] = {name: self._way(name) for name in ("onednn", "torch", "turned")}

    def __call__(self) -> float:
        return self.now

    def _way(self, name: str) -> Way:
        def multiply(x: torch.Tensor, _weight: torch.Tensor, turned: torch.Tensor) -> torch.Tensor:
            self.n_calls += 1
            self.now += self._seconds(name, turned.shape[1], len(x))
            return x @ turned

        return multiply

    def timed(self, settings: Settings, *weights: torch.Tensor) -> Products:
        """Products after one quiet moment."""
        made = Products(settings, self.ways, self)
        for weight in weights:
            made.for_weight(weight)
        made.use_quiet(lambda: False)
        return made

    def names(self, made: Products, weight: torch.Tensor) -> list[str]:
        """The way of each number of rows, from 1."""
        named = {way: name for name, way in self.ways.items()}
        return [named[way] for way in made.for_weight(weight)[1:]]


def alike(name: str, _out: int, _rows: int) -> float:
    return {"onednn": 3e-4, "torch": 1e-4, "turned": 2e-4}[name]


def by_shape_and_rows(name: str, out: int, rows: int) -> float:
    """oneDNN for the wide weight; for the tall one torch with few rows, the other way round with many."""
    best = "onednn" if out == len(WIDE) else "torch" if rows <= 4 else "turned"
    return 1e-4 if name == best else 1.2e-4


def never_twice() -> Callable[[str, int, int], float]:
    """Times of a machine that does other things as well: no two are alike."""
    count = iter(range(1, 10**6))
    return lambda _name, _out, _rows: 1e-4 * 1.5 ** (next(count) % 29)


def test_the_fastest_way_is_taken_for_each_shape_and_number_of_rows(empty_settings: Settings) -> None:
    fake = FakeTime(by_shape_and_rows)
    made = fake.timed(empty_settings, WIDE, TALL)
    assert fake.names(made, WIDE) == ["onednn"] * MAX_ROWS
    assert fake.names(made, TALL) == ["torch"] * 8 + ["turned"] * (MAX_ROWS - 8)
    assert not made.is_waiting


def test_times_are_taken_once_for_a_machine(empty_settings: Settings) -> None:
    first = FakeTime(by_shape_and_rows)
    ways = first.names(first.timed(empty_settings, WIDE, TALL), TALL)
    assert first.n_calls
    again = FakeTime(by_shape_and_rows)
    made = again.timed(empty_settings, TALL, WIDE)
    assert again.names(made, TALL) == ways
    assert again.n_calls == 0


def test_a_second_model_adds_its_shapes_to_the_file(empty_settings: Settings) -> None:
    FakeTime(alike).timed(empty_settings, WIDE)
    FakeTime(alike).timed(empty_settings, TALL)
    machine = Machine.here(empty_settings)
    kept = product_times.read(machine.file(empty_settings), machine)
    assert kept.keys() == {(tuple(weight.shape), rows) for weight in (WIDE, TALL) for rows in TIMED_ROWS}


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda _text: "",
        lambda _text: "[" * 100_000,
        lambda text: text.replace("0.0001", "NaN"),
        lambda text: text.replace("0.0001", "-1.0"),
        lambda text: text.replace("0.0001", '"quick"'),
        lambda text: text.replace('"torch"', '"forch"'),
        lambda text: text.replace('"onednn"', '"a way of another version"'),
        lambda text: text.replace("256", "2.5"),
    ],
)
def test_a_damaged_file_is_measured_anew(empty_settings: Settings, damage: Callable[[str], str]) -> None:
    FakeTime(alike).timed(empty_settings, WIDE)
    path = Machine.here(empty_settings).file(empty_settings)
    whole = path.read_text("utf-8")
    assert damage(whole) != whole
    path.write_text(damage(whole), "utf-8")
    fake = FakeTime(alike)
    assert fake.names(fake.timed(empty_settings, WIDE), WIDE) == ["torch"] * MAX_ROWS
    assert fake.n_calls
    assert json.loads(path.read_text("utf-8")) == json.loads(whole)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("other", [{"processor": "Another 9"}, {"torch": "1.0"}, {"n_threads": 99}])
def test_times_of_another_machine_are_ignored(
    empty_settings: Settings, monkeypatch: pytest.MonkeyPatch, other: dict[str, object]
) -> None:
    here = Machine.here(empty_settings)
    there = Machine(**{"processor": here.processor, "torch": here.torch, "n_threads": here.n_threads} | other)  # type: ignore[arg-type]
    FakeTime(alike).timed(empty_settings, WIDE)
    assert there.file(empty_settings) != here.file(empty_settings)
    monkeypatch.setattr(
        Machine, "file", lambda self, settings: settings.cache_dir / "products" / "copied.json"
    )
    product_times.write(there.file(empty_settings), there, {((256, 512), 1): {"torch": 1.0}})
    assert product_times.read(there.file(empty_settings), there)
    assert product_times.read(here.file(empty_settings), here) == {}


def test_times_come_back_as_they_were_written(tmp_path: Path) -> None:
    machine = Machine("Processor ü 3", "2.13", 2)
    times = {((49152, 576), 30): {"torch": 0.0173, "onednn": 0.0149}, ((576, 1536), 1): {"turned": 5.9e-05}}
    product_times.write(tmp_path / "new" / "file.json", machine, times)
    assert product_times.read(tmp_path / "new" / "file.json", machine) == times


def test_what_a_busy_machine_blurs_is_not_kept_and_given_up_in_the_end(empty_settings: Settings) -> None:
    fake = FakeTime(never_twice())
    made = fake.timed(empty_settings, WIDE)
    started = fake.now
    for _ in range(100):
        made.use_quiet(lambda: False)
    assert not made.is_waiting
    assert fake.now - started < products.QUIET_MOMENTS * (products.BUDGET_S + 100)
    assert fake.names(made, WIDE) == ["onednn"] * MAX_ROWS
    assert not Machine.here(empty_settings).file(empty_settings).exists()


def test_a_quiet_moment_ends_with_the_first_request(empty_settings: Settings) -> None:
    fake = FakeTime(alike)
    made = Products(empty_settings, fake.ways, fake)
    made.for_weight(WIDE)
    for _ in range(100):
        made.use_quiet(lambda: fake.n_calls >= 3)
    assert fake.n_calls == 3
    made.use_quiet(lambda: False)
    assert fake.names(made, WIDE) == ["torch"] * MAX_ROWS


def test_a_failure_leaves_the_usual_way(empty_settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeTime(lambda name, _out, _rows: {"onednn": 2e-4}[name])
    made = fake.timed(empty_settings, WIDE)
    assert fake.names(made, WIDE) == ["onednn"] * MAX_ROWS
    assert not made.is_waiting
    assert "could not be timed" in caplog.text


def test_a_cache_folder_that_cannot_be_written_costs_no_more_than_the_next_timing(
    empty_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    empty_settings.cache_dir.mkdir()
    (empty_settings.cache_dir / "products").write_text("a file where the folder should be", "utf-8")
    fake = FakeTime(alike)
    assert fake.names(fake.timed(empty_settings, WIDE), WIDE) == ["torch"] * MAX_ROWS
    assert "are not kept" in caplog.text


def test_weights_that_left_are_not_waited_for(empty_settings: Settings) -> None:
    fake = FakeTime(alike)
    made = Products(empty_settings, fake.ways, fake)
    weight = torch.ones(300, 300)
    made.for_weight(weight)
    assert made.is_waiting
    del weight
    made.use_quiet(lambda: False)
    assert not made.is_waiting
    assert fake.n_calls == 0


@pytest.mark.parametrize(
    "weight", [torch.ones(512, 512, dtype=torch.bfloat16), torch.ones(512, 512, device="meta")]
)
def test_half_precision_and_other_devices_are_never_timed(
    empty_settings: Settings, weight: torch.Tensor
) -> None:
    made = Products(empty_settings)
    assert set(made.for_weight(weight)) == {by_torch}
    assert not made.is_waiting
    assert not empty_settings.cache_dir.exists()


@pytest.mark.parametrize("name", ways_of_cpu())
@pytest.mark.parametrize("rows", [1, 2, 7, 30, 40])
@torch.no_grad()
def test_every_way_is_the_product(empty_settings: Settings, name: str, rows: int) -> None:
    generator = torch.Generator().manual_seed(rows)
    weight, x = torch.randn(192, 576, generator=generator), torch.randn(rows, 576, generator=generator)
    layer = LinearLayer(weight, Products(empty_settings, {name: ways_of_cpu()[name]}))
    expected = x.double() @ weight.double().t()
    torch.testing.assert_close(layer(x).double(), expected, atol=1e-4, rtol=1e-4)


def each_way(model: str) -> Iterator[object]:
    marks = [pytest.mark.real] if model == DEFAULT_DECODER else []
    return (
        pytest.param(model, {name: way}, marks=marks, id=f"{model}-{name}")
        for name, way in ways_of_cpu().items()
    )


@pytest.mark.parametrize(("model", "ways"), [*each_way(tiny.LLAMA), *each_way(DEFAULT_DECODER)])
@torch.no_grad()
def test_a_step_is_the_librarys_forward_in_every_way(
    request: pytest.FixtureRequest, model: str, ways: Mapping[str, Way]
) -> None:
    """Logits of rows that share a step, too: alone and beside others they are the same to 1e-4."""
    engine = request.getfixturevalue("tiny_engine" if model == tiny.LLAMA else "real_engine")
    plain = batch(engine, model, PROMPTS)
    plain._lean = None
    ids = torch.tensor([[row.new_ids[-1]] for row in plain.rows])
    expected = engine._table.load(model).result().model.get_output_embeddings()(plain._step_states(ids))
    together = batch(engine, model, PROMPTS, ways)
    logits = together._head(together._step_states(ids))
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    for number, prompt in enumerate(PROMPTS):
        alone = batch(engine, model, (prompt,), ways)
        one = alone._head(alone._step_states(ids[number : number + 1]))
        torch.testing.assert_close(one, logits[number : number + 1], atol=1e-4, rtol=1e-4)


@pytest.mark.real
@pytest.mark.parametrize("name", ways_of_cpu())
@torch.no_grad()
def test_operations_of_a_step_are_bounded_in_every_way(real_engine: LocalEngine, name: str) -> None:
    rows = batch(real_engine, DEFAULT_DECODER, PROMPTS * 2, {name: ways_of_cpu()[name]})
    ids = torch.tensor([[row.new_ids[-1]] for row in rows.rows])
    with CountOperations() as operations:
        rows._step_states(ids)
    n_views = 2 * 7 * 30 if name == "turned" else 0  # of x and of the result, of 7 products of 30 blocks
    assert operations.count <= 1_500 + n_views


@pytest.mark.real
def test_an_engine_times_its_products_once_nobody_asks(
    real_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first trace, before anybody has generated; a request meanwhile is answered as ever."""
    (tmp_path / "models").symlink_to(real_settings.cache_dir / "models")
    settings = real_settings.model_copy(update={"cache_dir": tmp_path})
    monkeypatch.setattr(model_thread, "QUIET_S", 0.01)
    monkeypatch.setattr(products, "AGREEMENT", 1e9)  # a machine that runs tests is busy
    monkeypatch.setattr(products, "BUDGET_S", 120.0)
    monkeypatch.setattr(products, "MIN_ROUNDS", 2)
    timed = threading.Event()
    take = Products._take
    monkeypatch.setattr(Products, "_take", lambda self, done: (take(self, done), timed.set()))
    engine = create_engine(settings)
    assert isinstance(engine, LocalEngine)
    try:
        engine.trace(TraceRequest(DEFAULT_DECODER, "The capital", capture=Capture(logits="last")))
        steps = list(
            engine.generate(GenerateRequest(DEFAULT_DECODER, "The capital", max_new_tokens=2, seed=1))
        )
        assert len(steps) == 2
        assert timed.wait(60)
        end = time.monotonic() + 60
        while engine._thread._products.is_waiting and time.monotonic() < end:
            time.sleep(0.05)
        machine = Machine.here(settings)
        kept = product_times.read(machine.file(settings), machine)
        shapes = {(576, 576), (192, 576), (1536, 576), (576, 1536), (49152, 576)}
        assert kept.keys() == {(shape, rows) for shape in shapes for rows in TIMED_ROWS}
        again = engine.generate(GenerateRequest(DEFAULT_DECODER, "The capital", max_new_tokens=2, seed=1))
        assert [step.token_id for step in again] == [step.token_id for step in steps]
    finally:
        engine.close()
