"""The page Families: its maps, moved states, steps, tasks and shown code, each against the library itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from transformers import AutoModel, AutoModelForSeq2SeqLM

from playground.core.families import may_look
from playground.core.sampling import GREEDY
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.traces import TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import model_folder
from playground.settings import DATES_MODEL, Settings
from playground.ui import show
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, drawn, run_script

TEXT = "The cat sat on the mat"
PARTS = {"encoder": tiny.BERT, "decoder": tiny.LLAMA, "encoder-decoder": tiny.T5}


@pytest.fixture
def scripts(tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What each picture of a page offers as its code."""
    monkeypatch.setattr(show, "settings", lambda: tiny_settings)
    found: dict[str, str] = {}
    under = show.under_picture

    def opened(name: str, *, code: Any, frame: Any, **values: Any) -> None:
        found[name] = code() if callable(code) else code
        table = frame() if callable(frame) else frame
        assert len(table)
        under(name, code=found[name], frame=table, **values)

    monkeypatch.setattr(show, "under_picture", opened)
    return found


def library(settings: Settings, family: str) -> Any:
    loader = AutoModelForSeq2SeqLM if family == "encoder-decoder" else AutoModel
    folder = model_folder(PARTS[family], settings)
    return loader.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def maps(app: AppTest) -> list[tuple[dict[str, Any], np.ndarray]]:
    head, rest = drawn(app, "family_maps")
    numbers, found = np.frombuffer(rest, dtype="<f4"), []
    for one in head["maps"]:
        n = len(one["labels"])
        found.append((one, numbers[: n * n].reshape(n, n)))
        numbers = numbers[n * n :]
    return found


def page(open_app: OpenApp, **link: str) -> AppTest:
    app = open_app("families", **{"lang": "en", "text": TEXT, "model": tiny.T5} | link)
    assert not app.exception
    assert not app.error
    return app


def markdown(app: AppTest) -> str:
    return " ".join(one.value for one in app.markdown)


def target(engine: LocalEngine, app: AppTest) -> list[int]:
    (_key, steps) = app.session_state["fam_greedy"]
    return [step.token_id for step in steps]


# ---------------------------------------------------------------- who may look at whom


@pytest.mark.parametrize("head", [None, (1, 2)])
def test_the_maps_are_the_models_own(
    head: tuple[int, int] | None, open_app: OpenApp, engine: LocalEngine, tiny_settings: Settings
) -> None:
    link = {"fam_map": "head"}
    for family in ("encoder", "decoder", "encoder_decoder"):
        link |= {f"fam_layer_{family}": "2", f"fam_head_{family}": "3"}
    app = page(open_app, **link if head else {})
    written = target(engine, app)
    for family, (one, weights) in zip(PARTS, maps(app), strict=True):
        ids = torch.tensor(
            [engine.tokenizers.tokenize(PARTS[family], TEXT, add_special_tokens=True).input_ids]
        )
        given = {"input_ids": ids, "output_attentions": True}
        net = library(tiny_settings, family)
        if family == "encoder-decoder":
            given["decoder_input_ids"] = torch.tensor([[net.config.decoder_start_token_id, *written[:-1]]])
        with torch.no_grad():
            out = net(**given)

        def chosen(layers: Any) -> np.ndarray:
            every = torch.cat(layers).numpy()
            return np.asarray(every.mean((0, 1)) if head is None else every[head])

        n = ids.shape[1]
        if family == "encoder-decoder":
            np.testing.assert_allclose(weights[:n, :n], chosen(out.encoder_attentions), atol=1e-5)
            np.testing.assert_allclose(weights[n:, :n], chosen(out.cross_attentions), atol=1e-5)
            np.testing.assert_allclose(weights[n:, n:], chosen(out.decoder_attentions), atol=1e-5)
            np.testing.assert_allclose(weights[n:, :n].sum(axis=1), 1, atol=1e-5)
        else:
            np.testing.assert_allclose(weights, chosen(out.attentions), atol=1e-5)
        hidden = ~may_look(len(one["labels"]), one["seen"])
        assert (weights[hidden] == 0).all(), "exactly 0, not nearly"
        assert hidden.any() == (family != "encoder")


def test_the_answer_is_what_the_library_generates(
    open_app: OpenApp, engine: LocalEngine, tiny_settings: Settings
) -> None:
    app = page(open_app, fam_panel="cross", fam_answer="beam", fam_beams="3")
    ids = torch.tensor([engine.tokenizers.tokenize(tiny.T5, TEXT, add_special_tokens=True).input_ids])
    net = library(tiny_settings, "encoder-decoder")
    plain = {"do_sample": False, "max_new_tokens": 32}
    greedy = net.generate(ids, num_beams=1, **plain)[0, 1:].tolist()
    assert target(engine, app) == greedy
    beam = net.generate(ids, num_beams=3, length_penalty=1.0, **plain)[0, 1:].tolist()
    (_key, steps) = app.session_state["fam_beams_found"]
    assert list(steps[-1].hypotheses[0].token_ids) == beam[: len(steps[-1].hypotheses[0].token_ids)]
    head, rest = drawn(app, "written_steps")
    weights = np.frombuffer(rest, dtype="<f4").reshape(len(head["steps"]), len(head["source"]))
    start = net.config.decoder_start_token_id
    with torch.no_grad():
        out = net(ids, decoder_input_ids=torch.tensor([[start, *beam[:-1]]]), output_attentions=True)
    np.testing.assert_allclose(weights, torch.cat(out.cross_attentions).mean((0, 1)), atol=1e-5)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)


def test_the_encoder_decoder_that_is_shipped_reads_dates(open_app: OpenApp, engine: LocalEngine) -> None:
    engine.trace(TraceRequest(DATES_MODEL, "a"))  # brings it into memory
    english = maps(page(open_app, model=tiny.LLAMA))[-1][0]
    assert english["title"].startswith("Encoder-decoder · ")
    assert any(line.endswith("2026-05-03") for line in english["returns"])
    korean = maps(page(open_app, model=tiny.LLAMA, lang="ko"))[-1][0]
    assert any(line.endswith("2026-05-03") for line in korean["returns"])
    own = page(open_app, model=tiny.LLAMA, fam_source="December 9, 1987", fam_panel="cross")
    assert any(line.endswith("1987-12-09") for line in maps(own)[-1][0]["returns"])
    assert "trained on dates alone" in markdown(own)


def test_the_cells_of_a_date_cross(open_app: OpenApp, engine: LocalEngine) -> None:
    engine.trace(TraceRequest(DATES_MODEL, "a"))
    head, rest = drawn(page(open_app, model=tiny.LLAMA, fam_panel="cross"), "written_steps")
    weights = np.frombuffer(rest, dtype="<f4").reshape(len(head["steps"]), len(head["source"]))
    written = "".join(step["label"] for step in head["steps"])
    assert written == "2026-05-03</s>"
    looks = weights.argmax(axis=1)
    read = "3·may·2026"
    assert "".join(head["source"]) == f"{read}</s>"
    year, month, day = written.index("6"), written.index("5"), written.index("3")
    assert read[looks[year]] == "6"
    assert looks[month] in range(read.index("m"), read.index("y") + 1)
    assert looks[day] == 0
    assert looks[year] > looks[month] > looks[day], "the order is turned round"


@pytest.mark.parametrize("text", ["hello world", "대한민국의 수도는", "a", "Christmas"])
def test_of_anything_else_it_makes_digits_and_dashes(text: str, engine: LocalEngine) -> None:
    steps = engine.generate(GenerateRequest(DATES_MODEL, text, sampling=GREEDY))
    assert re.fullmatch(r"[\d-]+", "".join(step.text for step in steps))


# ---------------------------------------------------------------- another last word


def test_states_before_the_changed_word_move_but_for_the_decoder(
    open_app: OpenApp, engine: LocalEngine, tiny_settings: Settings
) -> None:
    app = page(open_app, fam_word="dog")
    (table,) = (one for one in charts(app) if "stack" in one)
    assert set(table["stack"]) == {"encoder", "decoder", "source", "target"}
    before = table[table["place"] == "before"].groupby("stack")["change"].max()
    assert before["decoder"] <= 1e-6
    assert (before.drop("decoder") > 1e-3).all()
    tokenize = engine.tokenizers.tokenize
    for family, stack in (("encoder", "encoder"), ("decoder", "decoder")):
        net, states = library(tiny_settings, family), []
        for text in (TEXT, TEXT.replace("mat", "dog")):
            ids = torch.tensor([tokenize(PARTS[family], text, add_special_tokens=True).input_ids])
            with torch.no_grad():
                states.append(torch.stack(net(ids, output_hidden_states=True).hidden_states)[:, 0].double())
        rows = table[(table["stack"] == stack) & (table["place"] == "before")]
        n = rows["position"].nunique()
        expected = (states[1][:, :n] - states[0][:, :n]).norm(dim=-1) / states[0][:, :n].norm(dim=-1)
        found = rows.pivot(index="layer", columns="position", values="change").to_numpy()
        np.testing.assert_allclose(found, expected, atol=1e-5)
    said = markdown(app)
    n_decoder = table[(table["stack"] == "decoder") & (table["place"] == "before")]["position"].nunique()
    assert f"**Decoder**: 0 of {n_decoder} tokens before it move" in said


def test_the_same_word_again_is_told(open_app: OpenApp) -> None:
    app = page(open_app, fam_word="mat")
    assert any("stands there already" in one.value for one in app.info)


# ---------------------------------------------------------------- tasks, BertViz, code


def test_the_tasks_are_checked_against_the_maps(open_app: OpenApp, engine: LocalEngine) -> None:
    app = page(open_app)
    n = len(engine.tokenizers.tokenize(tiny.LLAMA, TEXT, add_special_tokens=True))
    cross = maps(app)[-1][1]
    n_source = maps(app)[-1][0]["seen"]
    look = int(cross[n_source, :n_source].argmax())
    app.number_input(key="task_families_hidden").set_value(n * (n - 1) // 2)
    app.radio(key="task_families_still").set_value("decoder")
    app.radio(key="task_families_looks").set_value(str(look)).run()
    assert not app.exception
    assert "3 of 3 solved" in markdown(app)


def test_bertviz_draws_encoder_decoder_and_cross_attention(open_app: OpenApp) -> None:
    app = page(open_app, fam_panel="bertviz", fam_bv_layer="2")
    (frame,) = app.get("iframe")
    assert re.findall(r"<option value=\"\d\">([^<]+)", frame.proto.srcdoc) == [
        "Encoder",
        "Decoder",
        "Cross-attention",
    ]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_code_shown_gives_the_numbers_of_the_page(
    open_app: OpenApp, scripts: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = page(open_app, fam_panel="changed")
    found, said = run_script(scripts["families"], tmp_path)
    for family, (_one, weights) in zip(PARTS, maps(app), strict=True):
        np.testing.assert_allclose(found["maps"][family], weights, atol=1e-5)
    assert "it writes" in said
    (table,) = (one for one in charts(app) if "stack" in one)
    changes = run_script(scripts["families_changed"], tmp_path)[0]["changes"]
    for stack, change in changes.items():
        np.testing.assert_allclose(change.ravel(), table[table["stack"] == stack]["change"], atol=1e-5)
    app = page(open_app, fam_panel="cross")
    head, rest = drawn(app, "written_steps")
    shown = np.frombuffer(rest, dtype="<f4").reshape(len(head["steps"]), -1)
    np.testing.assert_allclose(
        run_script(scripts["families_cross"], tmp_path)[0]["weights"], shown, atol=1e-5
    )
    page(open_app, fam_panel="bertviz")
    run_script(scripts["families_bertviz"], tmp_path)
    assert (tmp_path / "bertviz.html").is_file()
