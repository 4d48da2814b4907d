"""The words: every string the reader meets exists in both languages, and lessons have the same parts."""

from __future__ import annotations

import ast
import pickle
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st_

from playground import errors, navigation
from playground.engine.training.run import FAILED
from playground.paths import site_root
from playground.ui import text

SOURCES = sorted([*(site_root() / "playground").rglob("*.py"), *(site_root() / "pages").glob("*.py")])
KEYWORDS = {"_": 1, "N_": 1, "Message": 1, "ngettext": 2}
LESSONS = site_root() / "assets" / "lessons"


def _extracted() -> dict[str, tuple[str, ...]]:
    """msgid -> all its forms, those inside f-strings too (pybabel sees them from Python 3.12 on)."""
    found = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
                texts = [arg.value if isinstance(arg, ast.Constant) else None for arg in node.args]
                forms = texts[: KEYWORDS[node.func.id]]
                if all(isinstance(form, str) for form in forms):
                    found[forms[0]] = tuple(forms)
    return found


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with (site_root() / "assets/locale/ko/LC_MESSAGES/playground.po").open("rb") as file:
        return read_po(file, locale="ko")


def _messages(catalogue: Catalog) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], Message]]:
    for message in catalogue:
        if message.id:
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            yield ids, message.string if isinstance(message.string, tuple) else (message.string,), message


def _fields(template: str) -> set[str]:
    return {
        name for _text, name, _spec, _conversion in string.Formatter().parse(template) if name is not None
    }


def test_korean_catalogue_has_exactly_the_strings_of_the_source(catalogue: Catalog) -> None:
    translated = {ids[0] for ids, _strings, _message in _messages(catalogue)}
    extracted = set(_extracted())
    assert not extracted - translated, "without Korean"
    assert not translated - extracted, "no longer used"


def test_korean_catalogue_is_complete(catalogue: Catalog) -> None:
    for ids, strings, message in _messages(catalogue):
        assert not message.fuzzy, ids
        assert all(part.strip() for part in strings), ids
        for part in strings:
            assert _fields(part) == _fields(ids[-1]), f"{ids}: other placeholders in {part!r}"


# Fields that hold a word or a number that counts nothing; every other one may be a 1 before a plural.
WORDS = {
    "address",
    "base",
    "dimension",
    "encoder",
    "decoder",
    "head",
    "label",
    "language",
    "layer",
    "model",
    "model_id",
    "name",
    "p",
    "part",
    "query",
    "same",
    "token",
    "winner",
    "word",
}
# Bounds and sizes of models, none of which is 1, and numbers that are written with decimals: 1.00 bits.
NOT_ONE = {
    "angle",
    "bits",
    "entropy",
    "high",
    "limit",
    "most",
    "n_ctx",
    "own_bits",
    "places",
    "speed",
    "turn",
}
NOT_ONE |= {"d", "d_in", "d_model", "d_out", "mean", "minutes", "model_bits", "nats", "own", "got", "seconds"}
# Strings whose `n` is never 1: a constant of the app, the size of a model, or what begins at two.
NEVER_ONE = (
    "No favourite among",
    "All {n:,} weights",
    "Ask all {n} questions",
    "Attention adds",
    "BPE, {n} merges",
    "Beside {plain}",
    "Blue: the {n:,}",
    "Each prompt gets the same {n}",
    "Its next {n} tokens",
    "Layer {layer} of {n_layer}",
    "Only the first",
    "Stopped: {done} of {total} heads",
    "Switch off each",
    "The first {n:,} of the",
    "The model reads",
    "The same {n} examples",
    "The word is {n} tokens",
    "The {n} tokens with",
    "There are {n} labels",
    "Try {n} orders",
    "Vocabularies:",
    "W of {module}",
    "Lowest is {way} with",
    "Filled points: {model}",
    "{n} steps on the same rows",
    "{name} changes no weight",
    "all {n:,} others",
    "{n:,} numbers are trained",
    "{n:,} parameters",
    "{n} parameters",
    "{n:,} tokens in the vocabulary",
    "{n} pairs are",
    "{n} texts:",
    "{name}: {algorithm}",
)
COUNTED = re.compile(  # not of a set, and not with decimals
    r"(?<![Oo]f )(?<!of the )(?<!to )\{(\w+)(?::[^}.]*)?\} "
    r"(?:(?:more|other|control|test|known|chosen) )?[a-z-]+s\b(?<! is)(?<! has)(?<! was)(?<! does)"
)
OF_ALL = re.compile(
    r"\{(n|done)(?::[^}]*)?\}(?: more)? of (?:[^{}.:;]|\{[^}]*\})*? "
    r"(?:are|were|have|hold|occur|repeat|count)\b"
)


def test_a_count_that_can_be_one_has_a_singular(catalogue: Catalog) -> None:
    said = [ids[0] for ids, _strings, _message in _messages(catalogue) if len(ids) == 1]
    asked = [one for one in said if not one.startswith(NEVER_ONE)]
    counted = {one for one in asked if set(COUNTED.findall(one)) - WORDS - NOT_ONE}
    assert counted | set(filter(OF_ALL.search, asked)) == set()


def test_what_is_never_one_is_said_somewhere(catalogue: Catalog) -> None:
    said = [ids[0] for ids, _strings, _message in _messages(catalogue)]
    assert [start for start in NEVER_ONE if not any(one.startswith(start) for one in said)] == []


def test_korean_strings_are_korean(catalogue: Catalog) -> None:
    same = {"CSV", "PNG", "SVG", "{seconds:.0f} s", "{reason} {cure}", "{reason}"}
    same |= {"{here:,} / {total:,} MB", "{doing} ({percent:.0f} %)"}
    for ids, strings, _message in _messages(catalogue):
        if ids[0] not in same:
            assert re.search("[가-힣]", strings[0]), ids


def test_no_sentence_shows_a_zero_with_a_sign(catalogue: Catalog) -> None:
    signed = re.compile(r"(?<!\d)[-+]0(\.0*)?(?![\d.])")
    for language in ("en", "ko"):
        for ids, _strings, message in _messages(catalogue):
            assert isinstance(text.in_language(language, ids[0]), text.Template) or not _fields(ids[0])
            template = text.Template(text.in_language(language, ids[0]).replace("-{", "{"))  # a minus of ours
            fields = _fields(template)
            if not fields or "%(" in template:
                continue
            own = signed.findall(template.format(**dict.fromkeys(fields, 7)))
            for value in (-1e-9, -0.0):
                said = template.format(**dict.fromkeys(fields, _Small(value)))
                assert signed.findall(said) == own, (said, message.id)


class _Small(float):
    """A number that also stands where a whole one does."""

    def __format__(self, spec: str) -> str:
        return format(round(self), spec) if spec in ("", ",", "d") else float.__format__(self, spec)


def test_no_shown_number_is_fixed_without_care_for_the_sign_of_zero() -> None:
    scripts = {path: path.read_text("utf-8") for path in (site_root() / "playground").rglob("*.js")}
    assert [path.name for path, script in scripts.items() if ".toFixed(" in script] == ["dom.js"]
    signed = re.compile(r"\{[^{}]*:\+(?!z)[.\d]*[f%]\}")
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                assert not signed.search(ast.unparse(node)), f"{path.name}: {ast.unparse(node)}"


def test_every_error_has_a_translated_sentence(catalogue: Catalog) -> None:
    known = {ids[0] for ids, _strings, _message in _messages(catalogue)}
    for error in _subclasses(errors.PlaygroundError):
        assert error.msgid in known, error.__name__


def _subclasses(root: type[errors.PlaygroundError]) -> Iterator[type[errors.PlaygroundError]]:
    yield root
    for child in root.__subclasses__():
        yield from _subclasses(child)


def test_sentence_fills_in_the_values_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    error = errors.TextTooLong(limit=2000, got=100_000)
    monkeypatch.setattr(text, "language", lambda: "en")
    assert text.sentence(error) == "The text has 100,000 characters and the limit is 2,000: shorten it."
    monkeypatch.setattr(text, "language", lambda: "ko")
    assert "100,000" in text.sentence(error)
    assert "2,000" in text.sentence(error)
    assert "characters" not in text.sentence(error)


TOO_LONG = "Stopped at step {step}: each run may use at most {limit:.0f} s."
HOW_FAR = (("doing", errors.Message("Reading the weights")), ("percent", 37.2))
MEGABYTES = (("here", 12), ("total", 1503))


@pytest.mark.parametrize(
    ("said", "korean"),
    [
        (errors.Message("Reading the weights"), "가중치를 읽는 중"),
        (errors.Message("{doing} ({percent:.0f} %)", HOW_FAR), "가중치를 읽는 중 (37 %)"),
        (errors.Message("{here:,} / {total:,} MB", MEGABYTES), "12 / 1,503 MB"),
        (errors.BadUpload(row=3, reason=errors.Message("its text is empty.")), "3행"),
        (errors.BadUpload(row=3, reason=errors.Message("its text is empty.")), "글이 비어 있습니다."),
        (errors.Message(TOO_LONG, (("step", 7), ("limit", 600.0))), "스텝 7에서 멈췄습니다."),
        (FAILED, "서버 로그"),
        (errors.EngineFailed(error=ImportError("libtorch.so")), r"(libtorch\.so)"),
    ],
)
def test_what_is_said_is_said_in_korean_with_its_values(
    said: errors.Message | errors.PlaygroundError, korean: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "language", lambda: "ko")
    assert korean in text.sentence(said)


@pytest.mark.parametrize(
    "value", ["Ready", "it is too long.", "{limit}", "x (37 %)", "**a**", "{reason} {cure}"]
)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_value_that_looks_like_a_sentence_stays_a_value(
    value: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "language", lambda: language)
    for said in (
        errors.FileTooLarge(name=value, got_mb=2.0, limit_mb=1.0),
        errors.Message("{reason}", (("reason", value),)),
        errors.BadFile(reason=errors.Message("{reason}", (("reason", value),))),
    ):
        assert text.plain(value) in text.sentence(said)


def test_an_error_is_kept_as_plain_data_and_reads_the_same() -> None:
    error = errors.BadFile(reason=errors.Message("it is too large."))
    assert str(error.message) == str(error) == "The file cannot be used: it is too large."
    assert hash(pickle.loads(pickle.dumps(error.message))) == hash(error.message)
    assert errors.EngineFailed(error=OSError("x")).message.params == (("error", "x"),)


@given(st_.text())
def test_plain_text_only_gains_backslashes_and_marks_without_width(raw: str) -> None:
    raw = re.sub(rf"(?<=[\n\r])[ \t]+|{text.WORD_JOINER}", "", raw)
    read = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text.plain(raw))
    shown = read.replace(text.WORD_JOINER, "")
    assert shown.startswith(raw)
    assert not shown[len(raw) :].strip("\u202c\u2069")


def test_a_text_that_turns_its_direction_does_not_turn_what_follows_it() -> None:
    assert text.plain("\u202egnp") == "\u202egnp\u202c"
    assert text.plain("\u2067a\u202eb") == "\u2067a\u202eb\u202c\u2069\u202c"
    assert text.plain("שלום") == "שלום"


def test_an_indented_line_keeps_its_indent_and_is_no_code() -> None:
    assert text.plain("x\n\n  a\n\tb") == "x\n\n\u00a0\u00a0a\n\u00a0\u00a0\u00a0\u00a0b"


def test_a_value_of_any_kind_is_plain_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "language", lambda: "en")
    error = errors.BadValue(name="x", value=("http://e.x", ":red[y]"), allowed=["*a*"])
    shown = text.sentence(error)
    assert "http://" not in shown.replace("\\", "")
    assert ":red[" not in shown
    assert r"\*a\*" in shown


@pytest.mark.parametrize(
    "hostile",
    ["<script>alert(1)</script>", "![](http://x)", "$E=mc^2$", ":red[x]", ":material/home:", "a@b.c"],
)
def test_plain_escapes_what_streamlit_would_read(hostile: str) -> None:
    assert re.sub(r"\\(.)", r"\1", text.plain(hostile)).replace(text.WORD_JOINER, "") == hostile
    assert not re.search(r"(?<!\\)[<\[$:@!]", text.plain(hostile))


@pytest.mark.parametrize("page", sorted(navigation.BY_NAME))
def test_lesson_has_the_same_parts_in_both_languages(page: str) -> None:
    english, korean = (_headings(LESSONS / language / f"{page}.md") for language in ("en", "ko"))
    assert english == korean
    assert sum(heading.startswith("## task ") for heading in english) == 3


@pytest.mark.parametrize(
    "path", sorted(LESSONS.glob("*/*.md")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_lesson_can_be_read(path: Path) -> None:
    lesson = text.parse_lesson(path.read_text("utf-8"))
    assert all([lesson.title, lesson.question, lesson.lead, lesson.body, lesson.take_away])
    assert all(lesson.tasks.values())
    assert all(lesson.explanations.values()), "a right answer teaches something"
    assert len(lesson.lead.split()) <= 60


def _headings(path: Path) -> list[str]:
    """The keys, and the depth of the headings inside the lesson."""
    lines = [line for line in path.read_text("utf-8").splitlines() if line.startswith("#")]
    return [line if line.startswith("## ") else line.split(" ")[0] for line in lines]


@pytest.mark.parametrize("path", sorted((LESSONS / "ko").glob("*.md")), ids=lambda path: path.stem)
def test_emphasis_ends_before_a_bracket_and_a_particle(path: Path) -> None:
    """`*토큰(token)*은` keeps its stars: between a bracket and a letter they end nothing."""
    assert not re.findall(r"\)\*+[가-힣]", path.read_text("utf-8"))
