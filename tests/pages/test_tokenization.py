"""The tokenization page on tiny models: links, live text, marks, the lab, uploads, and the code it shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.elements.lib import policies
from streamlit.testing.v1 import AppTest

from playground.core import bpe, tokenization
from playground.core.tables import tokenization as frames
from playground.engine.process import SharedEngine
from playground.settings import Settings
from playground.ui import show
from playground.ui.components.bpe_lab import N_STEPS, lab_data, watched_word
from playground.ui.components.token_rows import NamedRow, rows_data
from playground.ui.tokenization import bpe_lab, granularity, language_bill
from playground.ui.tokenization import rows as page
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import run_script, upload

TEXT = "나는 학교에 갑니다"
KOREAN_CSV = "번호,문장,점수\n1,나는 나는 나는 학교에 간다,3\n2,나는 집에 간다,5\n"


def component(app: AppTest, name: str, number: int = 0) -> dict[str, Any]:
    """The data the page sent to a component of ours."""
    protos = [element.proto for element in app.get("bidi_component")]
    found = [proto for proto in protos if proto.component_name == f"playground.{name}"]
    return dict(json.loads(found[number].json))


def names_of(app: AppTest) -> list[str]:
    return [row["name"] for row in component(app, "token_rows")["rows"]]


# ---------------------------------------------------------------- rows


def test_rows_are_the_models_and_the_linked_tokenizers(open_app: OpenApp) -> None:
    app = open_app("tokenization", text=TEXT, tok_with="cl100k_base")
    assert not app.exception
    assert names_of(app) == ["llama", "GPT-4 · cl100k_base"]


def test_every_tokenizer_gets_the_same_characters(open_app: OpenApp) -> None:
    data = component(open_app("tokenization", text=TEXT), "token_rows")
    rows = data["rows"][:5]  # MiniLM's, where it is installed, is the sixth: WordPiece keeps no bytes
    assert len(rows) == 5
    assert data["characters"] == ["·" if c == " " else c for c in TEXT]
    for row in rows:
        assert bytes.fromhex("".join(row["bytes"])) == TEXT.encode()


def test_picking_the_model_again_draws_it_once(open_app: OpenApp) -> None:
    app = open_app("tokenization", text=TEXT, tok_with=tiny.LLAMA)
    assert len(names_of(app)) == 1


def test_an_unknown_tokenizer_in_the_link_is_left_out(open_app: OpenApp) -> None:
    app = open_app("tokenization", text=TEXT, tok_with="../../etc/passwd")
    assert not app.exception
    assert "passwd" not in json.dumps(component(app, "token_rows"))


def test_live_text_is_the_sentence_and_an_empty_field_keeps_it(open_app: OpenApp) -> None:
    app = open_app("tokenization", text=TEXT)
    app.text_input(key="tok_live").set_value("typed here").run()
    assert app.text_area(key="text").value == "typed here"
    app.text_input(key="tok_live").set_value("").run()
    assert not app.exception
    assert app.text_area(key="text").value == "typed here"
    app.text_area(key="text").set_value("from the sidebar").run()
    assert app.text_input(key="tok_live").value == "from the sidebar"


def test_a_text_of_two_lines_is_typed_on_with_a_sign_for_the_break(open_app: OpenApp) -> None:
    app = open_app("tokenization", text="one\ntwo")
    assert app.text_input(key="tok_live").value == "one⏎two"
    assert component(app, "token_rows")["characters"][3] == "⏎"
    app.text_input(key="tok_live").set_value("one⏎two⏎three").run()
    assert not app.exception
    assert app.text_area(key="text").value == "one\ntwo\nthree"
    assert app.text_input(key="tok_live").value == "one⏎two⏎three"


def test_a_typed_mark_is_text_unless_asked_for(open_app: OpenApp) -> None:
    text = "a<|endoftext|>b"
    off = component(open_app("tokenization", text=text), "token_rows")
    on = component(open_app("tokenization", text=text, tok_special="true"), "token_rows")
    for row in off["rows"]:
        assert "special" not in row["kinds"].values()
    marked = [row["name"] for row in on["rows"] if "special" in row["kinds"].values()]
    assert marked == ["llama", "GPT-2 · r50k_base", "GPT-4 · cl100k_base", "GPT-4o · o200k_base"]


def test_frame_of_an_encoder_stands_around_the_text(open_app: OpenApp) -> None:
    app = open_app("tokenization", text="the cat", model=tiny.BERT)
    last = component(app, "token_rows", -1)["rows"][0]
    assert (last["labels"][0], last["labels"][-1]) == ("[CLS]", "[SEP]")
    assert list(last["kinds"].values()) == ["special", "special"]


def test_selected_token_is_marked_in_the_first_row(open_app: OpenApp) -> None:
    app = open_app("tokenization", text=TEXT, token="3")
    assert component(app, "token_rows")["selected"] == 3
    assert component(app, "token_chips")["selected"] == 3


def test_rows_of_an_empty_text_can_be_drawn(tiny_engine: SharedEngine) -> None:
    tokens = tiny_engine.get(timeout_s=180).tokenizers.tokenize(tiny.BERT, "", add_special_tokens=True)
    data = rows_data([NamedRow("bert", tokens, ())])
    assert data["characters"] == []
    assert data["rows"][0]["labels"] == ["[CLS]", "[SEP]"]


# ---------------------------------------------------------------- the lab


def test_lab_trains_on_every_source(open_app: OpenApp) -> None:
    app = open_app("tokenization", text=TEXT)
    for source, text in (
        ("textbook", bpe_lab.TEXTBOOK),
        ("ko", granularity.corpus("ko")),
        ("sentence", TEXT),
    ):
        app.button_group(key="tok_source_choice").set_value(source).run()
        assert not app.exception
        assert app.query_params["tok_source"] == source
        steps = component(app, "bpe_lab")["steps"]
        expected = bpe.train(text, bpe_lab.N_MERGES).steps[:N_STEPS]
        assert steps == [[*step.pair, step.token_id, step.count, step.n_tied] for step in expected]


@pytest.mark.parametrize("encoding", ["cp949", "utf-8-sig"])
def test_lab_trains_on_an_upload_of_either_encoding(encoding: str, open_app: OpenApp) -> None:
    app = open_app("tokenization", text=TEXT)
    app.button_group(key="tok_source_choice").set_value("file").run()
    assert any("file" in info.value for info in app.info)
    upload(app, "tok_upload", "a.csv", KOREAN_CSV.encode(encoding))
    labels = component(app, "bpe_lab")["labels"]
    assert "·나는" in labels or "나는" in labels


def test_lab_says_what_it_left_out_of_a_megabyte_and_what_it_cannot_read(open_app: OpenApp) -> None:
    app = open_app("tokenization", text=TEXT)
    app.button_group(key="tok_source_choice").set_value("file").run()
    upload(app, "tok_upload", "a.txt", b"abcdefg " * 125_000)
    assert any("900,000" in warning.value for warning in app.warning)
    upload(app, "tok_upload", "b.txt", b"\xff\xfe\xfa" * 9, use=False)
    assert any("CP949" in error.value for error in app.error)
    assert any("900,000" in warning.value for warning in app.warning), "what was there stays"
    upload(app, "tok_upload", "c.txt", b"a", use=False)
    assert not app.error
    app.button(key="tok_upload_use").click().run()
    assert any("one character" in caption.value for caption in app.caption)


def test_vocabulary_slider_decides_how_a_new_text_is_cut(open_app: OpenApp) -> None:
    app = open_app("tokenization", text=TEXT)
    for n in (0, 50, 1_000):
        app.slider(key="tok_merges").set_value(n).run()
        app.text_input(key="tok_fresh").set_value("the lighthouse").run()
        rows = component(app, "token_rows", 1)["rows"]
        trained = bpe.train(granularity.corpus("en"), 1_000).first(n)
        assert rows[0]["ids"] == list(trained.encode("the lighthouse"))


def test_a_link_restores_the_training_text_and_the_new_text(open_app: OpenApp) -> None:
    app = open_app("tokenization", lang="ko", text=TEXT, tok_source="textbook", tok_fresh="aab aac")
    assert not app.exception
    assert app.button_group(key="tok_source_choice").value == "textbook"
    trained = bpe.train(bpe_lab.TEXTBOOK, bpe_lab.N_MERGES)
    assert component(app, "token_rows", 1)["rows"][0]["ids"] == list(trained.encode("aab aac"))
    app.text_input(key="tok_fresh").set_value("").run()
    found = component(app, "token_rows", 1)["rows"][0]["ids"]
    assert found == list(trained.encode(TEXT)), "nothing typed: the sentence"


def test_lab_data_of_a_chosen_word_comes_first() -> None:
    text = "low lower lowest"
    data = lab_data(bpe.train(text, 5), text, watched_word(" 여행 사진", text))
    assert data["has_word"]
    assert data["words"][0] == bpe.byte_ids(" 여행")
    assert data["words"][1] == bpe.byte_ids("low")


# ---------------------------------------------------------------- tasks


def test_tasks_know_the_answers(open_app: OpenApp) -> None:
    app = open_app("tokenization", text=TEXT)
    app.number_input(key="task_tokenization_bytes").set_value(len(TEXT.encode())).run()
    assert ("tokenization", "bytes") in app.session_state["solved_tasks"]
    app.radio(key="task_tokenization_dear").set_value("hi").run()
    assert ("tokenization", "dear") in app.session_state["solved_tasks"]


def test_goal_is_reached_by_a_word_that_needs_its_space(open_app: OpenApp) -> None:
    app = open_app("tokenization", text="strawberry")
    reached = ("tokenization", "space") in app.session_state["solved_tasks"]
    assert reached == tokenization.is_word_that_needs_its_space(
        "strawberry", len(page.cut("r50k_base", " strawberry")), len(page.cut("r50k_base", "strawberry"))
    )
    assert reached


# ---------------------------------------------------------------- the code under the pictures


@pytest.fixture
def sources(tiny_settings: Settings, open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Where the code finds a tiny model, tiktoken's encodings and the Unigram."""
    open_app("tokenization", text=TEXT)
    monkeypatch.setattr(page, "settings", lambda: tiny_settings)
    monkeypatch.setattr(show, "settings", lambda: tiny_settings)
    return page.sources([tiny.LLAMA, "r50k_base", "o200k_base", "unigram"])


@pytest.mark.parametrize("text", [TEXT, "a<|endoftext|> b\n", "👨‍👩‍👧 שלום"])
def test_tokenization_code_gives_the_tokens_of_the_rows(
    text: str, sources: dict[str, Any], tiny_engine: SharedEngine, tmp_path: Path
) -> None:
    found, _printed = run_script(show.code("tokenization", text=text, **sources), tmp_path)
    named = tiny_engine.get(timeout_s=180).tokenizers
    for name in (tiny.LLAMA, "r50k_base", "o200k_base", "unigram"):
        assert tuple(found["ids"][name]) == named.tokenize(name, text, add_special_tokens=False).input_ids


def test_bill_code_gives_the_numbers_of_the_bill(
    sources: dict[str, Any], tiny_engine: SharedEngine, tmp_path: Path
) -> None:
    named = tiny_engine.get(timeout_s=180).tokenizers
    texts = language_bill._sentences()
    order = ["r50k_base", "o200k_base", tiny.LLAMA, "unigram"]
    counts = {
        n: {code: len(named.tokenize(n, text, add_special_tokens=False)) for code, text in texts.items()}
        for n in order
    }
    expected = frames.language_bill(counts, texts)
    found, _printed = run_script(show.code("language_bill", texts=texts, **sources), tmp_path)
    columns = ["tokenizer", "language", "n_tokens", "tokens_per_character", "ratio_to_english"]
    assert found["table"] == list(expected[columns].itertuples(index=False, name=None))


@pytest.mark.parametrize(("text", "code"), [(TEXT, "ko"), ("the lighthouse is Strange", "en")])
def test_ladder_code_gives_the_numbers_of_the_ladder(text: str, code: str, tmp_path: Path) -> None:
    wrong = tokenization.typo(text, granularity.corpus(code))
    assert wrong is not None
    path = str(granularity._corpus_path(code))
    script = show.code("ladder", text=text, with_typo=wrong.text, reference_file=path)
    found, _printed = run_script(script, tmp_path)
    expected = frames.ladder(tokenization.ladder(text, granularity.corpus(code)))
    columns = ["granularity", "d_vocab", "n_units", "oov_rate", "lost"]
    assert found["table"] == list(expected[columns].itertuples(index=False, name=None))


@pytest.mark.parametrize("text", [bpe_lab.TEXTBOOK, "나는 나는 학교에 간다 \\ ''' \"\"\""])
def test_lab_code_is_core_bpe_and_gives_the_same_merges(text: str, tmp_path: Path) -> None:
    found, printed = run_script(bpe_lab.shown_code(text, 9, "나는 aaab"), tmp_path)
    trained = bpe.train(text, 9)
    assert found["trained"].merges == trained.merges
    assert found["ids"] == trained.encode("나는 aaab")
    lines = printed.splitlines()
    curve = frames.vocabulary_curve(trained)["tokens_per_word"]
    assert len(lines) == len(trained.steps) + 2
    for line, step, per_word in zip(lines[1:], trained.steps, curve[1:], strict=False):
        assert f"{step.count} times  {per_word:.3f} tokens per word" in line


@pytest.mark.real
def test_chat_code_gives_the_tokens_of_the_frame(real_settings: Settings, tmp_path: Path) -> None:
    from playground.engine.models.catalogue import model_folder
    from playground.engine.models.named_tokenizers import NamedTokenizers
    from playground.engine.models.table import ModelTable
    from playground.settings import DEFAULT_DECODER, DEFAULT_ENCODER

    table = ModelTable(real_settings)
    folders = [str(model_folder(name, real_settings)) for name in (DEFAULT_DECODER, DEFAULT_ENCODER)]
    found, _printed = run_script(show.code("chat_template", folder=folders[0], text=TEXT), tmp_path)
    chat = NamedTokenizers(real_settings, table.tokenizer).chat(
        DEFAULT_DECODER, [{"role": "user", "content": TEXT}]
    )
    assert tuple(found["ids"]) == chat.input_ids
    found, _printed = run_script(show.code("frame_tokens", folder=folders[1], text=TEXT), tmp_path)
    assert tuple(found["ids"]) == table.tokenizer(DEFAULT_ENCODER).tokenize(TEXT).input_ids


def test_a_sentence_typed_on_the_page_leaves_no_warning_in_the_log(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Streamlit warns, once in a process, of a field with a default that the page sets as well."""
    monkeypatch.setattr(policies, "_shown_default_value_warning", False)
    app = open_app("tokenization")
    app.text_input(key="tok_live").set_value("Another sentence").run()
    assert app.text_area(key="text").value == "Another sentence"
    assert not [one for one in caplog.messages if "Session State API" in one]
