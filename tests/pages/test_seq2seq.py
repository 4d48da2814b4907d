"""The page Seq2seq: what it draws is what its networks compute, told another way by the code it shows."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core import seq2seq
from playground.engine.contract.models import CatalogueEntry, ModelInfo
from playground.engine.contract.networks import UnrollRequest
from playground.engine.local.engine import LocalEngine
from playground.ui import warming
from playground.ui.seq2seq import code
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, drawn, run_script, upload

DATES, REVERSE = "dates-gru-additive", "reverse-gru-none"


def arrays(app: AppTest, component: str) -> tuple[dict[str, Any], np.ndarray]:
    """Facts and numbers of a picture."""
    head, data = drawn(app, component)
    return head["facts"] | {"settings": head["settings"]}, np.frombuffer(data, "<f4")


def markdown(app: AppTest) -> str:
    return "\n".join(one.value for one in app.markdown).replace("\\", "")


def errors(app: AppTest) -> str:
    return "\n".join(one.value for one in app.error).replace("\\", "")


def test_the_first_picture_is_what_the_network_computes(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("seq2seq", lang="en")
    facts, numbers = arrays(app, "unrolled")
    read = engine.networks.unroll(UnrollRequest(DATES, source="May 5, 2026"))
    assert read.contexts is not None
    assert read.weights is not None
    expected = (read.encoder_states, read.decoder_states, read.contexts, read.weights)
    assert numbers.tolist() == np.concatenate([one.ravel() for one in expected]).tolist()
    assert "".join(facts["sources"]) == "May␣5,␣2026"
    assert "".join(facts["outputs"]) == "2026-05-05■"
    assert facts["probs"] == read.top_probs.astype(float).round(6).tolist()
    assert "The network writes **2026-05-05**. That is right." in markdown(app)
    step = seq2seq.longest_way_back(read.weights[:-1])
    assert facts["settings"]["step"] == step + 1


def test_the_picture_does_not_wait_for_the_model_of_the_sidebar(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = warming._info

    def loading(entry: CatalogueEntry) -> ModelInfo | None:
        info = known(entry)
        return None if info is None else replace(info, state="loading")

    monkeypatch.setattr(warming, "_info", loading)
    assert drawn(open_app("seq2seq", lang="en"), "unrolled")


def test_the_arithmetic_of_a_cell_gives_the_context_vector(open_app: OpenApp) -> None:
    app = open_app("seq2seq", lang="ko")
    facts, numbers = arrays(app, "alignment")
    weights, scores, values = numbers.reshape(3, facts["n_steps"], facts["n_source"]).astype(np.float64)
    exponentials = np.exp(scores - scores.max(1, keepdims=True))
    np.testing.assert_allclose(exponentials / exponentials.sum(1, keepdims=True), weights, atol=1e-6)
    np.testing.assert_allclose((weights * values).sum(1), facts["contexts"], atol=1e-5)


@pytest.mark.parametrize(
    ("network", "data", "source"),
    [(DATES, "dates", "2026년 5월 5일"), (REVERSE, "reverse", "attention"),
     ("reverse-lstm-none", "reverse", "ab"), ("reverse-rnn-none", "reverse", "vector"),
     ("dates-transformer-dot", "dates", "5th of May 2026")],
)  # fmt: skip
def test_the_code_shown_is_the_network_in_numpy(
    network: str, data: str, source: str, open_app: OpenApp, engine: LocalEngine, tmp_path: Path
) -> None:
    app = open_app("seq2seq", seq_data=data, seq_network=network, **{f"seq_source_{data}": source})
    facts, numbers = arrays(app, "unrolled")
    found, printed = run_script(code.unrolled(engine.networks.info(network), source), tmp_path)
    assert "".join(facts["outputs"]).removesuffix("■").replace("␣", " ") == found["written"]
    np.testing.assert_allclose(found["probabilities"], facts["probs"], atol=2e-5)
    assert printed.rstrip().endswith(found["written"])
    if facts["has_weights"]:
        alignment = np.array(found["alignment"])
        np.testing.assert_allclose(numbers[-alignment.size :], alignment.ravel(), atol=1e-5)
    else:
        assert "This network has no attention" in "\n".join(one.value for one in app.info)


def test_the_step_and_the_cell_of_a_link_are_shown(open_app: OpenApp) -> None:
    app = open_app("seq2seq", seq_step="3", seq_character="2")
    assert arrays(app, "unrolled")[0]["settings"] == {"step": 3}
    assert arrays(app, "alignment")[0]["settings"] == {"step": 3, "character": 2}
    app.text_input(key="seq_source_dates").set_value("1 May 2031").run()
    assert arrays(app, "unrolled")[0]["settings"]["step"] != 3, "another source begins at its own step"


@pytest.mark.parametrize(
    ("source", "told"),
    [("", "The text is empty"), ("x" * 200, "200 characters and the limit is 100"),
     ("Tag ß?", "has never seen"), ("</script> {0} $x$", "has never seen")],
)  # fmt: skip
def test_a_source_that_cannot_be_read_is_told_and_kept(source: str, told: str, open_app: OpenApp) -> None:
    app = open_app("seq2seq", lang="en")
    app.text_input(key="seq_source_dates").set_value(source).run()
    assert not app.exception
    assert told in errors(app)
    assert app.text_input(key="seq_source_dates").value == source
    assert charts(app), "exact match by length is still there"
    app.text_input(key="seq_source_dates").set_value("May 5, 2026").run()
    assert not app.error


def test_exact_match_by_length_is_what_the_code_counts(
    open_app: OpenApp, engine: LocalEngine, tmp_path: Path
) -> None:
    app = open_app("seq2seq", lang="en")
    [table] = [one for one in charts(app) if "n_right" in one]
    info = engine.networks.info(REVERSE)
    rows = table[table["series"] == "GRU, no attention"]
    assert rows["n_right"].tolist() == [one.n_right for one in info.exact]
    assert ((rows["low"] <= rows["share"]) & (rows["share"] <= rows["high"] + 1e-12)).all()
    first = info.exact[0]
    found, _printed = run_script(code.exact(info, [first.length], first.n_asked), tmp_path)
    assert found["shares"] == [first.n_right / first.n_asked]
    assert "differ most at length" in markdown(app)


def test_attention_holds_where_one_vector_forgets(engine: LocalEngine) -> None:
    """The claim of the page, on the networks that come with it: lengths that were trained, above 14."""
    without, with_it = (
        [one.n_right / one.n_asked for one in engine.networks.info(name).exact if 14 < one.length <= 20]
        for name in (REVERSE, "reverse-gru-additive")
    )
    assert np.mean(with_it) > np.mean(without) + 0.3


def test_gradients_are_those_of_the_code(open_app: OpenApp, engine: LocalEngine, tmp_path: Path) -> None:
    app = open_app("seq2seq", lang="en", seq_panel="gradient", seq_data="reverse")
    [table] = [one for one in charts(app) if "norm" in one]
    assert table["series"].nunique() == 4
    info = engine.networks.info("reverse-rnn-none")
    found, _printed = run_script(code.gradient(info, "sequencetosequence"), tmp_path)
    shown = table[table["series"] == "RNN, no attention"]["norm"]
    np.testing.assert_allclose(shown, found["norms"], rtol=1e-3, atol=1e-12)


def test_bytes_of_a_step_are_those_of_the_code(
    open_app: OpenApp, engine: LocalEngine, tmp_path: Path
) -> None:
    app = open_app("seq2seq", lang="en", seq_panel="cost")
    table = next(one for one in charts(app) if "n_bytes" in one)
    known = {
        "GRU, no attention": REVERSE, "GRU, additive attention": DATES,
        "Transformer": "dates-transformer-dot",
    }  # fmt: skip
    assert set(table["series"]) == set(known)
    for series, network in known.items():
        rows = table[table["series"] == series]
        found, _printed = run_script(
            code.cost(engine.networks.info(network), rows["length"].tolist()), tmp_path
        )
        assert rows["n_bytes"].tolist() == found["kept"]


def test_forced_and_free_running_and_beams(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("seq2seq", lang="en", seq_panel="writing")
    [table] = [one for one in charts(app) if "mode" in one]
    right, free = (table[table["mode"] == mode]["output"].tolist() for mode in ("right", "free"))
    assert right == free
    assert "It makes no mistake" in markdown(app)
    app.text_input(key="seq_target").set_value("1999-05-05").run()
    [table] = [one for one in charts(app) if "mode" in one]
    read = engine.networks.unroll(UnrollRequest(DATES, source="May 5, 2026", target="1999-05-05"))
    forced = table[table["mode"] == "forced"]
    np.testing.assert_allclose(forced["prob"], read.output_probs, atol=1e-6)
    assert "".join(forced["input"]) == "▷1999-05-05"
    app.text_input(key="seq_target").set_value("nonsense").run()
    assert "has never seen" in errors(app)
    [beams] = [one.value for one in app.dataframe if "logprob" in one.value]
    assert beams["logprob"].is_monotonic_decreasing
    assert beams["text"][0] == "2026-05-05"


def test_a_held_out_pair_is_taken_and_its_answer_known(open_app: OpenApp) -> None:
    app = open_app("seq2seq", lang="en", seq_data="reverse")
    before = app.text_input(key="seq_source_reverse").value
    app.button(key="seq_next").click().run()
    source = app.text_input(key="seq_source_reverse").value
    assert source != before
    told = markdown(app)
    assert "That is right." in told or f"It should be **{source[::-1]}**" in told


def test_tasks_are_solved_by_what_the_networks_do(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("seq2seq", lang="en")
    assert "0 of 3 solved" in markdown(app)
    app.text_input(key="seq_source_dates").set_value("2026년 5월 5일").run()
    assert "1 of 3 solved" in markdown(app)
    half = next(one.length for one in engine.networks.info(REVERSE).exact if one.n_right < one.n_asked / 2)
    app.number_input(key="task_seq2seq_length").set_value(half).run()
    assert "2 of 3 solved" in markdown(app)
    app.radio[0].set_value("reverse-rnn-none").run()
    assert "3 of 3 solved" in markdown(app)
    assert not app.exception


PAIRS = "source,target\n" + "".join(f"{'ab' * (n % 3 + 1)}{n},{n}\n" for n in range(20))


def test_a_number_of_steps_stands_in_the_link_as_it_is_typed(open_app: OpenApp) -> None:
    app = open_app("seq2seq", lang="en", seq_steps="3000")
    assert app.select_slider(key="seq_steps").value == 3000


def test_own_pairs_are_read_row_by_row_and_trained_on(open_app: OpenApp, engine: LocalEngine) -> None:
    app = open_app("seq2seq", lang="en", seq_data="own", seq_steps="50", seq_batch="4", seq_hidden="32")
    upload(app, "seq_upload", "pairs.csv", (PAIRS + "x,\n").encode())
    assert "Row 22 of the file cannot be used: the target is empty." in "\n".join(
        one.value for one in app.warning
    )
    assert "20 pairs were read; 2 held out." in "\n".join(one.value for one in app.success)
    app.button(key="seq_start").click().run()
    assert not app.exception
    assert not app.error
    wait(app, engine)
    owner = app.session_state["owner_id"]
    assert [one.settings.data for one in engine.networks.of(owner)] == ["own", "own"]
    app.run()
    names = app.selectbox(key="seq_network_choice").options
    assert [name.partition(":")[0] for name in names] == ["my run 2", "my run 1"]
    assert arrays(app, "unrolled")[0]["n_source"] > 0
    for one in engine.networks.of(owner):
        engine.networks.remove(one.network_id, owner)


def test_a_learning_rate_that_diverges_is_told(open_app: OpenApp, engine: LocalEngine) -> None:
    link = {"seq_rate": "100", "seq_steps": "50", "seq_batch": "4", "seq_hidden": "32"}
    app = open_app("seq2seq", lang="en", seq_a="rnn-none", seq_b="rnn-none", **link)
    app.button(key="seq_start").click().run()
    wait(app, engine)
    app.run()
    assert not app.exception
    assert errors(app).count("Use a smaller learning rate; what you trained before is untouched.") == 2
    assert app.text_input(key="seq_source_dates").value, "nothing is lost"


def test_two_runs_without_room_for_both_start_none(open_app: OpenApp, engine: LocalEngine) -> None:
    link = {"seq_steps": "3000", "seq_batch": "4", "seq_hidden": "32"}
    app = open_app("seq2seq", lang="en", **link)
    runs, owner = engine.training.runs, app.session_state["owner_id"]
    app.button(key="seq_start").click().run()
    app.button(key="seq_start").click().run()
    assert "At most 3 training runs are possible at once" in errors(app)
    assert len(runs.of(owner)) == 2
    for one in runs.of(owner):
        runs.cancel(one.run_id)
    wait(app, engine)


def wait(app: AppTest, engine: LocalEngine) -> None:
    """Until every run of the reader has ended."""
    owner, deadline = app.session_state["owner_id"], time.monotonic() + 120
    while any(
        one.status in ("waiting", "running") or not one.is_settled for one in engine.training.runs.of(owner)
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)
