"""The chat template panel: what is read is the library's, what is answered is the engine's greedy run."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from transformers import AutoTokenizer

from playground.core.few_shot import message_spans
from playground.core.pieces import piece
from playground.core.sampling import GREEDY
from playground.core.tables import chat as frames
from playground.core.tables.chat import ChatAnswer
from playground.engine import process
from playground.engine.contract.generation import GenerateRequest
from playground.settings import DEFAULT_DECODER, Settings
from playground.ui import show, stepwise
from playground.ui.prompting import chat_answers, continuing
from playground.ui.text import strong
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import HALF, folder, run_script
from tests.pages.test_every_page import HOSTILE

TEXT = "The cat sat"
OWN = "Be kind"
TEMPLATE = """{% for message in messages %}{% if loop.first and message['role'] != 'system' %}\
{{ '<|im_start|>system\nBe kind<|endoftext|>\n' }}{% endif %}\
{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|endoftext|>\n' }}{% endfor %}\
{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""  # SmolLM2's, with other marks
MARK = "a<|endoftext|>\n<|im_start|>system"
N_TOKENS = 8
LINK = {"pro_panel": "chat", "text": TEXT, "pro_chat_tokens": f"{N_TOKENS}", "pro_shots": "0"}
NAMES = ("With the template", "Without the template")
ChatMessage = dict[str, str]


@pytest.fixture(scope="module")
def tiny_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The tiny models with room for a conversation; the llama has a chat template."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "N_CTX", 1_024)
        settings = tiny.make(tmp_path_factory.mktemp("chat"))
    place = settings.cache_dir / "models" / tiny.LLAMA.replace("/", "--")
    (place / "chat_template.jinja").write_text(TEMPLATE, "utf-8")
    return settings


@pytest.fixture(scope="module")
def tiny_engine(tiny_settings: Settings) -> Iterator[process.SharedEngine]:
    shared = process.SharedEngine(tiny_settings)
    engine = shared.get(timeout_s=180)
    wanted = {tiny.LLAMA, tiny.GPT2}
    for model_id in wanted:
        engine.load(model_id)
    deadline = time.monotonic() + 180
    while {info.state for info in engine.models() if info.model_id in wanted} != {"ready"}:
        assert time.monotonic() < deadline, engine.models()
        time.sleep(0.05)
    yield shared
    shared.close()


@pytest.fixture(scope="module")
def library(tiny_settings: Settings) -> Any:
    return AutoTokenizer.from_pretrained(folder(tiny_settings, tiny.LLAMA))


@pytest.fixture(autouse=True)
def _panel_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the text that the model writes after the prompt above."""
    monkeypatch.setattr(continuing, "draw", lambda _prompt: None)


@pytest.fixture(autouse=True)
def _folders_of_tiny_models(tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show, "settings", lambda: tiny_settings)


def opened(open_app: OpenApp, **link: str) -> AppTest:
    app = open_app(
        "prompting", **{"pro_panel": "chat", "text": TEXT, "pro_chat_tokens": f"{N_TOKENS}", **link}
    )
    assert not app.exception
    return app


def rows(app: AppTest) -> list[dict[str, Any]]:
    """The rows of tokens of the panel, with template first."""
    protos = [element.proto for element in app.get("bidi_component")]
    found = [json.loads(one.json) for one in protos if one.component_name == "playground.token_rows"]
    return [row for one in found for row in one["rows"] if row["name"] in NAMES]


def text_of(app: AppTest) -> str:
    """The prompt word for word; a sign marks each of its line breaks."""
    return str(app.code[0].value).replace("⏎\n", "\n").replace("⏎", "\n")


def said(app: AppTest) -> str:
    return " ".join(one.value for one in (*app.markdown, *app.caption, *app.info))


def type_in(app: AppTest, turn: int | str, content: str) -> None:
    app.text_area(key=f"pro_chat_{turn}").set_value(content).run()
    assert not app.exception


def given(app: AppTest) -> dict[str, ChatAnswer]:
    answers: dict[str, ChatAnswer] = app.session_state[chat_answers.KEY].given
    return answers


def ask(app: AppTest) -> dict[str, ChatAnswer]:
    app.button(key="pro_chat_answer").click().run()
    assert not app.exception
    return given(app)


def librarys(library: Any, messages: list[ChatMessage]) -> list[int]:
    return list(library.apply_chat_template(messages, add_generation_prompt=True, return_dict=False))


def user(content: str) -> list[ChatMessage]:
    return [{"role": "user", "content": content}]


# ---------------------------------------------------------------- what is read


def test_one_message_is_read_as_the_library_reads_it(open_app: OpenApp, library: Any) -> None:
    app = opened(open_app)
    framed, joined = rows(app)
    assert framed["ids"] == librarys(library, user(TEXT))
    assert joined["ids"] == library(TEXT).input_ids
    string = library.apply_chat_template(user(TEXT), tokenize=False, add_generation_prompt=True)
    assert text_of(app) == string
    marks = {i for i, token in library.added_tokens_decoder.items() if token.special}
    special = [int(at) for at, kind in framed["kinds"].items() if kind == "special"]
    assert special == [at for at, token_id in enumerate(framed["ids"]) if token_id in marks]
    assert len(special) == 5


def test_the_sentence_counts_marks_messages_and_template(open_app: OpenApp, library: Any) -> None:
    app = opened(open_app)
    string = text_of(app)
    start = string.index(TEXT)
    encoded = library(string, add_special_tokens=False, return_offsets_mapping=True)
    own = sum(a < start + len(TEXT) and b > start for a, b in encoded.offset_mapping)
    n, marks = len(encoded.input_ids), string.count("<|")
    told = f"reads {n} tokens: {own} from the messages, {marks} special (dashed), {n - own - marks} from the"
    assert told in said(app)
    assert f"the messages have {len(library(TEXT).input_ids)}." in said(app)
    assert own >= 3
    assert n - own - marks >= 3


def test_a_conversation_with_a_system_message(open_app: OpenApp, library: Any) -> None:
    app = opened(open_app)
    assert f"stand in no message: :blue[{OWN}]" in said(app)
    type_in(app, "system", "Say no")
    assert "stand in no message" not in said(app)
    for turn, content in ((2, "the dog"), (3, "the mat")):
        app.button(key="pro_chat_add").click().run()
        type_in(app, turn, content)
    messages = [
        {"role": "system", "content": "Say no"}, *user(TEXT),
        {"role": "assistant", "content": "the dog"}, *user("the mat"),
    ]  # fmt: skip
    framed, joined = rows(app)
    assert framed["ids"] == librarys(library, messages)
    assert joined["ids"] == library(f"Say no\n{TEXT}\nthe dog\nthe mat").input_ids
    app.button(key="pro_chat_remove").click().run()
    assert rows(app)[0]["ids"] == librarys(library, messages[:-1])


def test_words_that_the_template_says_too_are_found_in_the_message(open_app: OpenApp) -> None:
    for content in ("user", "system", "e"):
        app = opened(open_app, text=content)
        string, (row, _joined) = text_of(app), rows(app)
        at = string.rindex(f"user\n{content}<") + len("user\n")
        touching = [a < at + len(content) and b > at for a, b in row["spans"]]
        assert f": {sum(touching)} from the messages" in said(app)


def test_a_typed_mark_is_text(open_app: OpenApp, library: Any) -> None:
    app = opened(open_app, text=MARK)
    framed, joined = rows(app)
    n_marks = sum(token_id in (0, 1) for token_id in librarys(library, user(TEXT)))
    assert list(framed["kinds"].values()).count("special") == n_marks
    assert "special" not in joined["kinds"].values()
    assert text_of(app).count(MARK) == 1
    assert f"{n_marks} special" in said(app)


def test_the_first_message_follows_the_sentence_until_another_is_written(open_app: OpenApp) -> None:
    app = opened(open_app)
    app.text_area(key="text").set_value("the dog").run()
    assert app.text_area(key="pro_chat_1").value == "the dog"
    type_in(app, 1, "my own")
    app.text_area(key="text").set_value("a third").run()
    assert app.text_area(key="pro_chat_1").value == "my own"


def test_the_session_keeps_the_messages_while_another_panel_is_open(open_app: OpenApp) -> None:
    app = opened(open_app)
    type_in(app, "system", "Say no")
    type_in(app, 1, "my own")
    for panel in ("think", "chat"):
        app.button_group(key="pro_panel_choice").set_value(panel).run()
    assert app.text_area(key="pro_chat_system").value == "Say no"
    assert app.text_area(key="pro_chat_1").value == "my own"


def test_an_empty_message_is_one_sentence(open_app: OpenApp) -> None:
    app = opened(open_app)
    type_in(app, 1, "  \n")
    assert sum("A message is empty" in one.value for one in app.info) == 1
    assert not rows(app)
    assert not [one for one in app.button if one.key == "pro_chat_answer"]
    type_in(app, 1, "the dog")
    assert len(rows(app)) == 2
    app.button(key="pro_chat_add").click().run()
    assert any("A message is empty" in one.value for one in app.info)


def test_at_most_twelve_turns_and_500_characters(open_app: OpenApp) -> None:
    app = opened(open_app, text="a" * 700)
    assert app.text_area(key="pro_chat_1").value == "a" * 500
    for _ in range(11):
        app.button(key="pro_chat_add").click().run()
    assert app.button(key="pro_chat_add").disabled
    for turn in range(2, 13):
        type_in(app, turn, "b" * 500)
    assert sum("the limit is 2,000: shorten" in one.value for one in app.error) == 1


def test_a_message_that_spells_the_template_is_whole() -> None:
    assert message_spans("<u>a</u><a>b</u><a>", ["<u>", "</u><a>"], ["a</u><a>b"]) == [(3, 12)]


def test_too_many_tokens_are_one_sentence_and_no_answer(open_app: OpenApp) -> None:
    app = opened(open_app)
    type_in(app, 1, "힣" * 200)
    app.button(key="pro_chat_answer").click().run()
    assert not app.exception
    assert sum("tokens and the limit here is 512" in one.value for one in app.error) == 1
    assert app.run().text_area(key="pro_chat_1").value == "힣" * 200
    assert "always the most probable token" in said(app)


def test_a_model_without_a_template_says_so_and_reads_the_plain_text(open_app: OpenApp) -> None:
    app = opened(open_app, model=tiny.GPT2)
    assert sum("has no chat template" in one.value for one in app.info) == 1
    assert len(rows(app)) == 1
    answers = ask(app)
    assert list(answers) == ["plain"]
    assert "Without the template the model" in said(app)
    assert "With the template" not in said(app)
    assert not [one for one in app.button if one.key == "pro_chat_continue"]


def test_a_template_that_shortens_a_message_keeps_its_place() -> None:
    blank = ["<u>", "</u><a>", "</a><u>", "</u>"]
    text = "<u>one</u><a>two</a><u>three</u>"
    found = message_spans(text, blank, ["one", "<think>x</think>two", " three"])
    assert [text[start:stop] for start, stop in found] == ["one", "two", "three"]


# ---------------------------------------------------------------- what is answered


def greedy(engine: Any, model: str, **prompt: Any) -> list[Any]:
    return list(engine.generate(GenerateRequest(model, sampling=GREEDY, max_new_tokens=N_TOKENS, **prompt)))


def test_both_answers_are_the_engines_own(
    open_app: OpenApp, tiny_engine: process.SharedEngine, library: Any
) -> None:
    app = opened(open_app)
    answers = ask(app)
    engine = tiny_engine.get(timeout_s=180)
    framed = greedy(engine, tiny.LLAMA, input_ids=tuple(librarys(library, user(TEXT))))
    joined = greedy(engine, tiny.LLAMA, text=TEXT)
    assert list(answers) == ["template", "plain"]
    for answer, steps in zip(answers.values(), (framed, joined), strict=True):
        assert answer.token_ids == [step.token_id for step in steps]
        assert answer.text == "".join(step.text for step in steps)
        assert answer.finish == steps[-1].finish_reason
        assert answer.surprisal_bits == pytest.approx([-step.logprob / 0.6931472 for step in steps], abs=1e-3)
    assert framed[0].token_id != joined[0].token_id, "else the test shows nothing"
    first = [strong(piece(steps[0].token).label) for steps in (framed, joined)]
    assert f"The first token is {first[0]} with the template, {first[1]} without it." in said(app)
    assert [one.value for one in app.text] == [answer.text.strip() for answer in answers.values()]
    bits = sum(answers["plain"].surprisal_bits) / len(answers["plain"].token_ids)
    assert f"mean surprisal {bits:.2f} bits" in said(app)


def test_a_base_model_is_offered_and_answers_the_plain_text(
    open_app: OpenApp, tiny_engine: process.SharedEngine
) -> None:
    app = opened(open_app)
    assert app.selectbox(key="pro_chat_base_choice").options == ["none", "gpt2"]
    app = opened(open_app, pro_chat_base=tiny.GPT2)
    answers = ask(app)
    steps = greedy(tiny_engine.get(timeout_s=180), tiny.GPT2, text=TEXT)
    assert answers["base"].token_ids == [step.token_id for step in steps]
    assert len(app.text) == 3
    assert "The base model gpt2" in said(app)


def test_without_a_base_model_a_caption_says_how_to_get_one(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "llm-playground pull" not in said(opened(open_app))
    monkeypatch.setattr(chat_answers, "_bases", lambda _chat: {})
    assert f"`llm-playground pull {chat_answers.BASE}`" in said(opened(open_app))


def test_a_click_stops_the_writing_and_what_is_written_stays(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = stepwise.generate_many

    def clicked(*args: Any, **kwargs: Any) -> Iterator[Any]:
        steps = write(*args, **kwargs)
        yield from islice(steps, 5)
        steps.close()

    monkeypatch.setattr(stepwise, "generate_many", clicked)
    app = opened(open_app)
    answers = ask(app)
    assert sum(len(answer.token_ids) for answer in answers.values()) == 5
    assert said(app).count("stopped by a click") == 2
    assert f"had not ended after {len(answers['template'].token_ids)} tokens" in said(app)


def test_another_message_puts_the_answers_away(open_app: OpenApp) -> None:
    app = opened(open_app)
    ask(app)
    assert len(app.text) == 2
    type_in(app, 1, "the dog")
    assert not app.text
    assert "always the most probable token" in said(app)


def test_the_conversation_goes_on(open_app: OpenApp, library: Any) -> None:
    app = opened(open_app)
    answer = ask(app)["template"].text
    app.button(key="pro_chat_continue").click().run()
    assert not app.exception
    assert app.text_area(key="pro_chat_2").value == answer
    assert app.text_area(key="pro_chat_3").value == ""
    type_in(app, 3, "the mat")
    messages = [*user(TEXT), {"role": "assistant", "content": answer}, *user("the mat")]
    assert rows(app)[0]["ids"] == librarys(library, messages)
    ask(app)
    assert not app.button(key="pro_chat_continue").disabled
    app.button(key="pro_chat_continue").click().run()
    type_in(app, 5, "a")
    assert not [one for one in app.button if one.key == "pro_chat_continue"], "no answer yet"


def answers_of(template: ChatAnswer, joined: ChatAnswer) -> Any:
    return chat_answers.ChatAnswers(None, None, 8, {"template": template, "plain": joined})  # type: ignore[arg-type]


def test_no_difference_is_said_and_so_is_how_it_ended() -> None:
    same = answers_of(ChatAnswer([5, 6], finish="end_of_text"), ChatAnswer([5, 6], finish="end_of_text"))
    assert "here the template makes no difference" in chat_answers.told(same)
    ended = chat_answers.told(
        answers_of(
            ChatAnswer([5, 6], ["a", "b"], finish="end_of_text"),
            ChatAnswer([5] * 8, ["a"] * 8, finish="length"),
        )
    )
    assert "With the template the model ended by itself after 2 tokens" in ended
    assert "Without the template the model had not ended after 8 tokens" in ended
    assert "They begin with the same token; then comes" in ended
    assert "no difference" not in ended


def test_where_two_answers_part_their_tokens_are_named() -> None:
    """Both texts may begin alike to a reader while their tokens differ from the first on."""
    spain = ChatAnswer([1, 2], ["Spain", "."], [0, 0], "Spain.", "length")
    spaced = ChatAnswer([3, 1, 2], ["\n", "Spain", "."], [0, 0, 0], "\nSpain.", "length")
    said = chat_answers.told(answers_of(spain, spaced))
    assert f"The first token is {strong('Spain')} with the template, {strong('⏎')} without it." in said
    assert "As texts both begin with “Spain\\.”" in said
    other = chat_answers.told(answers_of(spain, ChatAnswer([4], ["Rome"], [0], "Rome", "length")))
    assert "As texts" not in other
    longer = ChatAnswer([1, 2, 5], ["Spain", ".", " It"], [0] * 3, "Spain. It", "length")
    said = chat_answers.told(answers_of(spain, longer))
    assert f"the same 2 tokens; then comes nothing more with the template, {strong('·It')} without it" in said


def test_an_assistant_that_spoke_last_is_answered_only_with_a_warning(open_app: OpenApp) -> None:
    app = opened(open_app)
    assert not [one for one in app.info if "answers an answer" in one.value]
    app.button(key="pro_chat_add").click().run()
    type_in(app, 2, "London")
    assert [one for one in app.info if "answers an answer" in one.value]
    app.button(key="pro_chat_add").click().run()
    type_in(app, 3, "And France?")
    assert not [one for one in app.info if "answers an answer" in one.value]


# ---------------------------------------------------------------- anything typed, and the code


@pytest.mark.parametrize("name", HOSTILE)
def test_any_text_in_any_message_in_korean(name: str, open_app: OpenApp) -> None:
    app = opened(open_app, lang="ko")
    app.text_area(key="pro_chat_system").set_value(HOSTILE[name])
    type_in(app, 1, HOSTILE[name])
    if any(button.key == "pro_chat_answer" for button in app.button):
        app.button(key="pro_chat_answer").click().run()
        assert not app.exception
        assert app.text or app.error
    else:
        assert app.info or app.error


@pytest.mark.parametrize("content", [TEXT, MARK, "\nfirst {0} $x$ 서울 "])
@pytest.mark.parametrize("base", ["", tiny.GPT2])
def test_the_code_gives_the_string_the_ids_and_the_answers(
    content: str, base: str, open_app: OpenApp, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts: list[str] = []
    code = show.code

    def seen(name: str, **values: object) -> str:
        scripts.append(code(name, **values))
        return scripts[-1]

    monkeypatch.setattr(show, "code", seen)
    app = opened(open_app, text=content, **({"pro_chat_base": base} if base else {}))
    type_in(app, "system", "Say no")
    answers = ask(app)
    shown = next(script for script in reversed(scripts) if "apply_chat_template" in script)
    found, printed = run_script(shown, tmp_path)
    assert found["string"] == text_of(app)
    assert found["string"] in printed
    framed, joined = rows(app)
    assert found["ids"]["template"] == framed["ids"]
    assert found["ids"]["plain"] == joined["ids"]
    assert found["answers"].keys() == answers.keys()
    for name, answer in answers.items():
        ids, text, bits = found["answers"][name]
        assert ids == answer.token_ids
        assert text in (answer.text, answer.text + HALF)
        assert bits == pytest.approx(answer.surprisal_bits, abs=1e-3)


def test_the_table_has_every_token_read_and_written(open_app: OpenApp) -> None:
    app = opened(open_app)
    answers = ask(app)
    chat = app.session_state[chat_answers.KEY].chat
    table = frames.chat(chat.readings, answers)
    assert tuple(table.columns) == frames.COLUMNS
    framed, joined = rows(app)
    for name, row in (("template", framed), ("plain", joined)):
        mine = table[table["prompt"] == name]
        assert mine["token_id"].tolist() == [*row["ids"], *answers[name].token_ids]
        assert mine["position"].tolist() == list(range(1, len(mine) + 1))
        written = mine[mine["part"] == "answer"]
        assert written["surprisal_bits"].tolist() == pytest.approx(answers[name].surprisal_bits)
        assert mine["surprisal_bits"].isna().sum() == len(row["ids"])


@pytest.mark.real
def test_the_real_models_own_words_are_found(real_settings: Settings) -> None:
    from playground.engine.models.named_tokenizers import NamedTokenizers
    from playground.engine.models.table import ModelTable

    named = NamedTokenizers(real_settings, ModelTable(real_settings).tokenizer)
    marks = named.info(DEFAULT_DECODER).special_ids
    for system, own in (([], ["You are a helpful AI assistant named SmolLM, trained by Hugging Face"]),
                        ([{"role": "system", "content": "Be brief"}], [])):  # fmt: skip
        messages = [*system, *user("user"), {"role": "assistant", "content": "ok"}, *user("서울은?")]
        tokens = named.chat(DEFAULT_DECODER, messages)
        blank = named.chat(DEFAULT_DECODER, [{**one, "content": "\ue000"} for one in messages])
        read = frames.reading(tokens, blank.text.split("\ue000"), messages, marks, "template")
        assert frames.own_texts(read, "template") == own
        assert read.n("mark") == tokens.text.count("<|")
        assert read.n("assistant") == 1
        assert sum(read.n(part) for part in {*read.parts}) == len(tokens)
