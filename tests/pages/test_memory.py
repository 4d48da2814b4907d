"""The page Memory: its numbers computed another way, its tasks, what it refuses, and the code shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from streamlit.testing.v1 import AppTest

from playground.core.memory import budget
from playground.core.number_formats import FLOATS
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from playground.ui.choose import MOST_NAMED
from playground.ui.footprints import told
from playground.ui.memory import measured
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import folder, run_code


def said(app: AppTest) -> str:
    return "\n".join(one.value for one in (*app.markdown, *app.caption, *app.info))


def table(app: AppTest, column: str) -> Any:
    """The table that has this column."""
    return next(one.value for one in app.dataframe if column in one.value.columns)


def measure(app: AppTest) -> AppTest:
    app.button(key="mem_measure").click().run()
    assert not app.exception
    return app


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2, tiny.BERT])
@pytest.mark.parametrize("method", ["full", "lora", "head", "inference"])
def test_predicted_stands_beside_measured(
    open_app: OpenApp, engine: LocalEngine, model: str, method: str
) -> None:
    app = measure(open_app("memory", lang="en", model=model, mem_method=method, mem_batch="2"))
    rows = table(app, "Predicted").set_index("Part")
    errors = {
        part: abs(float(row["Error"].rstrip("%"))) for part, row in rows.iterrows() if row["Error"] != "–"
    }
    assert errors["weights"] <= 5
    assert errors.get("optimizer states", 0) <= 5
    assert errors["peak"] <= 25
    found = budget(engine.memory.sizes(model), method, "float32")  # type: ignore[arg-type]
    assert told(found.total(2, 64)) in said(app)
    assert rows.loc["peak", "Predicted"] == told(found.peak(2, 64))
    kept = app.session_state[measured.MEASURED][model]
    assert rows.loc["peak", "Measured"] == told(kept.peak_bytes)
    assert told(kept.peak_bytes) in said(app)


def test_the_rule_and_the_parts_are_those_of_the_model(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("memory", lang="en", model=tiny.LLAMA)
    model = engine.adapters.load(tiny.LLAMA).result().model
    n = sum(one.numel() for one in model.parameters())
    assert f"{n:,} parameters" in said(app)
    assert f"rule says {told(24 * n)}" in said(app)
    assert "optimizer states" in said(app)


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ({"mem_batch": "0"}, "_batch is '0'"),
        ({"mem_length": "999999"}, "only 16, 32"),
        ({"mem_length": "nan"}, "_length is 'nan'"),
        ({"mem_method": "magic"}, "_method is 'magic'"),
        ({"mem_panel": "bits", "mem_source": "typed", "mem_typed": "abc"}, "Number is 'abc'"),
        ({"mem_panel": "bits", "mem_source": "typed", "mem_typed": ""}, "Number is ''"),
    ],
)
def test_bad_input_gets_its_sentence(open_app: OpenApp, link: dict[str, str], words: str) -> None:
    app = open_app("memory", lang="en", model=tiny.LLAMA, **link)
    assert not app.exception
    assert words in "\n".join(one.value for one in (*app.warning, *app.error))


@pytest.mark.parametrize("room", ["0", "-3", "nan", "1e999"])
def test_a_budget_of_nothing_becomes_the_least_and_that_is_said(open_app: OpenApp, room: str) -> None:
    app = open_app("memory", lang="en", model=tiny.LLAMA, mem_room=room)
    assert not app.exception
    assert room == "nan" or "is not possible, only 0.1 to 100000" in said(app)


def test_too_many_tokens_are_not_measured_and_that_is_said(open_app: OpenApp) -> None:
    app = open_app("memory", lang="en", model=tiny.LLAMA, mem_batch="128", mem_length="1024")
    assert app.button(key="mem_measure").disabled
    assert "256 tokens at once are measured here, not 131,072" in said(app)


def test_models_without_a_cache_say_why(open_app: OpenApp) -> None:
    assert "keeps no keys and values" in said(
        open_app("memory", lang="en", model=tiny.BERT, mem_panel="cache")
    )
    assert "two caches" in said(open_app("memory", lang="en", model=tiny.T5, mem_panel="cache"))
    app = open_app("memory", lang="en", model=tiny.T5)
    assert not app.exception
    assert app.button(key="mem_measure").disabled
    assert "two stacks" in said(app)


def test_a_real_cache_is_measured_beside_the_lines(open_app: OpenApp) -> None:
    app = open_app("memory", lang="en", model=tiny.LLAMA, mem_panel="cache")
    app.button(key="mem_cache_measure").click().run()
    assert not app.exception
    found = re.search(r"measured at length (\d+): ([\d,]+); predicted: ([\d,]+)", said(app))
    assert found is not None
    assert found[2] == found[3] == f"{int(found[1]) * 2 * 3 * 2 * 16 * 4:,}"


@pytest.mark.parametrize("number", ["0.1", "-3e-7", "1e5", "inf", "nan", "-0.0", "1e-46"])
def test_bits_are_torchs(open_app: OpenApp, number: str) -> None:
    link = {"mem_panel": "bits", "mem_source": "typed", "mem_typed": number}
    app = open_app("memory", lang="en", model=tiny.LLAMA, **link)
    assert not app.exception
    rows = table(app, "Bits").set_index("Format")
    kept = torch.tensor([float(number)], dtype=torch.float32)
    for name, dtype in (("bfloat16", torch.bfloat16), ("float16", torch.float16)):
        assert rows.loc[name, "Value"] == f"{float(kept.to(dtype).double()):.7g}"
        assert len(rows.loc[name, "Bits"]) == 16


@pytest.mark.parametrize("typed", ["much", "<b>1</b>", "1,5", ""])
def test_what_is_no_number_gets_one_sentence(open_app: OpenApp, typed: str) -> None:
    app = open_app("memory", lang="en", model=tiny.LLAMA, mem_panel="bits", mem_source="typed")
    app.text_input(key="mem_typed").set_value(typed).run()
    assert not app.exception
    [error] = [one.value.replace("\\", "") for one in app.error]
    assert repr(typed) in error
    assert "a number, such as 0.1, -3 or 1e-8" in error


def test_a_tensor_that_is_not_there_is_told_with_some_that_are(open_app: OpenApp) -> None:
    app = open_app("memory", lang="en", model=tiny.LLAMA, mem_panel="bits", mem_tensor="no.such")
    [told_why] = [one.value.replace("\\", "") for one in app.warning]
    assert "mem_tensor is 'no.such', but only model.embed_tokens.weight" in told_why
    assert told_why.count(".weight") == MOST_NAMED
    assert ", …" in told_why


def test_a_weight_is_the_models_and_its_row_is_counted(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("memory", lang="en", model=tiny.LLAMA, mem_panel="bits", mem_row="5", mem_column="3")
    model = engine.adapters.load(tiny.LLAMA).result().model
    name, matrix = next(iter(model.named_parameters()))
    assert name in said(app)
    assert f"{float(matrix[5, 3]):.9g}" in said(app)
    counts = table(app, "rounded").drop(columns="Format").sum(axis=1)
    assert set(counts) == {matrix.shape[1]}


def test_many_gpus_hold_what_the_zero_paper_says(open_app: OpenApp) -> None:
    text = said(open_app("memory", lang="en", model=tiny.LLAMA, mem_panel="devices"))
    assert "120 GB with copies" in text
    assert "31.4 GB" in text
    assert "16.6 GB" in text
    assert "1.88 GB" in text
    assert "(layers: 36): those left over stay idle" in text  # 64 GPUs
    own = open_app("memory", lang="en", model=tiny.LLAMA, mem_panel="devices", mem_devices_model="own")
    assert not own.exception


def test_the_tasks_are_solved_by_real_values(open_app: OpenApp) -> None:
    app = open_app("memory", lang="en", model=tiny.LLAMA)
    assert "Reached" not in "\n".join(one.value for one in app.success)
    app = open_app("memory", lang="en", model=tiny.LLAMA, mem_batch="64", mem_length="1024")
    assert "Reached" in "\n".join(one.value for one in app.success)
    link = {"mem_panel": "bits", "mem_source": "typed"}
    for number, is_solved in (("1e-3", False), ("1e-9", True), ("1e-44", False)):
        app = open_app("memory", lang="en", model=tiny.LLAMA, mem_typed=number, **link)
        assert bool(app.success) is is_solved, number
    app = open_app("memory", lang="en", model=tiny.LLAMA, mem_panel="cache")
    app.number_input(key="task_memory_token").set_value(0.768).run()
    assert "Right" in "\n".join(one.value for one in app.success)
    app.number_input(key="task_memory_token").set_value(46.0).run()
    assert not app.success


@pytest.mark.parametrize("method", ["full", "lora", "head", "inference"])
@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.BERT])
def test_the_code_of_the_budget_measures_the_same_step(
    engine: LocalEngine, tiny_settings: Settings, tmp_path: Path, method: str, model: str
) -> None:
    values = {"is_decoder": model == tiny.LLAMA, "method": method, "batch": 2, "length": 32}
    found = run_code("memory_budget", tmp_path, folder=folder(tiny_settings, model), **values)
    sizes = engine.memory.sizes(model)
    expected = budget(sizes, method, "float32")  # type: ignore[arg-type]
    assert found["n_parameters"] == sizes.n_parameters
    assert found["gradients"] == expected.parts["gradients"].fixed
    assert (
        found["held"](found["states"]) == expected.parts["optimizer"].fixed if method != "inference" else True
    )
    assert found["peak"] == pytest.approx(expected.peak(2, 32), rel=0.25)


def test_the_other_code_gives_the_numbers_shown(tiny_settings: Settings, tmp_path: Path) -> None:
    bits = run_code("memory_bits", tmp_path, number="-3e-7")
    for name, kind in FLOATS.items():
        code = kind.encode(torch.tensor([-3e-7], dtype=torch.float32).double().numpy())
        assert bits["bits"][name] == format(int(code[0]), f"0{kind.n_bits}b")
    cache = run_code("memory_cache", tmp_path, folder=folder(tiny_settings, tiny.LLAMA), lengths=[8, 32])
    assert cache["sizes"] == {8: 8 * 768, 32: 32 * 768}
    devices = run_code("memory_devices", tmp_path, n_devices=64)
    assert {name: round(n / 1e9, 1) for name, n in devices["totals"].items()} == {
        "data": 120.0, "zero1": 31.4, "zero2": 16.6, "zero3": 1.9, "tensor": 1.9, "pipeline": 3.3,
    }  # fmt: skip
