"""The sampling page: many texts, uploaded prompts, a sweep over temperatures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from playground.core.diversity import distinct
from playground.core.files.prompts import PromptFile
from playground.core.sampling import Sampling
from playground.core.tables import continuations as frames_many
from playground.engine.contract.generation import GenerateRequest
from playground.engine.process import SharedEngine
from playground.settings import Settings
from playground.ui.sampling import many as many_texts
from playground.ui.sampling.settings import DEFAULT
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.sampled import TEXT, run_code, written


def test_many_texts_are_the_engines_and_their_numbers_too(
    open_app: OpenApp, tiny_engine: SharedEngine
) -> None:
    link = {"sam_panel": "many", "sam_n_texts": "5", "sam_many_tokens": "9", "sam_temperature": "1.2"}
    app = open_app("sampling", text=TEXT, **link)
    app.button(key="sam_many").click().run()
    assert not app.exception
    engine = tiny_engine.get(timeout_s=180)
    for seed, token_ids in enumerate(written(app)):
        request = GenerateRequest(
            tiny.LLAMA,
            TEXT,
            sampling=Sampling(temperature=1.2, top_p=DEFAULT.top_p),
            seed=seed,
            max_new_tokens=9,
        )
        assert token_ids == [step.token_id for step in engine.generate(request)]
    table = app.dataframe[0].value
    assert len(table) == 5
    bits = distinct(written(app), 2)
    assert any(f"**distinct-2** {bits:.2f}" in one.value for one in app.markdown)


def test_every_uploaded_prompt_is_continued_as_alone_and_long_ones_are_named(
    open_app: OpenApp, tiny_engine: SharedEngine, folder: str, tmp_path: Path
) -> None:
    app = open_app("sampling", text=TEXT, sam_panel="batch", sam_batch_tokens="5", sam_top_p="1")
    assert any("Upload a file" in one.value for one in app.info)
    prompts = ("The cat", "서울은", "</script>", "a b c d " * 200, "<b>one</b>")
    app.session_state["prompts"] = PromptFile((), 0, prompts)
    app.run()
    assert any("row 4" in one.value for one in app.warning)
    app.button(key="sam_batch").click().run()
    assert not app.exception
    kept = [prompt for prompt in prompts if len(prompt) < 100]
    many = app.session_state["sam_batch_texts"]
    assert [one.prompt for one in many.written] == kept
    engine = tiny_engine.get(timeout_s=180)
    for seed, one in enumerate(many.written):
        request = GenerateRequest(tiny.LLAMA, one.prompt, seed=seed, max_new_tokens=5)
        assert one.token_ids == [step.token_id for step in engine.generate(request)]
    assert app.dataframe[0].value["prompt"].tolist() == kept
    found, _printed = run_code(
        "many", tmp_path, folder=folder, prompts=kept, n_texts=1, n_tokens=5, top_p=1.0, temperatures=[1.0]
    )
    assert found["texts"] == [one.token_ids for one in many.written]


OTHER = "Made with other settings than those above: "


MADE = {  # panel: its button, then (a setting that is changed, its new value, what is said of the old one)
    "write": ("sam_start", ("sam_seed", 7, "Seed 0"), ("sam_max_new_tokens", 5, "Tokens at most 4")),
    "many": ("sam_many", ("sam_n_texts", 3, "Texts 2"), ("sam_many_tokens", 5, "Tokens at most 4")),
    "sweep": ("sam_sweep", ("sam_many_tokens", 5, "Tokens at most 4")),
    "batch": ("sam_batch", ("sam_batch_tokens", 5, "Tokens at most 4")),
    "beam": ("sam_search", ("sam_n_beams", 3, "Beams 2"), ("sam_length_penalty", 0.5, "Length penalty 1")),
}


@pytest.mark.parametrize("panel", MADE)
def test_a_result_says_when_it_was_made_with_other_settings(panel: str, open_app: OpenApp) -> None:
    def said() -> list[str]:
        return [one.value.partition(OTHER)[2].replace("\\", "") for one in app.caption if OTHER in one.value]

    tokens = ("sam_max_new_tokens", "sam_many_tokens", "sam_batch_tokens", "sam_beam_tokens")
    link = dict.fromkeys(tokens, "4") | {"sam_n_texts": "2", "sam_n_beams": "2"}
    app = open_app("sampling", text=TEXT, sam_panel="many" if panel == "sweep" else panel, **link)
    app.session_state["prompts"] = PromptFile((), 0, ("The cat", "A dog"))
    app.run()
    button, *changes = MADE[panel]
    app.button(key=button).click().run()
    assert said() == []
    for key, value, words in changes:
        before = app.number_input(key=key).value
        app.number_input(key=key).set_value(value).run()
        assert said() == [f"{words}."]
        app.number_input(key=key).set_value(before).run()
        assert said() == []
    app.session_state["sam_temperature"] = app.session_state["sam_temperature_ours"] = "0.3"
    app.run()
    assert said() == ([] if panel == "sweep" else ["temperature 1."])


def test_what_the_settings_file_has_no_place_for_is_named_with_its_value(open_app: OpenApp) -> None:
    def left_out(**link: str) -> list[str]:
        app = open_app("sampling", text=TEXT, sam_max_new_tokens="2", **link)
        app.button(key="sam_start").click().run()
        told = [one.value.replace("\\", "") for one in app.caption if "no field for it" in one.value]
        return [one.partition(": ")[2] for one in told]

    assert left_out(sam_temperature="0") == []
    assert left_out(sam_temperature="0", sam_frequency="0.5") == ["frequency_penalty 0.5."]
    assert left_out(sam_presence="-1.0", sam_order="vllm", sam_seed="9") == [
        "order vllm, presence_penalty -1, seed 9."
    ]


def test_the_turn_of_a_value_over_the_temperatures_is_named() -> None:
    def way(*values: float) -> str:
        temperatures = [0.4 * at for at in range(len(values))]
        return many_texts._way(pd.DataFrame({"temperature": temperatures, "p": values}), "p")

    assert way(-1.1, -0.8, -3.0, -6.81) == "from -1.10 over -0.80 (at 0.4) to -6.81"
    assert way(0.5, 0.9, 0.2, 0.8) == "from 0.50 over 0.20 (at 0.8) to 0.80"
    assert way(-1.1, -1.1, -2.0) == "from -1.10 to -2.00"
    assert way(0.5, 0.501, 0.502) == "from 0.50 to 0.50", "no turn that is shown"


def test_after_one_token_a_text_has_not_ended_and_was_not_stopped(open_app: OpenApp) -> None:
    app = open_app("sampling", text=TEXT, sam_max_new_tokens="3", sam_temperature="0")
    for n, words in ((1, "1 token,"), (2, "2 tokens,")):
        app.button(key="sam_step").click().run()
        [told] = [one.value for one in app.caption if words in one.value]
        assert told.startswith("Not ended yet"), n
        assert "Stopped" not in told
    app.button(key="sam_step").click().run()
    assert any(one.value.startswith("The chosen length is reached.") for one in app.caption)


def test_a_sweep_writes_eight_texts_at_each_temperature(open_app: OpenApp) -> None:
    app = open_app("sampling", text=TEXT, sam_panel="many", sam_many_tokens="6")
    app.button(key="sam_sweep").click().run()
    assert not app.exception
    assert len(written(app)) == 8 * len(many_texts.TEMPERATURES)
    cold = written(app)[:8]
    assert all(ids == cold[0] for ids in cold), "temperature 0 has no chance in it"
    grouped = frames_many.by_temperature(app.session_state["sam_many_texts"].written)
    ends = [f"{grouped['distinct_2'].iloc[place]:.2f}" for place in (0, -1)]
    assert any(f"goes from {ends[0]} to {ends[1]}" in one.value for one in app.markdown)


def test_many_code_gives_the_numbers_of_the_table(
    folder: str, tiny_engine: SharedEngine, tmp_path: Path
) -> None:
    values = {"n_tokens": 6, "n_texts": 3, "temperatures": [0.8, 1.4]}
    found, _printed = run_code("many", tmp_path, folder=folder, prompts=[TEXT], **values)
    engine = tiny_engine.get(timeout_s=180)
    ids, logprobs = [], []
    for seed in range(3):
        request = GenerateRequest(
            tiny.LLAMA, TEXT, sampling=Sampling(temperature=1.4, top_p=0.75), seed=seed, max_new_tokens=6
        )
        steps = list(engine.generate(request))
        ids.append([step.token_id for step in steps])
        logprobs += [step.logprob for step in steps]
    assert found["texts"] == ids
    assert found["distinct_2"] == distinct(ids, 2)
    assert found["mean_logprob"] == pytest.approx(np.mean(logprobs), abs=1e-4)


@pytest.fixture
def folder(tiny_settings: Settings) -> str:
    return str(tiny_settings.cache_dir / "models" / tiny.LLAMA.replace("/", "--"))
