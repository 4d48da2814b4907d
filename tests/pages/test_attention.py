"""The attention page on tiny models: grid, one head, heads switched off, rollout, links, the code shown."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from playground.core import attention as core
from playground.core.heads import head_scores, kl_bits
from playground.core.interventions import Intervention
from playground.engine.contract.engine import Engine
from playground.engine.contract.traces import Capture, TraceRequest
from playground.ui.attention import tasks as attention_tasks
from tests import tiny
from tests.pages.attended import TEXT, read
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, drawn

STACKS = (tiny.LLAMA, tiny.GPT2, tiny.BERT)


def map_shown(app: AppTest) -> NDArray[np.float32]:
    head, numbers = drawn(app, "attention_map")
    n = len(head["queries"]) * len(head["keys"])
    return np.frombuffer(numbers, "<f4")[:n].reshape(len(head["queries"]), -1)


def told(app: AppTest) -> str:
    return "\n".join(str(element.value) for element in (*app.markdown, *app.info, *app.caption))


# ---------------------------------------------------------------- all heads, one head


@pytest.mark.parametrize("model", STACKS)
def test_grid_and_map_are_the_models_own_weights(model: str, open_app: OpenApp, engine: Engine) -> None:
    app = open_app("attention", model=model, text=TEXT, att_head="1.2", att_score="entropy")
    trace = read(engine, model)
    assert trace.attentions is not None
    head, numbers = drawn(app, "head_grid")
    small = np.frombuffer(numbers, np.uint8).reshape(head["shape"])
    expected = np.round(255 * np.sqrt(trace.attentions))
    np.testing.assert_allclose(small.astype(int), expected.astype(int), atol=1)
    scores = head_scores(trace.attentions, trace.input_ids)
    np.testing.assert_allclose(head["scores"], scores["entropy"].ravel(), atol=1e-4)
    assert head["view"]["selected"] == [1, 2]
    np.testing.assert_allclose(map_shown(app), trace.attentions[1, 2], atol=1e-6)


@pytest.mark.parametrize("score", ["previous_token", "first_token", "induction", "distance", "link"])
def test_every_score_can_be_chosen(score: str, open_app: OpenApp) -> None:
    app = open_app("attention", text=TEXT, att_score=score, att_sort="true", token="3")
    head, _numbers = drawn(app, "head_grid")
    assert head["by_score"] is True
    assert len(head["scores"]) == np.prod(head["shape"][:2])


def test_one_link_is_the_weight_between_two_tokens(open_app: OpenApp, engine: Engine) -> None:
    app = open_app("attention", text=TEXT, att_score="link", token="4")
    trace = read(engine, tiny.LLAMA)
    assert trace.attentions is not None
    key = app.selectbox(key="att_key").value
    strongest = trace.attentions[:, :, 4, 1:3].max(axis=(0, 1)).argmax() + 1
    assert key == strongest
    np.testing.assert_allclose(
        drawn(app, "head_grid")[0]["scores"], trace.attentions[:, :, 4, key].ravel(), atol=1e-4
    )

    app.selectbox(key="att_key").set_value(2).run()
    np.testing.assert_allclose(
        drawn(app, "head_grid")[0]["scores"], trace.attentions[:, :, 4, 2].ravel(), atol=1e-4
    )
    for link in ("4-2", "3-2", "4-99", "4-x", "x"):
        other = open_app("attention", text=TEXT, att_score="link", token="4", att_link=link)
        assert other.selectbox(key="att_key").value == (2 if link == "4-2" else strongest)


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.BERT])
def test_hidden_sinks_are_stretched_away_and_told(model: str, open_app: OpenApp, engine: Engine) -> None:
    app = open_app("attention", model=model, text=TEXT, att_head="0.1", att_sink="true")
    trace = read(engine, model)
    assert trace.attentions is not None
    n = len(trace.input_ids)
    hidden = [0, n - 1] if model == tiny.BERT else [0]
    gone = np.isin(np.arange(n), hidden)
    left, removed = core.without_keys(trace.attentions[0, 1], gone)
    np.testing.assert_allclose(map_shown(app), left, atol=1e-6)
    assert f"{100 * removed.mean():.1f} %" in told(app)


def test_whole_words_add_their_tokens(open_app: OpenApp) -> None:
    tokens = map_shown(open_app("attention", text=TEXT, att_head="1.0"))
    app = open_app("attention", text=TEXT, att_head="1.0", att_words="true")
    merged = map_shown(app)
    assert len(merged) <= len(tokens)
    np.testing.assert_allclose(merged.sum(-1), 1, atol=1e-5)
    labels = drawn(app, "attention_map")[0]["keys"]
    assert "".join(labels).replace("·", " ") == TEXT


def test_a_long_text_is_shown_in_a_window_and_one_head_whole(open_app: OpenApp, engine: Engine) -> None:
    text = "the cat " * 30 + "sat on the mat " * 5
    n = len(engine.tokenizers.tokenize(tiny.LLAMA, text, add_special_tokens=True))
    assert 64 < n <= tiny.N_CTX
    app = open_app("attention", text=text, att_window="7", att_head="1.1")
    trace = read(engine, tiny.LLAMA, text, window=(7, 71))
    assert trace.attentions is not None
    np.testing.assert_allclose(map_shown(app), trace.attentions[1, 1], atol=1e-6)
    whole = open_app("attention", text=text, att_window="7", att_head="1.1", att_whole="true")
    every = map_shown(whole)
    assert every.shape == (n, n)
    np.testing.assert_allclose(every[7:71, 7:71], trace.attentions[1, 1], atol=1e-5)
    for panel in ("row", "off", "masks", "flow", "bertviz"):
        assert not open_app("attention", text=text, att_window="7", att_panel=panel).exception


def test_moving_head_or_view_costs_no_forward(open_app: OpenApp, engine: Engine) -> None:
    app = open_app("attention", text="A new sentence about the cat", att_panel="row")
    before = engine.stats().n_forwards
    for key, value in (("att_head", "2.1"), ("token", "2"), ("att_head", "0.3")):
        app.session_state[key] = value
        app.run()
        assert not app.exception
    for widget in (app.toggle(key="att_sink"), app.toggle(key="att_words"), app.toggle(key="att_sort")):
        widget.set_value(True).run()
    app.selectbox(key="att_score_choice").set_value("distance").run()
    assert engine.stats().n_forwards == before


# ---------------------------------------------------------------- links


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("att_head", "99.0"),
        ("att_head", "x"),
        ("att_head", "1.1.1"),
        ("att_head", "٣.١"),
        ("att_off", "0.0 7.99"),
        ("att_off", "</script>"),
        ("att_panel", "nothing"),
        ("att_ablation", "one"),
    ],
)
def test_a_value_that_cannot_be_gives_one_sentence(name: str, value: str, open_app: OpenApp) -> None:
    usual = open_app("attention", text=TEXT, att_panel="off")
    app = open_app("attention", text=TEXT, **{"att_panel": "off"} | {name: value})
    assert not app.exception
    assert len(app.warning) == len(usual.warning) + 1
    assert drawn(app, "head_grid")[0]["view"]["selected"] == drawn(usual, "head_grid")[0]["view"]["selected"]


@pytest.mark.parametrize("cover", ["0", "49", "101", "9" * 400, "x", "٩٩"])
def test_a_coverage_that_cannot_be_is_the_usual_one(cover: str, open_app: OpenApp) -> None:
    head, _numbers = drawn(open_app("attention", text=TEXT, att_cover=cover), "attention_map")
    assert head["view"]["percent"] == 80


def test_an_example_starts_anew(open_app: OpenApp) -> None:
    app = open_app("attention", text=TEXT, att_head="1.1", att_off="0.0", token="3")
    app.button(key="att_example_repetition").click().run()
    assert not app.exception
    assert app.text_area(key="text").value.startswith("one red hat")
    assert drawn(app, "head_grid")[0]["view"]["off"] == []
    assert app.session_state["token"] == ""


# ---------------------------------------------------------------- heads switched off


@pytest.mark.parametrize("ablation", ["", "mean"])
def test_before_and_after_are_the_models_own(ablation: Any, open_app: OpenApp, engine: Engine) -> None:
    off = ((0, 1), (1, 2))
    app = open_app("attention", text=TEXT, att_panel="off", att_off="0.1 1.2", att_ablation=ablation)
    before = read(engine, tiny.LLAMA, attentions=None, logits="last").logits
    edit = Intervention(off, "mean" if ablation else "zero")
    after = read(engine, tiny.LLAMA, attentions=None, logits="last", intervention=edit).logits
    assert before is not None
    assert after is not None
    assert f"{float(kl_bits(before[0], after[0])):.3f} bits" in told(app)
    assert drawn(app, "head_grid")[0]["view"]["off"] == [[0, 1], [1, 2]]
    app.button(key="att_all_on").click().run()
    assert "0.000 bits" in told(app)


@pytest.mark.parametrize("place", [3, 6])
def test_heads_are_measured_after_the_token_that_the_reader_selects(
    place: int, open_app: OpenApp, engine: Engine
) -> None:
    off = ((0, 1), (1, 2), (2, 0))
    app = open_app("attention", text=TEXT, att_panel="off", att_off="0.1 1.2 2.0", token=str(place))
    ids = engine.tokenizers.tokenize(tiny.LLAMA, TEXT, add_special_tokens=True).input_ids
    every = [
        engine.trace(
            TraceRequest(tiny.LLAMA, input_ids=ids, capture=Capture(logits="all"), intervention=edit)
        ).logits
        for edit in (None, Intervention(off))
    ]
    before, after = (logits[place] for logits in every if logits is not None)
    assert f"{float(kl_bits(before, after)):.3f} bits" in told(app), "as in the middle of the whole text"
    assert app.selectbox(key="att_after").value == place

    app.selectbox(key="att_after").set_value(place - 1).run()
    assert app.session_state["token"] == str(place - 1), "selected on the whole page"
    before, after = (logits[place - 1] for logits in every if logits is not None)
    assert f"{float(kl_bits(before, after)):.3f} bits" in told(app)
    assert drawn(app, "attention_map")[0]["view"]["selected"] == place - 1


def test_the_ranking_is_that_of_the_selected_token(open_app: OpenApp, engine: Engine) -> None:
    app = open_app("attention", text=TEXT, att_panel="off", token="4")
    app.button(key="att_rank").click().run()
    ids = engine.tokenizers.tokenize(tiny.LLAMA, TEXT, add_special_tokens=True).input_ids[:5]
    before, after = (
        engine.trace(
            TraceRequest(tiny.LLAMA, input_ids=ids, capture=Capture(logits="last"), intervention=edit)
        ).logits
        for edit in (None, Intervention(((2, 1),)))
    )
    assert before is not None
    assert after is not None
    bits = float(kl_bits(before[0], after[0]))
    assert app.session_state["att_ranking"].kl[2, 1] == pytest.approx(bits, abs=1e-4)
    rows = charts(app)[-1].set_index("name")
    weights = read(engine, tiny.LLAMA).attentions
    assert weights is not None
    assert rows.loc["3.2", "strongest_link"] == pytest.approx(float(weights[2, 1, 4, 1:4].max()), abs=1e-6)
    app.session_state["token"] = "5"
    app.run()
    assert not app.session_state["att_ranking"].kl, "another token begins anew"


def test_every_head_is_ranked_and_the_ranking_stays(open_app: OpenApp, engine: Engine) -> None:
    app = open_app("attention", text=TEXT, att_panel="off")
    app.button(key="att_rank").click().run()
    assert not app.exception
    ranking = app.session_state["att_ranking"]
    info = next(info for info in engine.models() if info.model_id == tiny.LLAMA)
    assert len(ranking.kl) == info.n_layer * info.n_head
    before = read(engine, tiny.LLAMA, attentions=None, logits="last").logits
    assert before is not None
    for head in ((0, 0), (1, 3)):
        after = read(
            engine, tiny.LLAMA, attentions=None, logits="last", intervention=Intervention((head,))
        ).logits
        assert after is not None
        assert ranking.kl[head] == pytest.approx(float(kl_bits(before[0], after[0])), abs=1e-4)
    best = max(ranking.kl, key=ranking.kl.__getitem__)
    assert f"head **{best[0] + 1}.{best[1] + 1}**" in told(app)
    forwards = engine.stats().n_forwards
    app.run()
    assert engine.stats().n_forwards == forwards
    assert not [button for button in app.button if button.key == "att_rank"]


@pytest.mark.parametrize("model", [tiny.BERT, tiny.T5])
def test_a_model_without_a_next_token_says_so(model: str, open_app: OpenApp) -> None:
    app = open_app("attention", model=model, text=TEXT, att_panel="off")
    assert not app.exception
    assert "predicts no next token" in told(app)


# ---------------------------------------------------------------- panels, tasks, text


@pytest.mark.parametrize("panel", ["row", "off", "masks", "flow", "bertviz"])
@pytest.mark.parametrize("model", tiny.FAMILIES)
def test_every_panel_runs_with_every_family(panel: str, model: str, open_app: OpenApp) -> None:
    assert not open_app("attention", model=model, text=TEXT, att_panel=panel, lang="ko").exception


@pytest.mark.parametrize(
    "text", ["</script><img src=x onerror=alert(1)>", 'a "b" \\ \u2028 `c`', "a", "서울 😀", "שלום ![](x)"]
)
@pytest.mark.parametrize("panel", ["off", "flow", "bertviz"])
def test_any_text_ends_in_a_picture(text: str, panel: str, open_app: OpenApp) -> None:
    assert not open_app("attention", text=text, att_panel=panel, att_score="link").exception


def test_rollout_is_that_of_the_weights(open_app: OpenApp, engine: Engine) -> None:
    app = open_app("attention", text=TEXT, att_panel="flow", att_layers="2", token="5")
    trace = read(engine, tiny.LLAMA)
    assert trace.attentions is not None
    share = core.rollout(trace.attentions[:2])[5].max()
    assert re.search(rf"After 2 layers, {100 * share:.0f} % of", told(app))


def test_a_layer_of_the_link_that_is_not_there_becomes_the_nearest_which_is_said(open_app: OpenApp) -> None:
    app = open_app("attention", text=TEXT, att_panel="flow", att_layers="99")
    layers = app.slider(key="att_layers")
    assert layers.value == layers.max
    assert any("99 is not possible, only 1 to" in caption.value for caption in app.caption)


def test_the_tasks_know_the_answers(open_app: OpenApp, engine: Engine) -> None:
    app = open_app("attention", text=TEXT, lang="en")
    trace = read(engine, tiny.LLAMA)
    assert trace.attentions is not None
    scores = head_scores(trace.attentions, trace.input_ids)["previous_token"]
    best = "{}.{}".format(*np.unravel_index(scores.argmax(), scores.shape))
    app.radio(key="task_attention_previous").set_value(best).run()
    assert any("Right." in box.value for box in app.success)
    logits = read(engine, tiny.LLAMA, attentions=None, logits="last").logits
    assert logits is not None
    every = " ".join(f"{layer}.{head}" for layer in range(scores.shape[0]) for head in range(scores.shape[1]))
    app = open_app("attention", text=TEXT, att_off=every)
    heads = tuple(tuple(map(int, name.split("."))) for name in every.split())
    after = read(engine, tiny.LLAMA, attentions=None, logits="last", intervention=Intervention(heads)).logits
    assert after is not None
    changed = logits[0].argmax() != after[0].argmax()
    assert any("Reached." in box.value for box in app.success) == changed


def test_a_strong_link_counts_once_the_reader_picked_token_and_head(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention_tasks, "LINK", 0.0)
    for link, reached in (({}, False), ({"token": "4"}, False), ({"token": "4", "att_head": "1.2"}, True)):
        app = open_app("attention", text=TEXT, lang="en", **link)
        assert any("Reached." in box.value for box in app.success) == reached, link
