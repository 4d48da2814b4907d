"""A file is shown before it is used; nothing is lost by a bad one, and the server keeps none."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.testing.v1 import AppTest

from playground.core.files.examples import ExampleFile
from playground.ui import uploads
from playground.ui.upload_store import bound
from tests.pages.conftest import OpenApp
from tests.pages.shown import upload

ROWS = "문장;라벨\n좋아요, 정말;긍정\n싫어요;부정\n맛있다;긍정\n춥다;부정\n"
GOOD = [("좋아요, 정말", "긍정"), ("싫어요", "부정"), ("맛있다", "긍정"), ("춥다", "부정")]


def library(open_app: OpenApp, **url: str) -> AppTest:
    app = open_app("prompting", pro_panel="library", **url)
    assert not app.exception
    return app


def task(app: AppTest) -> list[tuple[str, str]] | None:
    if "pro_own" not in app.session_state:
        return None
    found: ExampleFile = app.session_state["pro_own"]
    return [(one.text, one.label) for one in found.examples]


def preview(app: AppTest, words: str) -> Any:
    (found,) = [one for one in app.selectbox if one.label == words]
    return found


def said(app: AppTest) -> str:
    boxes = (*app.error, *app.warning, *app.info, *app.success, *app.markdown)
    return "\n".join(one.value for one in boxes).replace("\\", "")


def test_of_two_files_dropped_together_the_one_that_is_read_is_named(open_app: OpenApp) -> None:
    app = library(open_app)
    (field,) = [one for one in app.get("file_uploader") if (one.key or "").startswith("pro_upload")]
    kind = "application/octet-stream"
    field.set_value([("a.csv", ROWS.encode(), kind), ("b*.csv", b"text,label\nx,y\n", kind)]).run()
    assert not app.exception
    captions = [one.value.replace("\\", "") for one in app.caption]
    assert "Only a.csv is read: one file at a time. Not read: b*.csv." in captions
    shown = next(one.value for one in app.dataframe if "1. 문장" in one.value)
    assert shown["1. 문장"].tolist() == [text for text, _label in GOOD]
    upload(app, "pro_upload", "c.csv", ROWS.encode(), use=False)
    assert not [one for one in app.caption if "one file at a time" in one.value]


def test_a_file_is_shown_before_it_is_used(open_app: OpenApp) -> None:
    app = upload(library(open_app), "pro_upload", "a.csv", ROWS.encode("cp949"), use=False)
    assert task(app) is None
    assert preview(app, "Encoding").value == "cp949"
    assert preview(app, "Separator").value == ";"
    assert (preview(app, "Column of the texts").value, preview(app, "Column of the labels").value) == (0, 1)
    shown = next(one.value for one in app.dataframe if "1. 문장" in one.value)
    assert shown["1. 문장"].tolist() == [text for text, _label in GOOD]
    assert shown["Row"].tolist() == ["2", "3", "4", "5"]
    app.button(key="pro_upload_use").click().run()
    assert not app.exception
    assert task(app) == GOOD
    assert app.query_params["pro_task"] == "own"


def test_the_reader_reads_it_another_way(open_app: OpenApp) -> None:
    data = "a;b\nÀÉ, 1;x\nzwei;y\ndrei;x\nvier;y\n".encode("cp1252")
    app = upload(library(open_app), "pro_upload", "a.csv", data, use=False)
    encoding = preview(app, "Encoding")
    assert encoding.value is None
    assert app.button(key="pro_upload_use").disabled
    assert "choose the one that looks right" in said(app)
    assert set(app.dataframe[0].value["The first such line"]) == {"ÀÉ, 1;x", "읠, 1;x"}
    encoding.set_value("cp1252").run()
    assert "choose what each part is" in said(app)
    preview(app, "Column of the texts").set_value(0).run()
    preview(app, "Column of the labels").set_value(1).run()
    app.button(key="pro_upload_use").click().run()
    assert task(app) == [("ÀÉ, 1", "x"), ("zwei", "y"), ("drei", "x"), ("vier", "y")]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.xlsx", b"PK", "a\\.xlsx 파일은 여기서 읽을 수 없습니다. \\.csv, \\.jsonl 형식으로 저장하세요."),
        ("a.csv", b"x" * (2**20 + 1), "a\\.csv 파일은 1.01 MB이고 한도는 1 MB입니다. 크기를 줄이세요."),
        ("a.csv", bytes(range(256)), "어느 것으로도 읽히지 않습니다"),
        ("a.csv", "글;정답\n하나;가\n".encode(), "서로 다른 글이 네 개보다 적습니다"),
    ],
)
def test_a_bad_file_is_one_sentence_and_what_was_there_stays(
    name: str, data: bytes, sentence: str, open_app: OpenApp
) -> None:
    app = upload(library(open_app, lang="ko"), "pro_upload", "good.csv", ROWS.encode())
    assert task(app) == GOOD
    upload(app, "pro_upload", name, data, use=False)
    assert [sentence in error.value for error in app.error].count(True) == 1
    assert task(app) == GOOD
    assert app.session_state["text"]
    upload(app, "pro_upload", "again.csv", ROWS.encode("utf-16"), use=False)
    assert sentence not in said(app)


def test_a_file_without_a_row_is_not_asked_about_its_columns(open_app: OpenApp) -> None:
    app = upload(library(open_app), "pro_upload", "a.csv", b"\n\n", use=False)
    assert "it has no row with text." in said(app)
    assert "choose what each part is" not in said(app)
    assert app.button(key="pro_upload_use").disabled


def test_the_file_before_a_refused_one_is_no_longer_offered(open_app: OpenApp) -> None:
    """The sentence names no file: above the preview of another one it would be read as that one's."""
    app = upload(library(open_app), "pro_upload", "good.csv", ROWS.encode(), use=False)
    upload(app, "pro_upload", "bad.csv", bytes(range(256)), use=False)
    assert "it is not text in UTF-8" in said(app)
    assert "good" not in said(app)
    assert [one.key for one in app.button if one.key in ("pro_upload_use", "pro_upload_away")] == []


@pytest.mark.parametrize(
    ("n_bad", "n_beyond", "sentences"),
    [
        (6, 1, ["1 more row cannot be used.", "than 500 rows: the last one was not read."]),
        (7, 1_234, ["2 more rows cannot be used.", "than 500 rows: the last 1,234 were not read."]),
    ],
)
def test_rows_that_are_left_out_are_counted_in_words(
    n_bad: int, n_beyond: int, sentences: list[str], open_app: OpenApp
) -> None:
    rows = "text,label\n" + "only text\n" * n_bad
    rows += "".join(f"text {n},{'ab'[n % 2]}\n" for n in range(500 - n_bad + n_beyond))
    app = upload(library(open_app), "pro_upload", "a.csv", rows.encode(), use=False)
    for sentence in sentences:
        assert sentence in said(app)


def test_a_row_with_a_comma_too_many_is_named_before_the_file_is_used(open_app: OpenApp) -> None:
    rows = ROWS.replace(";", ",")
    app = upload(library(open_app), "pro_upload", "a.csv", (rows + "덥다,부정\n").encode(), use=False)
    assert "Row 2 of the file does not have as many fields as the first row (3, not 2)" in said(app)
    app.button(key="pro_upload_away").click().run()
    assert task(app) is None
    assert "Row 2" not in said(app)


def test_a_file_of_questions_and_answers_is_trained_on(open_app: OpenApp) -> None:
    app = open_app("finetuning", fin_set="own")
    assert not app.exception
    data = "날짜\t물어본 것\t들은 것\n1\t왜?\t그냥\n2\t누구?\t나\n".encode("utf-16")
    upload(app, "fin_upload", "a.csv", data, use=False)
    preview(app, "Column of the questions").set_value(1).run()
    preview(app, "Column of the answers").set_value(2).run()
    app.button(key="fin_upload_use").click().run()
    assert not app.exception
    assert [row.messages[1] for row in app.session_state["fin_file"].rows] == [
        ("assistant", "그냥"), ("assistant", "나"),
    ]  # fmt: skip
    upload(app, "fin_upload", "b.csv", data, use=False)
    preview(app, "Column of the answers").set_value(2).run()
    app.button(key="fin_upload_use").click().run()
    assert [row.text for row in app.session_state["fin_file"].rows] == ["그냥", "나"]


# ---------------------------------------------------------------- what the server keeps


def held(store: MemoryUploadedFileManager) -> int:
    return sum(len(file.data) for files in store.file_storage.values() for file in files.values())


@pytest.fixture
def put() -> Callable[[MemoryUploadedFileManager, str, str, int], None]:
    def put_(store: MemoryUploadedFileManager, session_id: str, file_id: str, n_bytes: int) -> None:
        store.add_file(session_id, UploadedFileRec(file_id, "a.csv", "text/csv", bytes(n_bytes)))

    return put_


def test_a_field_gives_the_bytes_back_once_they_are_read(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = []
    drop = uploads._drop

    def seen(file_id: str) -> None:
        context = uploads.get_script_run_ctx()
        assert context is not None
        store = context.uploaded_file_mgr
        assert isinstance(store, MemoryUploadedFileManager)
        before = held(store)
        drop(file_id)
        stores.append((before, held(store)))

    monkeypatch.setattr(uploads, "_drop", seen)
    app = library(open_app)
    for data in (ROWS.encode(), b"x" * (2**20 + 1), bytes(range(256))):
        upload(app, "pro_upload", "a.csv", data, use=False)
    assert [after for _before, after in stores] == [0, 0, 0]
    assert all(before for before, _after in stores)


def test_files_that_nobody_reads_are_bounded_for_a_session_and_for_all(put: Any) -> None:
    store = MemoryUploadedFileManager("/upload")
    bound(store, session_bytes=10 * 2**20, all_bytes=24 * 2**20)
    for n in range(100):
        put(store, "one", f"file {n}", 5_138_022)  # 4.9 MB
    assert held(store) <= 10 * 2**20
    assert "file 99" in store.file_storage["one"]
    for session in ("two", "three", "four", "five"):
        put(store, session, "file", 9 * 2**20)
        assert "file" in store.file_storage[session]
    assert held(store) <= 24 * 2**20


def test_many_empty_files_are_bounded_too(put: Any) -> None:
    store = MemoryUploadedFileManager("/upload")
    bound(store, session_bytes=2**20, all_bytes=2**21)
    for n in range(5_000):
        put(store, "one", f"file {n}", 0)
    assert sum(map(len, store.file_storage.values())) <= 1_024


def test_a_file_that_had_to_go_before_it_was_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = SimpleNamespace(file_id="1")
    state = {"key": [gone]}
    monkeypatch.setattr(uploads.st, "session_state", state)
    uploads._receive("key", ("csv",), 10, lambda name, data: None, ())
    assert "no room" in str(state["key_error"])
    assert state["key_n"] == 1


def test_a_second_quick_click_answers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads.st, "session_state", {})
    taken: list[str] = []
    uploads.answer("key", lambda name, data: taken.append(name), ())
    assert taken == []


def test_a_table_too_wide_to_be_shown_is_one_sentence(open_app: OpenApp) -> None:
    wide = ",".join(["text", "label", *map(str, range(200))]) + "\n"
    app = upload(library(open_app), "pro_upload", "a.csv", wide.encode(), use=False)
    assert not app.exception
    assert "more than 100 columns" in said(app)
    assert app.button(key="pro_upload_use").disabled
