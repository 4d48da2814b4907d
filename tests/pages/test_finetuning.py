"""The page on fine-tuning with tiny models: data, a run, its adapter on every page, and the code it shows."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from uuid import uuid4

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import ENDED, FinetuneSettings, TrainingState
from playground.engine.local.engine import LocalEngine
from playground.errors import AdapterGone
from playground.paths import site_root
from playground.settings import Settings
from playground.ui import compute
from playground.ui.finetuning import live, questions, sets
from playground.ui.prompted import prompt_ids
from playground.ui.state import PageContext
from tests import tiny
from tests.engine.conftest import oracle
from tests.engine.training.preference_runs import dpo_run
from tests.pages.conftest import OpenApp
from tests.pages.finetuned import choose, told
from tests.pages.shown import charts
from tests.pages.test_every_page import PAGES


def test_a_run_on_preferences_is_another_pages_and_its_adapter_is_everybodys(
    engine: LocalEngine, owner: str
) -> None:
    run = dpo_run(1, owner=owner, n_steps=2)
    engine.training.runs.start(run)
    until = time.monotonic() + 60
    while not engine.adapters.of(owner):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert len(engine.training.runs.of(owner)) == 1
    assert live.runs(PageContext("finetuning", engine.models()[0], "", "en", owner)) == []


LINK = {"fin_steps": "6", "fin_set": "sentiment"}


PANELS = ("data", "weights", "forgetting", "compare", "changed", "questions", "mine")


@pytest.fixture(autouse=True)
def owner(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A session of its own for every test: AppTest gives all of them the same id."""
    mine = uuid4().hex
    monkeypatch.setattr(compute, "owner", lambda: mine)
    yield mine
    engine.cancel_owner(mine)


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
        prompt = list(prompt_ids(tiny.LLAMA, one.text))
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
    ids = prompt_ids(tiny.LLAMA, "the cat")
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
