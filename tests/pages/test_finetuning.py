"""The page on fine-tuning with tiny models: data, a run, its adapter on every page, and the code it shows."""

from __future__ import annotations

import io
import itertools
import json
import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import torch
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest, local_script_runner
from streamlit.testing.v1.element_tree import Selectbox

from playground.core.files.training_rows import TrainingRow, pairs, read_training, split
from playground.core.lora import LoraConfig, relative_norm, singular_values
from playground.engine.contract.engine import Engine
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import ENDED, FinetuneRequest, FinetuneSettings, TrainingState
from playground.engine.local.engine import LocalEngine
from playground.engine.process import SharedEngine
from playground.errors import AdapterGone
from playground.paths import site_root
from playground.settings import Settings
from playground.ui import compute, show, state
from playground.ui.finetuning import code, controls, live, questions, sets
from playground.ui.finetuning.sets import ReadSet, TrainingSet
from tests import tiny
from tests.engine.conftest import oracle
from tests.engine.peft_adapters import with_config, written_by_peft, zipped
from tests.engine.training.test_finetuning import trained as ended
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, folder, run_script
from tests.pages.test_every_page import PAGES

LINK = {"fin_steps": "6", "fin_set": "sentiment"}
PANELS = ("data", "weights", "compare", "changed", "questions", "mine")


@pytest.fixture
def engine(tiny_engine: SharedEngine) -> LocalEngine:
    made = tiny_engine.get(timeout_s=180)
    assert isinstance(made, LocalEngine)
    return made


@pytest.fixture(autouse=True)
def owner(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A session of its own for every test: AppTest gives all of them the same id."""
    mine = uuid4().hex
    monkeypatch.setattr(compute, "owner", lambda: mine)
    yield mine
    engine.cancel_owner(mine)


def told(app: AppTest) -> str:
    boxes = (*app.markdown, *app.caption, *app.info, *app.error, *app.warning, *app.success)
    return " ".join(one.value for one in boxes).replace("\\", "")


def trained(app: AppTest, engine: LocalEngine) -> TrainingState:
    """Click Start, wait, draw the page again."""
    app.button(key="fin_start").click().run()
    assert not app.exception
    owner, until = compute.owner(), time.monotonic() + 60
    while (last := engine.training.runs.of(owner)[-1]).status not in ENDED:
        assert time.monotonic() < until
        time.sleep(0.02)
    app.run()
    assert not app.exception
    return last


def choose(app: AppTest, key: str, value: str) -> AppTest:
    app.session_state[key] = value
    return app.run()


def test_before_a_run_a_row_is_shown_with_what_it_costs_the_model(
    open_app: OpenApp, engine: LocalEngine, tiny_settings: Settings
) -> None:
    app = open_app("finetuning", **LINK, fin_row="3")
    assert not app.exception
    data = sets.pairs(
        json.loads((site_root() / "assets/training/en/sentiment.json").read_text("utf-8"))["rows"]
    )
    [text] = engine.training.texts(tiny.LLAMA, [data[2]])
    net = oracle(tiny_settings, tiny.LLAMA)
    with torch.no_grad():
        logprobs = net(torch.tensor([text.input_ids])).logits[0].log_softmax(-1)
    surprisals = [-float(logprobs[at - 1, text.input_ids[at]]) for at, on in enumerate(text.is_trained) if on]
    assert f"finds them {np.mean(surprisals):.2f} nats surprising on average" in told(app)
    assert f"Of the {len(text.input_ids)} tokens of this row {len(surprisals)} count" in told(app)


def test_a_run_its_curves_and_its_panels(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("finetuning", **LINK)
    last = trained(app, engine)
    assert last.status == "done"
    assert last.adapter
    [curves] = [rows for rows in charts(app) if "series" in rows]
    held_out = curves[curves["series"] == "held_out"]
    np.testing.assert_allclose(
        held_out["loss"].astype(float), [loss for _step, loss in last.held_out], rtol=1e-6
    )
    assert [int(step) for step in held_out["step"]] == [step for step, _loss in last.held_out]
    losses = [loss for _step, loss in last.train]
    assert f"mean of the first 2 steps, to {np.mean(losses[-2:]):.2f}" in told(app)
    for panel in PANELS:
        choose(app, "fin_panel", panel)
        assert not app.exception, panel
        assert not app.error, panel


def test_the_run_last_looked_at_is_there_again_after_another_page_else_the_newest(
    open_app: OpenApp, engine: LocalEngine
) -> None:
    app = open_app("finetuning", **LINK)
    first = trained(app, engine)
    choose(app, "fin_steps", 4)
    app.session_state["fin_rate"] = 3e-4
    second = trained(app.run(), engine)

    def is_shown(run: TrainingState) -> None:
        [pages_run] = [one for one in app.get("button_group") if (one.key or "").startswith("fin_run_choice")]
        assert pages_run.value == run.run_id
        assert pages_run.options[run.number - 1].startswith(f"{run.number} · ")
        assert f"Done: {run.settings.n_steps} steps" in told(app)
        [curves] = [rows for rows in charts(app) if "series" in rows]
        shown = curves[curves["series"] == "train"]["loss"].astype(float)
        np.testing.assert_allclose(shown, [loss for _step, loss in run.train], rtol=1e-6)

    def leave_and_come_back() -> None:
        for page in ("home", "finetuning"):
            app.switch_page(f"../pages/{page}.py").run()
        assert not app.exception

    assert (first.settings.n_steps, second.settings.n_steps) == (6, 4)
    is_shown(second)
    leave_and_come_back()
    is_shown(second)
    [runs] = [one for one in app.get("button_group") if (one.key or "").startswith("fin_run_choice")]
    runs.set_value(first.run_id).run()
    is_shown(first)
    leave_and_come_back()
    is_shown(first)
    del app.session_state[live.RUN]  # never looked at one
    app.run()
    is_shown(second)


def test_the_list_of_prompts_shows_their_words(open_app: OpenApp, engine: LocalEngine) -> None:
    """A list shows text as it is: what Markdown needs escaped would stand there with backslashes."""
    app = open_app("finetuning", **LINK)
    last = trained(app, engine)
    [listed] = [one for one in app.selectbox if one.key == "fin_prompt_choice"]
    assert listed.options == list(app.session_state[live.DATA][last.run_id].data.prompts)


def test_the_turn_of_the_held_out_loss_is_named() -> None:
    def said(*losses: float) -> str:
        held_out = tuple((10 * at, loss) for at, loss in enumerate(losses))
        settings = FinetuneSettings(tiny.LLAMA, "a set")
        return live.reading(TrainingState("a run", settings, "done", train=((1, 4.0),), held_out=held_out))

    assert "fell from 4.03 to 1.25 at step 30 and has risen to 1.50 since" in said(4.03, 2.0, 1.6, 1.25, 1.5)
    assert "went from 4.03 to 1.25" in said(4.03, 2.0, 1.25)
    assert "went from 4.03 to 1.25" in said(4.03, 1.2501, 1.2502), "no difference that is shown"
    assert "went from 4.03 to 5.00" in said(4.03, 5.0), "it only rose"


def test_the_training_loss_is_told_as_means_of_both_ends() -> None:
    settings = FinetuneSettings(tiny.LLAMA, "x")

    def said(train: list[float], general: tuple[float, ...] = ()) -> str:
        steps = tuple(enumerate(train, 1))
        state = TrainingState("a run", settings, "done", train=steps, general=tuple(enumerate(general)))
        return live.reading(state)

    falling = [4.0, 5.0, 3.0, 2.0, 3.0, 2.0, 2.0, 1.0, 1.5]
    assert "from 4.00 nats per token, the mean of the first 3 steps, to 1.50, that of the last 3" in said(
        falling
    )
    assert "not learning" not in said(falling)
    assert "With these settings it is not learning." in said(falling[::-1])
    assert "from 2.00 nats per token in the first step to 9.00 in the last" in said([2.0, 9.0])
    assert "not learning" not in said([2.0, 9.0])  # one batch beside another says little
    assert "of the first step is 2.00 nats" in said([2.0])
    assert "rose by 50.0 %: some of it is forgotten" in said([2.0], (2.0, 2.5, 3.0))
    assert "fell by 25.0 %: it has become more probable" in said([2.0], (2.0, 1.5))
    assert "changed by 0.0 %: hardly anything" in said([2.0], (2.0, 1.99999))
    assert "changed by -0.5 %: hardly anything" in said([2.0], (2.0, 1.99))


def test_questions_are_scored_before_and_after(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("finetuning", **LINK, fin_panel="questions")
    last = trained(app, engine)
    app.button(key="fin_ask").click().run()
    assert not app.exception
    answers: questions.ChoiceAnswers = app.session_state[questions.KEY]
    assert {when: len(given) for when, given in answers.given.items()} == {"before": 20, "after": 20}
    net = oracle(engine._settings, tiny.LLAMA)
    for place, one in enumerate(answers.questions):
        prompt = list(sets.prompt_ids(tiny.LLAMA, one.text))
        means = []
        for candidate in (one.answer, *one.others):
            ids = list(engine.tokenizers.tokenize(tiny.LLAMA, candidate, add_special_tokens=False).input_ids)
            with torch.no_grad():
                logits = net(torch.tensor([prompt + ids])).logits[0, len(prompt) - 1 : -1]
            means.append(float(logits.log_softmax(-1)[range(len(ids)), ids].mean()))
        assert answers.given["before"][place] == int(np.argmax(means))
    n_right = answers.given["after"]
    memorised = [
        place for place, one in zip(n_right, answers.questions, strict=True) if one.kind == "memorised"
    ]
    assert f"After training {memorised.count(0)} of {len(memorised)} memorised questions" in told(app)
    assert answers.asked[0] == last.adapter


def test_both_texts_are_the_models_and_strength_0_is_the_base(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("finetuning", **LINK, fin_rate="0.01", fin_panel="compare", fin_compare_prompt="the cat")
    last = trained(app, engine)
    app.button(key="fin_write").click().run()
    assert not app.exception
    texts = app.session_state["fin_written"].texts
    ids = sets.prompt_ids(tiny.LLAMA, "the cat")
    for name, model in (("before", tiny.LLAMA), ("after", last.adapter)):
        written = list(ids)
        while len(written) < len(ids) + 40 and len(written) < tiny.N_CTX:
            logits = engine.trace(
                TraceRequest(model, input_ids=tuple(written), capture=Capture(logits="last"))
            ).logits
            assert logits is not None
            written.append(int(logits[-1].argmax()))
            if written[-1] in engine.adapters.tokenizer(model).eos_ids:
                break
        ends = engine.adapters.tokenizer(model).eos_ids
        assert texts[name] == engine.tokenizers.text_of(
            model, [one for one in written[len(ids) :] if one not in ends]
        )
    [lines] = [rows for rows in charts(app) if "strength" in rows]
    base = engine.trace(TraceRequest(tiny.LLAMA, input_ids=ids, capture=Capture(logits="last"))).logits
    assert base is not None
    probs = np.exp(base[-1] - base[-1].max()) / np.exp(base[-1] - base[-1].max()).sum()
    at_0 = lines[lines["strength"] == 0]["prob"].astype(float).max()
    assert at_0 == pytest.approx(probs.max(), rel=1e-5)


def test_adapters_of_equal_runs_are_told_apart_and_each_is_the_one_picked(
    open_app: OpenApp, engine: LocalEngine, owner: str
) -> None:
    app = open_app("finetuning", **LINK, fin_panel="mine")
    ids = [trained(app, engine).adapter for _run in range(3)]
    picker, models = listed(app, "fin_mine"), listed(app, "model")
    assert len(set(picker.options)) == len(picker.options) == 3
    assert len(set(models.options)) == len(models.options)
    assert [words.split(" · ")[1] for words in picker.options] == ["run 3", "run 2", "run 1"]
    listed(app, "fin_mine").select_index(1).run()
    app.button(key="fin_use").click().run()
    assert app.session_state["model"] == ids[1]
    app.switch_page("../pages/sampling.py").run()
    sources = [one.value.replace("\\", "") for one in app.caption]
    assert any(f"{tiny.LLAMA} · adapter {picker.options[1]} at 100 %" in source for source in sources)
    app.switch_page("../pages/finetuning.py").run()
    app.button(key="fin_remove").click().run()
    assert [one.model_id for one in engine.adapters.of(owner)] == [ids[0], ids[2]]
    listed(app, "fin_mine").select_index(1).run()
    app.button(key="fin_remove").click().run()
    assert [one.model_id for one in engine.adapters.of(owner)] == [ids[2]]


def listed(app: AppTest, key: str) -> Selectbox:
    """The list of a URL value as it is drawn now: its key changes with its words."""
    [found] = [box for box in app.selectbox if re.fullmatch(rf"{key}_choice(_\d+)?", box.key or "")]
    return found


def test_the_number_of_a_run_outlives_the_runs_before_it(
    open_app: OpenApp, engine: LocalEngine, owner: str
) -> None:
    app = open_app("finetuning", **LINK | {"fin_steps": "5"})
    for number in range(1, 9):
        last = trained(app, engine)
        assert last.number == number
        engine.adapters.remove(last.adapter, owner)
    assert [one.number for one in engine.training.runs.of(owner)] == [3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("page", [page for page in PAGES if page != "finetuning"])
def test_every_page_works_with_an_adapter(page: str, open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("finetuning", **LINK)
    last = trained(app, engine)
    app.session_state["model"] = f"{last.adapter}@50"
    extra = {"prompting": {"pro_shots": "0"}}.get(page, {})
    for name, value in {"text": "The cat sat on the mat", **extra}.items():
        app.query_params[name] = value
    app.switch_page(f"../pages/{page}.py").run()
    assert not app.exception
    assert not app.error
    assert AdapterGone.msgid not in [box.value for box in app.warning]
    with pytest.raises(AdapterGone):
        engine.adapters.get(f"{tiny.LLAMA}+0000")


def test_an_adapter_of_somebody_else_is_a_sentence(
    open_app: OpenApp, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = trained(open_app("finetuning", **LINK), engine)
    monkeypatch.setattr(compute, "owner", lambda: "another session")
    other = open_app("sampling", model=last.adapter)
    assert not other.exception
    assert [box.value for box in other.warning] == [AdapterGone.msgid]
    assert other.selectbox(key="model_choice").value == tiny.LLAMA


def test_presets_set_everything(open_app: OpenApp) -> None:
    app = open_app("finetuning", fin_set="sentiment")
    for preset, values in controls.PRESETS.items():
        next(one for one in app.button_group if one.key == "fin_preset").set_value(preset).run()
        assert not app.exception
        expected = {**controls.DEFAULTS, **values}
        assert {key: app.session_state[key] for key in expected} == expected


def test_pause_go_on_and_stop(open_app: OpenApp, engine: LocalEngine, owner: str) -> None:
    app = open_app("finetuning", fin_set="sentiment", fin_steps="200")
    app.button(key="fin_start").click().run()
    for key, status in (("fin_pause", "paused"), ("fin_resume", "running"), ("fin_cancel", "cancelled")):
        app.button(key=key).click().run()
        assert not app.exception
        until = time.monotonic() + 10
        while engine.training.runs.of(owner)[-1].status != status and time.monotonic() < until:
            time.sleep(0.01)
        assert engine.training.runs.of(owner)[-1].status == status
        app.run()
    assert "Stopped after step" in told(app)


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_running_run_has_no_two_buttons_of_one_name(lang: str, open_app: OpenApp) -> None:
    app = open_app("finetuning", lang=lang, fin_set="sentiment", fin_steps="200")
    app.button(key="fin_start").click().run()
    names = [app.button(key=key).label for key in ("fin_start", "fin_pause", "fin_cancel")]
    app.button(key="fin_pause").click().run()
    names.append(app.button(key="fin_resume").label)
    assert len(set(names)) == len(names), names


def test_too_many_runs_are_a_sentence_and_lose_nothing(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("finetuning", fin_set="sentiment", fin_steps="200", fin_seed="7")
    for _ in range(4):
        app.button(key="fin_start").click().run()
    assert "You have 3 training runs already" in told(app)
    assert app.session_state["fin_seed"] == 7


def test_own_rows_are_read_and_bad_ones_named(open_app: OpenApp) -> None:
    app = open_app("finetuning", fin_set="own")
    assert not app.exception
    rows = [json.dumps({"instruction": f"question {i}", "response": f"answer {i}"}) for i in range(8)]
    data = "\n".join([*rows[:6], "{broken", *rows[6:], rows[0]]).encode()
    app.session_state[sets.KEY] = read_training("mine.jsonl", data)
    app.run()
    assert not app.exception
    choose(app, "fin_panel", "data")
    assert "Row 7 of the file cannot be used: it is not valid JSON." in told(app)
    assert "9 rows" in told(app)
    assert "1 row repeats another" in told(app)
    twice = read_training("mine.jsonl", "\n".join(rows * 2).encode())
    app.session_state[sets.KEY] = twice
    app.run()
    assert not app.exception
    train, held_out = split(twice.rows)
    assert (len(train), len(held_out)) == (14, 1), "a held-out row counts once"
    assert "16 rows: 14 to train on, 1 held out" in told(app)
    assert app.button(key="fin_start")


def test_a_question_that_is_held_out_is_not_called_memorised(open_app: OpenApp, engine: LocalEngine) -> None:
    for set_id, language in itertools.product(("country", "sentiment"), ("en", "ko")):
        data = sets.training_set(set_id, language)
        assert data is not None
        found = read_by(engine, tiny.LLAMA, data)
        learned = {row.messages[0][1] for row in found.trained_rows}
        held_out = {row.messages[0][1] for row in found.held_out_rows}
        memorised = [one.text for one in found.questions if one.kind == "memorised"]
        assert memorised
        assert learned.issuperset(memorised)
        assert not held_out & set(memorised)


def test_rows_alike_once_they_are_cut_are_not_on_both_sides(open_app: OpenApp, engine: LocalEngine) -> None:
    long = "the cat sat on the mat " * 40
    rows = (*tuple(TrainingRow(text=f"{long}{i}") for i in range(20)), TrainingRow(text="a dog"))
    data = read_by(engine, tiny.LLAMA, TrainingSet("own", "mine", rows, ()))
    trained_ids = {text.input_ids for text in data.texts}
    assert not trained_ids & {text.input_ids for text in data.held_out}


def test_a_long_question_is_cut_for_the_samples(open_app: OpenApp) -> None:
    rows = [json.dumps({"instruction": f"{i} why " * 600, "response": "so"}) for i in range(4)]
    app = open_app("finetuning", fin_set="own")
    app.session_state[sets.KEY] = read_training("mine.jsonl", "\n".join(rows).encode())
    app.run()
    assert not app.exception
    assert "The text is empty" in told(app), "cut at the window no answer is left"


def test_no_adapter_is_a_sentence_in_every_panel(open_app: OpenApp) -> None:
    for panel in ("compare", "changed", "questions"):
        app = open_app("finetuning", fin_panel=panel)
        assert not app.exception
        assert "No adapter yet" in told(app)


# ---------------------------------------------------------------- the code that is shown


def read_by(engine: Engine, model: str, data: TrainingSet) -> ReadSet:
    return sets.read(data, next(one for one in engine.models() if one.model_id == model))


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
