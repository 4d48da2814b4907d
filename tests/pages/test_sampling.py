"""The sampling page on a tiny model: settings from the link, generation, tasks, and the code it shows."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.diversity import distinct
from playground.core.files.prompts import PromptFile
from playground.core.guessing import bound_bits
from playground.core.penalties import NO_PENALTIES, Penalties
from playground.core.ranking import rank
from playground.core.sampling import GREEDY, Sampling, distribution
from playground.core.tables import continuations as frames_many
from playground.core.tables import sampling as frames
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.process import SharedEngine
from playground.settings import Settings
from playground.ui import show
from playground.ui.components.sampler import valid
from playground.ui.sampling import guess
from playground.ui.sampling import many as many_texts
from playground.ui.sampling.settings import DEFAULT, cuts
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import drawn, run_script
from tests.pages.test_every_page import HOSTILE

TEXT = "The cat sat on"
SETTINGS = [
    Sampling(1.0, 0, 0.75, 0.0),
    Sampling(0.0, 0, 0.9, 0.0),
    Sampling(2.5, 40, 0.6, 0.02),
    Sampling(0.7, 0, 1.0, 0.1),
    Sampling(1.3, 5, 1.0, 0.0),
    Sampling(1.6, 0, 0.8, 0.0, 0.7, "llama.cpp"),
    Sampling(1.6, 60, 0.9, 0.05, 1.0, "vllm"),
    Sampling(1.1, 0, 1.0, 0.0, 0.4),
    Sampling(0.0, 0, 0.9, 0.0, 0.02, "llama.cpp"),
    Sampling(0.0, 3, 1.0, 0.05, 0.02, "transformers"),
]

PENALTIES = (NO_PENALTIES, Penalties(1.7, 0.5, 0.4))


def sent_to_browser(app: AppTest) -> dict[str, Any]:
    """The JSON head of the sampler's data."""
    return drawn(app, "sampler")[0]


def scored(app: AppTest) -> dict[str, Any]:
    """What the coloured text got."""
    found = [element.proto for element in app.get("bidi_component")]
    return dict(json.loads(next(one.json for one in found if one.component_name == "playground.scored_text")))


def test_settings_of_the_link_reach_the_sliders(open_app: OpenApp) -> None:
    link = {"sam_temperature": "1.5", "sam_top_k": "40", "sam_top_p": "0.8", "sam_min_p": "0.05"}
    link |= {"sam_typical_p": "0.9", "sam_order": "llama.cpp"}
    app = open_app("sampling", text=TEXT, **link)
    assert not app.exception
    assert not app.warning
    assert sent_to_browser(app)["settings"] == asdict(Sampling(1.5, 40, 0.8, 0.05, 0.9, "llama.cpp"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", "hot"),
        ("temperature", "-1"),
        ("temperature", "inf"),
        ("temperature", "nan"),
        ("top_k", "2.5"),
        ("top_k", "-3"),
        ("top_k", "9" * 5_000),
        ("top_p", "0"),
        ("top_p", "1.1"),
        ("min_p", "</script><script>"),
        ("typical_p", "0"),
        ("order", "alphabetical"),
    ],
)
def test_a_value_that_cannot_be_gives_one_sentence_and_the_default(
    name: str, value: str, open_app: OpenApp
) -> None:
    app = open_app("sampling", text=TEXT, **{"sam_min_p": "0.1", f"sam_{name}": value})
    assert not app.exception
    assert len(app.warning) == 1
    expected = DEFAULT if name == "min_p" else replace(DEFAULT, min_p=0.1)
    assert sent_to_browser(app)["settings"] == asdict(expected)


@pytest.mark.parametrize(
    ("name", "least", "default", "most"),
    [("sam_seed", 0, 0, 2**32 - 1), ("sam_max_new_tokens", 1, 32, 128)],
)
@pytest.mark.parametrize("value", ["x", "-1", "1e99", "99999999999999999999"])
def test_a_number_of_the_link_that_cannot_be_is_the_nearest_or_the_default(
    name: str, least: int, default: int, most: int, value: str, open_app: OpenApp
) -> None:
    app = open_app("sampling", text=TEXT, **{name: value})
    assert not app.exception
    assert app.number_input(key=name).value == {"x": default, "-1": least}.get(value, most)


def test_same_settings_send_the_same_bytes_again(open_app: OpenApp) -> None:
    app = open_app("sampling", text=TEXT)
    first = app.get("bidi_component")
    again = app.run().get("bidi_component")
    assert [element.proto.bytes for element in first] == [element.proto.bytes for element in again]


def test_generate_continues_the_text_as_the_engine_does(open_app: OpenApp, tiny_engine: SharedEngine) -> None:
    app = open_app("sampling", text=TEXT, sam_seed="7", sam_max_new_tokens="9", sam_temperature="0.8")
    app.button(key="sam_start").click().run()
    assert not app.exception
    request = GenerateRequest(
        sampling=Sampling(temperature=0.8, top_p=DEFAULT.top_p),
        model=tiny.LLAMA,
        text=TEXT,
        seed=7,
        max_new_tokens=9,
    )
    steps = list(tiny_engine.get(timeout_s=180).generate(request))
    run = app.session_state["sam_run"]
    assert [token.token_id for token in run.tokens] == [step.token_id for step in steps]
    assert app.text[0].value == f"{TEXT}│{''.join(step.text for step in steps)}"
    assert run.finish == steps[-1].finish_reason


def test_token_by_token_and_then_on_gives_what_one_run_gives(open_app: OpenApp) -> None:
    link = {"text": "서울은", "sam_seed": "7", "sam_max_new_tokens": "9", "sam_temperature": "0.8"}
    whole = open_app("sampling", **link)
    whole.button(key="sam_start").click().run()
    app = open_app("sampling", **link)
    assert app.button(key="sam_go_on").disabled
    for n in (1, 2, 3):
        app.button(key="sam_step").click().run()
        assert not app.exception
        assert len(app.session_state["sam_run"].tokens) == n
        assert any("Not ended yet" in one.value for one in app.caption)
    app.button(key="sam_go_on").click().run()
    run, expected = app.session_state["sam_run"], whole.session_state["sam_run"]
    assert [one.token_id for one in run.tokens] == [one.token_id for one in expected.tokens]
    assert (run.text, run.finish) == (expected.text, expected.finish)
    assert app.button(key="sam_go_on").disabled
    app.button(key="sam_step").click().run()
    assert len(app.session_state["sam_run"].tokens) == 1, "a finished text begins anew"


def test_exact_says_so(open_app: OpenApp) -> None:
    app = open_app("sampling", text=TEXT, sam_max_new_tokens="4", sam_exact="true")
    app.button(key="sam_start").click().run()
    assert any("alone in its batch" in one.value for one in app.caption)
    assert app.session_state["sam_run"].goes_on["alone"]


def test_generating_code_goes_on_from_what_was_written(
    folder: str, tiny_engine: SharedEngine, tmp_path: Path
) -> None:
    values = {"temperature": 0.9, "top_p": 1.0, "presence_penalty": 1.0, "seed": 5}
    found, _printed = run_code(
        "generating", tmp_path, folder=folder, text=TEXT, n_tokens=6, written=[7, 9, 7], **values
    )
    request = GenerateRequest(
        tiny.LLAMA, TEXT, sampling=Sampling(0.9), penalties=Penalties(presence_penalty=1.0),
        written=(7, 9, 7), max_new_tokens=6, seed=5,
    )  # fmt: skip
    steps = list(tiny_engine.get(timeout_s=180).generate(request))
    new_ids = found["input_ids"][0, found["prompt_length"] :].tolist()
    assert new_ids == [7, 9, 7, *(step.token_id for step in steps)]


def test_penalties_reach_the_engine_and_every_token_has_its_expectations(
    open_app: OpenApp, tiny_engine: SharedEngine
) -> None:
    link = {"sam_max_new_tokens": "9", "sam_temperature": "0", "sam_repetition": "2.5", "sam_presence": "1.0"}
    app = open_app("sampling", text=TEXT, **link)
    app.button(key="sam_start").click().run()
    assert not app.exception
    request = GenerateRequest(
        tiny.LLAMA,
        TEXT,
        sampling=GREEDY,
        penalties=Penalties(repetition_penalty=2.5, presence_penalty=1.0),
        max_new_tokens=9,
    )
    steps = list(tiny_engine.get(timeout_s=180).generate(request))
    sent = scored(app)
    assert sent["bits"] == pytest.approx([-step.logprob / math.log(2) for step in steps], abs=1e-3)
    assert sent["ranks"] == [step.rank + 1 for step in steps]
    for step, expected in zip(steps, sent["expected"], strict=True):
        probs = np.exp(step.top_logits[:5] - step.log_sum_exp)
        assert [p for _label, p in expected] == pytest.approx(probs.tolist(), abs=1e-5)


def written(app: AppTest) -> list[list[int]]:
    return [one.token_ids for one in app.session_state["sam_many_texts"].written]


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


def test_a_guess_is_checked_and_scored_against_the_models_ranks(
    open_app: OpenApp, tiny_engine: SharedEngine, folder: str, tmp_path: Path
) -> None:
    engine, hidden = tiny_engine.get(timeout_s=180), guess.texts()[0]
    tokens = engine.tokenizers.tokenize(tiny.LLAMA, hidden, add_special_tokens=True)
    read = engine.trace(TraceRequest(tiny.LLAMA, hidden, Capture(predictions=5))).predictions
    assert read is not None
    app = open_app("sampling", text=TEXT, sam_panel="guess")
    assert hidden not in str([one.value for one in app.markdown]), "the text is a secret"
    assert len(scored(app)["labels"]) == 2
    assert hidden[: tokens.offsets[3][1]] not in str([one.value for one in app.code])
    app.text_input(key="sam_guess").set_value("<b>surely not this</b>").run()
    assert not app.session_state["sam_game"].done
    steps = [at for at in range(2, len(tokens)) if tokens.tokens[at].strip()][:3]
    for at in range(2, steps[-1] + 1):
        if at in steps:
            app.text_input(key="sam_guess").set_value(tokens.tokens[at].strip().upper()).run()
        else:
            app.button(key="sam_guess_show").click().run()
        assert not app.exception
    done = app.session_state["sam_game"].done
    assert [one.step for one in done] == list(range(3, steps[-1] + 2))
    assert done[0].guesses == 2, "one wrong guess came before"
    assert [one.rank for one in done] == (read.ranks[1 : steps[-1]] + 1).tolist()
    assert len(scored(app)["labels"]) == 2 + len(done)
    so_far = hidden[: tokens.offsets[1 + len(done)][1]]
    found, _printed = run_code("guessing", tmp_path, folder=folder, text=so_far)
    assert found["ranks"] == [one.rank for one in done]
    assert found["bound"] == pytest.approx(bound_bits(found["ranks"]))
    mean = np.mean([one.surprisal_bits for one in done])
    assert any(f"surprisal is {mean:.2f} bits" in one.value for one in app.markdown)


def test_giving_up_is_no_hit_and_leaves_the_readers_guesses_without_a_bound(
    open_app: OpenApp, tiny_engine: SharedEngine
) -> None:
    tokens = tiny_engine.get(timeout_s=180).tokenizers.tokenize(
        tiny.LLAMA, guess.texts()[0], add_special_tokens=True
    )
    app = open_app("sampling", text=TEXT, sam_panel="guess")
    app.text_input(key="sam_guess").set_value("surely not this").run()
    for _ in range(4):
        app.button(key="sam_guess_show").click().run()
    done = app.session_state["sam_game"].done
    assert [one.guesses for one in done] == [1, 0, 0, 0], "wrong guesses tried"
    told = " ".join(one.value for one in app.markdown)
    assert "You found 0 of 4 tokens" in told
    assert "You gave up on 4 tokens" in told
    assert "your guesses say" not in told
    assert f"ranks say at most {bound_bits([one.rank for one in done]):.2f} bits" in told

    app = open_app("sampling", text=TEXT, sam_panel="guess")
    for at in range(2, 5):
        for said in ["surely not this"] * (at - 2) + [tokens.tokens[at].strip()]:
            app.text_input(key="sam_guess").set_value(said).run()
    told = " ".join(one.value for one in app.markdown)
    assert f"your guesses say at most {bound_bits([1, 2, 3]):.2f} bits" in told


def test_a_game_goes_to_its_end_and_on_to_the_next_text(open_app: OpenApp) -> None:
    app = open_app("sampling", text=TEXT, sam_panel="guess")
    for _ in range(200):
        if app.success:
            break
        app.button(key="sam_guess_show").click().run()
    assert not app.exception
    app.button(key="sam_guess_next").click().run()
    assert app.session_state["sam_game"].number == 1
    assert not app.session_state["sam_game"].done


@pytest.mark.parametrize("panel", ["many", "text", "guess", "beam", "compare"])
@pytest.mark.parametrize("name", HOSTILE)
def test_every_panel_survives_any_text_in_korean(panel: str, name: str, open_app: OpenApp) -> None:
    app = open_app("sampling", lang="ko", text=HOSTILE[name], sam_panel=panel, sam_many_tokens="4")
    assert not app.exception
    if panel == "many" and any(button.key == "sam_many" for button in app.button):
        app.button(key="sam_many").click().run()
        assert not app.exception
        assert all(written(app))


def test_a_new_sentence_puts_the_old_continuation_away(open_app: OpenApp) -> None:
    app = open_app("sampling", text=TEXT, sam_max_new_tokens="3")
    app.button(key="sam_start").click().run()
    assert app.text[0].value.startswith(f"{TEXT}│")
    app.text_area(key="text").set_value("The dog").run()
    assert not app.exception
    assert not [text for text in app.text if "│" in text.value]


def test_tasks_are_checked_against_the_model(open_app: OpenApp, tiny_engine: SharedEngine) -> None:
    trace = tiny_engine.get(timeout_s=180).trace(
        TraceRequest(model=tiny.LLAMA, text=TEXT, capture=Capture(logits="last"))
    )
    assert trace.logits is not None
    ranked = rank(trace.logits[-1])
    probs = distribution(ranked).probs
    five = float(probs[:5].sum() - probs[4] / 2)
    app = open_app("sampling", text=TEXT, sam_top_p=f"{five:.6f}")
    assert ("sampling", "five") in app.session_state["solved_tasks"]
    app.number_input(key="task_sampling_entropy").set_value(round(distribution(ranked).entropy_bits, 1)).run()
    assert ("sampling", "entropy") in app.session_state["solved_tasks"]
    app.number_input(key="task_sampling_entropy").set_value(99.0).run()
    assert any(caption.value.startswith("Solved before") for caption in app.caption)


@pytest.mark.parametrize("values", [{}, {"temperature": 1}, None])
def test_half_a_setting_from_the_browser_is_refused(values: dict[str, Any] | None) -> None:
    assert valid(values or {}, 100) is None


def test_vllm_has_no_typical_p(open_app: OpenApp) -> None:
    app = open_app("sampling", text=TEXT, sam_order="vllm", sam_typical_p="0.5")
    assert not app.exception
    assert sent_to_browser(app)["settings"] == asdict(replace(DEFAULT, order="vllm"))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1, 1e400, "x", None, [], True + 5])
@pytest.mark.parametrize("name", asdict(DEFAULT))
def test_a_forged_setting_from_the_browser_is_refused(name: str, bad: object) -> None:
    values = asdict(DEFAULT) | {name: bad}
    if name == "top_k" and bad == 6:
        assert valid(values, 100) is not None
        assert valid(values, 5) is None
    else:
        assert valid(values, 100) is None


# ---------------------------------------------------------------- the code under the pictures


def run_code(name: str, tmp_path: Path, **values: object) -> tuple[dict[str, Any], str]:
    """Run what the page shows; its variables and what it printed."""
    return run_script(show.code(name, **values), tmp_path)


@pytest.fixture
def folder(tiny_settings: Settings) -> str:
    return str(tiny_settings.cache_dir / "models" / tiny.LLAMA.replace("/", "--"))


@pytest.mark.parametrize("chosen", SETTINGS, ids=str)
def test_sampling_code_gives_the_numbers_of_the_table(
    chosen: Sampling, folder: str, tiny_engine: SharedEngine, tmp_path: Path
) -> None:
    found, printed = run_code("sampling", tmp_path, folder=folder, text=TEXT, **asdict(chosen))
    trace = tiny_engine.get(timeout_s=180).trace(
        TraceRequest(model=tiny.LLAMA, text=TEXT, capture=Capture(logits="last"))
    )
    assert trace.logits is not None
    kept = distribution(rank(trace.logits[-1]), chosen)
    assert found["n_kept"] == kept.n_kept
    assert found["entropy_bits"] == pytest.approx(kept.entropy_bits, abs=1e-4)
    np.testing.assert_allclose(found["probs"].numpy()[kept.token_ids], kept.probs, atol=1e-5)
    assert f"kept {kept.n_kept:,} of" in printed


def test_entropy_code_gives_the_numbers_of_the_curve(
    folder: str, tiny_engine: SharedEngine, tmp_path: Path
) -> None:
    chosen = Sampling(top_k=50, top_p=0.8, min_p=0.01, typical_p=0.9, order="llama.cpp")
    _found, printed = run_code("entropy", tmp_path, folder=folder, text=TEXT, **cuts(chosen))
    trace = tiny_engine.get(timeout_s=180).trace(
        TraceRequest(model=tiny.LLAMA, text=TEXT, capture=Capture(logits="last"))
    )
    assert trace.logits is not None
    grid = [round(0.2 * step, 1) for step in range(1, 16)]
    points = frames.curve_points(rank(trace.logits[-1]), grid, chosen, now=False)
    curve = frames.temperature_curve(points)
    rows = curve.pivot_table(index="temperature", columns="tokens", values="entropy_bits")
    n_kept = curve[curve["tokens"] == "kept"]["n_kept"].tolist()
    for line, (temperature, row), n in zip(printed.splitlines(), rows.iterrows(), n_kept, strict=True):
        words = line.split()
        assert float(words[1]) == temperature
        assert [float(words[3]), float(words[6])] == pytest.approx([row["all"], row["kept"]], abs=2e-4)
        assert int(words[8]) == n


@pytest.mark.parametrize("chosen", SETTINGS, ids=str)
def test_generating_code_writes_the_same_tokens(
    chosen: Sampling, folder: str, tiny_engine: SharedEngine, tmp_path: Path
) -> None:
    penalties = PENALTIES[chosen.top_k > 0]
    values = asdict(chosen) | asdict(penalties)
    found, _printed = run_code("generating", tmp_path, folder=folder, text=TEXT, n_tokens=8, seed=3, **values)
    request = GenerateRequest(
        tiny.LLAMA, TEXT, sampling=chosen, penalties=penalties, seed=3, max_new_tokens=8
    )
    steps = list(tiny_engine.get(timeout_s=180).generate(request))
    assert found["input_ids"][0, found["prompt_length"] :].tolist() == [step.token_id for step in steps]
