"""The sampling page: the game of guessing the next token."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from playground.core.guessing import bound_bits
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.process import SharedEngine
from playground.settings import Settings
from playground.ui.sampling import guess
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.sampled import TEXT, run_code, scored


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


@pytest.fixture
def folder(tiny_settings: Settings) -> str:
    return str(tiny_settings.cache_dir / "models" / tiny.LLAMA.replace("/", "--"))
