"""The page on fine-tuning: the code it shows gives its numbers; adapters that come as a file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest, local_script_runner

from playground.core.files.training_rows import TrainingRow, pairs, split
from playground.core.lora import LoraConfig, relative_norm, singular_values
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import FinetuneRequest, FinetuneSettings
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from playground.ui import compute, show, state
from playground.ui.finetuning import code
from playground.ui.finetuning.sets import ReadSet, TrainingSet
from tests import tiny
from tests.engine.peft_adapters import with_config, written_by_peft, zipped
from tests.engine.training.learning import trained as ended
from tests.pages.conftest import OpenApp
from tests.pages.finetuned import choose, told
from tests.pages.shown import folder, run_script


@pytest.fixture(autouse=True)
def owner(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A session of its own for every test: AppTest gives all of them the same id."""
    mine = uuid4().hex
    monkeypatch.setattr(compute, "owner", lambda: mine)
    yield mine
    engine.cancel_owner(mine)


@pytest.fixture
def adapter(engine: LocalEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An adapter, its file unpacked where the shown code looks for it."""
    rows = [TrainingRow(text=text) for text in ("the cat sat", "the dog ran", "a big hat", "one more line")]
    texts = engine.training.texts(tiny.LLAMA, rows)
    settings = FinetuneSettings(tiny.LLAMA, "cats", n_steps=5, learning_rate=1e-2, batch_size=2)
    request = FinetuneRequest(settings, texts[:3], texts[3:], owner="code")
    last = ended(engine, request)
    monkeypatch.setenv("HOME", str(tmp_path))
    place = Path(show.adapter_folder(last.adapter)).expanduser()
    with zipfile.ZipFile(io.BytesIO(engine.adapters.exported(last.adapter, {}))) as zipped:
        zipped.extractall(place)
    return last.adapter


def test_shown_code_of_the_weights_gives_the_numbers(
    engine: LocalEngine, adapter: str, tiny_settings: Settings, tmp_path: Path
) -> None:
    base = folder(tiny_settings, tiny.LLAMA)
    given = {"folder": base, "adapter": show.adapter_folder(adapter)}
    found, _ = run_script(show.code("changes", **given, layer=1, module="v_proj"), tmp_path)
    for change in engine.adapters.changes(adapter):
        inner = {"q_proj": "self_attn.q_proj", "v_proj": "self_attn.v_proj"}[change.module]
        assert found["relative_norms"][change.layer, inner] == pytest.approx(relative_norm(change), rel=1e-4)
    own = next(one for one in engine.adapters.changes(adapter) if (one.layer, one.module) == (1, "v_proj"))
    np.testing.assert_allclose(found["singular_values"], singular_values(own), atol=1e-6)
    found, _ = run_script(show.code("areas", folder=base, r=3, target_modules=["q_proj", "v_proj"]), tmp_path)
    shapes = [one for one in engine.training.linears(tiny.LLAMA) if one.module in ("q_proj", "v_proj")]
    assert found["trained"] == sum(3 * (one.d_in + one.d_out) for one in shapes)
    assert found["frozen"] == sum(one.d_in * one.d_out for one in shapes)


def test_shown_code_of_the_texts_gives_the_numbers(
    engine: LocalEngine, adapter: str, tiny_settings: Settings, tmp_path: Path
) -> None:
    given = {"folder": folder(tiny_settings, tiny.LLAMA), "adapter": show.adapter_folder(adapter)}
    ids = [5, 6, 7, 8]
    found, _ = run_script(show.code("strengths", **given, input_ids=ids), tmp_path)
    for strength, probs in zip(found["strengths"], found["probs"], strict=True):
        asked = TraceRequest(
            f"{adapter}@{round(100 * strength)}", input_ids=tuple(ids), capture=Capture(logits="last")
        )
        logits = engine.trace(asked).logits
        assert logits is not None
        expected = np.exp(logits[-1] - logits[-1].max())
        np.testing.assert_allclose(probs, expected / expected.sum(), atol=1e-5)
    values: dict[str, Any] = {"strength": 0.5, "input_ids": ids, "max_new_tokens": 6}
    found, _ = run_script(show.code("written", **given, **values), tmp_path)
    assert found["before"] != found["after"]


def test_shown_code_of_any_page_merges_the_adapter(
    engine: LocalEngine,
    adapter: str,
    tiny_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(show, "settings", lambda: tiny_settings)
    text = "the cat sat on the mat"
    script = show.code("surprisal", folder=show.model_folder(f"{adapter}@50"), text=text)
    found, _ = run_script(script, tmp_path)
    ids = engine.tokenizers.tokenize(tiny.LLAMA, text, add_special_tokens=True).input_ids
    trace = engine.trace(TraceRequest(f"{adapter}@50", input_ids=ids, capture=Capture(predictions=1)))
    assert trace.predictions is not None
    np.testing.assert_allclose(found["surprisals"], trace.predictions.surprisal_bits, atol=1e-4)


def test_reproduce_trains_the_same_on_plain_texts(
    engine: LocalEngine, tiny_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show, "settings", lambda: tiny_settings)
    monkeypatch.setattr(state, "settings", lambda: tiny_settings)
    rows = tuple(TrainingRow(text=f"the cat number {i} sat on mat {i * 7}") for i in range(9))
    same_losses(engine, tiny.LLAMA, rows, tmp_path)
    same_losses(engine, tiny.LLAMA, rows, tmp_path, method="last_block", learning_rate=1e-4)
    asked = pairs([{"instruction": f"what is {i}", "response": f"it is {i + 1}"} for i in range(9)])
    same_losses(engine, tiny.LLAMA, asked, tmp_path)
    same_losses(engine, tiny.GPT2, asked, tmp_path, target_modules=("c_attn", "mlp.c_proj"))
    for method in ("bottleneck", "prompt", "prefix"):
        same_losses(engine, tiny.LLAMA, asked, tmp_path, method=method, num_virtual_tokens=3, bottleneck=5)
    same_losses(engine, tiny.GPT2, asked, tmp_path, method="bottleneck", target_modules=("c_attn",))
    [text] = engine.training.texts(tiny.LLAMA, asked[:1])
    values = {"row": list(asked[0].messages), "max_tokens": 128, "folder": show.model_folder(tiny.LLAMA)}
    found, _ = run_script(show.code("training_row", **values), tmp_path)
    assert found["ids"] == list(text.input_ids)
    assert found["is_trained"] == list(text.is_trained)


@pytest.mark.real
def test_reproduce_and_the_row_are_those_of_a_chat(
    real_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from playground.engine import create_engine

    monkeypatch.setattr(show, "settings", lambda: real_settings)
    monkeypatch.setattr(state, "settings", lambda: real_settings)
    engine = create_engine(real_settings)
    assert isinstance(engine, LocalEngine)
    model = real_settings.default_model
    rows = pairs([{"instruction": f"What is {i}?", "response": f"Arr, {i}!"} for i in range(6)])
    same_losses(engine, model, rows, tmp_path, n_steps=2)
    row = rows[0]
    values = {"row": list(row.messages), "max_tokens": 128, "folder": show.model_folder(model)}
    found, _ = run_script(show.code("training_row", **values), tmp_path)
    [text] = engine.training.texts(model, [row])
    assert found["ids"] == list(text.input_ids)
    assert found["is_trained"] == list(text.is_trained)
    trace = engine.trace(TraceRequest(model, input_ids=text.input_ids, capture=Capture(predictions=1)))
    assert trace.predictions is not None
    bits = [trace.predictions.surprisal_bits[at - 1] for at, on in enumerate(text.is_trained) if on]
    np.testing.assert_allclose(found["surprisals"], np.array(bits) * np.log(2), atol=1e-4)
    engine.close()


def same_losses(
    engine: LocalEngine,
    model: str,
    rows: tuple[TrainingRow, ...],
    tmp_path: Path,
    n_steps: int = 5,
    **more: Any,
) -> None:
    """The script under the curves gives the run's losses."""
    train, held_out = split(rows)
    lora = LoraConfig(target_modules=more.pop("target_modules", ("q_proj", "v_proj")))
    settings = FinetuneSettings(model, "mine", n_steps, batch_size=2, seed=3, lora=lora, **more)
    request = FinetuneRequest(
        settings, engine.training.texts(model, train), engine.training.texts(model, held_out), owner="code"
    )
    last = ended(engine, request)
    data = TrainingSet("own", "mine", rows, ())
    read = ReadSet(data, model, (), train, (), held_out, held_out, (), ())
    found, _ = run_script(code.reproduce(settings, read), tmp_path)
    np.testing.assert_allclose(found["losses"], [loss for _step, loss in last.train], atol=2e-4)
    np.testing.assert_allclose(found["held_out_losses"], last.held_out, atol=2e-4)
    for one in engine.adapters.of("code"):
        engine.adapters.remove(one.model_id, "code")


def uploaded(app: AppTest, engine: LocalEngine, **config: object) -> AppTest:
    """An adapter of the tiny llama comes as a file, with other values in its config."""
    files = written_by_peft(engine._settings, tiny.LLAMA, target_modules=["q_proj"], r=2)
    files = {f"out/{name}": data for name, data in with_config(files, **config).items()}
    files |= {"out/training_args.bin": b"\x80\x04.", "out/<b>*x*.txt": b""}
    return (
        app.file_uploader(key="fin_adapter_upload")
        .set_value(("a.zip", zipped(files), "application/zip"))
        .run()
    )


@pytest.mark.parametrize("base", [r"C:\work\llama-2", ""])
def test_an_adapter_of_another_base_is_used_only_when_the_reader_says_so(
    open_app: OpenApp, engine: LocalEngine, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryUploadedFileManager("/mock/upload")  # AppTest makes one a run, the server one in all
    monkeypatch.setattr(local_script_runner, "MemoryUploadedFileManager", lambda _url: store)
    app = uploaded(open_app("finetuning", fin_panel="mine"), engine, base_model_name_or_path=base)
    assert not app.exception
    assert not app.error
    assert not engine.adapters.of(compute.owner())
    [asked] = app.warning
    named = (base or "no model").replace("\\", "")
    assert f"The file names {named} as the model" in asked.value.replace("\\", "")
    app.button(key="fin_any_base").click().run()
    assert not app.exception
    [adapter] = engine.adapters.of(compute.owner())
    assert adapter.base_id == tiny.LLAMA
    assert not app.warning
    assert not any(store.file_storage.values())
    assert "a is ready: choose it as the model." in told(app)
    assert "Not read: out/training_args.bin, out/<b>*x*.txt." in told(app)


def test_the_question_is_for_the_model_it_was_asked_of(open_app: OpenApp, engine: LocalEngine) -> None:
    app = uploaded(open_app("finetuning", fin_panel="mine"), engine, base_model_name_or_path="else")
    assert app.warning
    choose(app, "model", tiny.GPT2)
    assert not app.exception
    assert not app.warning
    assert "fin_any_base" not in [button.key for button in app.button]


def test_a_base_known_by_its_name_is_not_asked_about_and_a_refusal_is_no_question(
    open_app: OpenApp, engine: LocalEngine
) -> None:
    app = uploaded(
        open_app("finetuning", lang="ko", fin_panel="mine"),
        engine,
        base_model_name_or_path=r"D:\models\LLAMA",
    )
    assert len(engine.adapters.of(compute.owner())) == 1
    assert "어댑터가 준비되었습니다" in told(app)
    app = uploaded(open_app("finetuning", lang="ko", fin_panel="mine"), engine, init_lora_weights="pissa")
    [refused] = app.error
    assert 'init_lora_weights 값: "pissa"' in refused.value.replace("\\", "")
    assert "fin_any_base" not in [button.key for button in app.button]
    assert len(engine.adapters.of(compute.owner())) == 1
