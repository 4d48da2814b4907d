"""Korean particles: the form that a Korean reader would say after the word."""

from __future__ import annotations

import ast
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.paths import site_root
from playground.ui import text, translations
from playground.ui.particles import MARK, Pair, particle

PAIRS: tuple[Pair, ...] = ("은/는", "이/가", "을/를", "과/와", "으로/로")
READ = {  # how a word is said -> the word, as it may stand in a sentence
    "런던": ("London", "**·London**", ":blue[**London**]", "`London`", "“London”", r"\·London"),
    "서울": ("서울", "`서울`", "서울(수도)", r"**서울 \(수도\)**"),
    "파리": ("파리", "Paris", "파리…", "파리 (프랑스)"),
    "영": ("0", "10", "0.50", "2,000"),
    "삼": ("3", "13", "1.3", "(3)"),
    "일": ("1", "2.1", "헤드 3.1"),
    "이": ("2", "gpt-2", "E5-2"),
    "에이사": ("A4", "A4 (다)", "`8B A4 (다)`"),
    "이비": ("EB", "EB …", "20 EB (·…)", r"20 EB \(·…\)"),
    "퍼센트": ("58.9 %", "58.9%"),
    "엘엠": ("MiniLM", "SmolLM2-135M", "LLM"),
    "엠엘피": ("MLP", "GPT"),
    "캐피털": ("capital", "apple", "all-small"),
    "네임": ("name", "time", "king", "one"),
    "캣": ("cat", "top", "book", "black"),
    "파크": ("park", "test", "base", "the", "Café"),
    "기역": ("ㄱ", "ㅎ"),
    "리을": ("ㄹ", "L"),
    "아": ("ㅏ", "漢", "か", "!", "", "·", "()", "⏎"),  # what cannot be read is as after a vowel
}


@pytest.mark.parametrize(("said", "word"), [(said, word) for said, words in READ.items() for word in words])
def test_particle_fits_how_the_word_is_said(said: str, word: str) -> None:
    for pair in PAIRS:
        assert particle(word, pair) == particle(said, pair), (word, pair)


@pytest.mark.parametrize(
    ("syllable", "forms"), [("강", "은이을과으로"), ("가", "는가를와로"), ("갈", "은이을과로")]
)
def test_particle_of_a_syllable_is_the_grammar_books(syllable: str, forms: str) -> None:
    assert "".join(particle(syllable, pair) for pair in PAIRS) == forms


@given(st.text())
def test_every_word_takes_one_form_of_the_pair(word: str) -> None:
    for pair in PAIRS:
        assert particle(word, pair) in pair.split("/")


def test_a_mark_is_read_in_the_sentence_and_never_in_a_value() -> None:
    told = text.Template("{a}[은/는] {b:.1%}({a})[을/를] {{x}}[과/와] [이/가]")
    assert told.format(a="서울[은/는]", b=0.5) == "서울[은/는]은 50.0 %(서울[은/는])를 {x}와 가"


def test_no_sentence_leaves_the_choice_of_a_particle_to_the_reader() -> None:
    both = re.compile(r"[은는이가을를와과]\((은|는|이|가|을|를|와|과)\)|\((으|이)\)[가-힣]|\w\((은|는)\)")
    folders = [site_root() / name for name in ("assets", "playground", "pages")]
    kinds = ("*.py", "*.md", "*.po", "*.js", "*.csv")
    paths = itertools.chain.from_iterable(folder.rglob(kind) for folder in folders for kind in kinds)
    found = {str(path): both.findall(path.read_text("utf-8", "replace")) for path in paths}
    assert len(found) > 300
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_a_particle_after_a_value_is_chosen_by_the_value() -> None:
    said = {"p", "mass", "n_tokens", "query"}  # end in a per cent sign or in a counted thing
    fixed = re.compile(
        r"\{(\w+)(?::[^}%]*)?\}[*”\"`'\]]*(?:\([^()]*\))?(?:은|는|이|가|을|를|와|과|로|으로)(?![가-힣])"
    )
    strings = translations.entries(
        (site_root() / "assets/locale/ko/LC_MESSAGES/playground.po").read_text("utf-8")
    ).values()
    assert sum(bool(MARK.search(one)) for one in strings) > 20
    assert {one for one in strings if set(fixed.findall(one)) - said} == set()


def test_every_sentence_is_filled_in_before_it_is_joined_to_another() -> None:
    """Joined first, two templates are a plain string, whose marks nobody reads."""
    sources = [*(site_root() / "playground").rglob("*.py"), *(site_root() / "pages").glob("*.py")]
    joined = [
        f"{source.name}:{node.lineno}"
        for source in sources
        if source.name != "text.py"
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr == "format"
        and isinstance(node.value, ast.JoinedStr | ast.BinOp)
    ]
    assert joined == []
