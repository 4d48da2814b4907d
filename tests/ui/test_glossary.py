"""One word for one thing: lessons, README and short strings use the words of assets/glossary.csv.

Columns of the glossary: the English term; its Korean words, the first is the usual one; `paired`, whether
Korean says it wherever English does; a name that stands for it in the code; and what is never said instead,
as regular expressions. Several are parted by `;`.

Not a step of training or of decoding, and so no banned word: 단계별 and 단계적 (step by step).
"""

from __future__ import annotations

import csv
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import pytest
from babel.messages.pofile import read_po

from playground.paths import site_root

ASSETS = site_root() / "assets"
LESSONS = ASSETS / "lessons"
# What is no prose: values, code, formulas, names of files, titles of papers, keys of lessons.
NO_PROSE = re.compile(
    r"\{[^{}]*\}|`[^`]*`|\$[^$]*\$|\]\([^)\s]+\)|\b\w+\.json\b"
    r"|^\*(?:Sources|출처).*|^#+ (?:task .*|[a-z-]+)$",
    re.MULTILINE,
)
UNITS = "bits?|nats?|radians?|tokens|s|votes|examples|texts?|rows?|words?|prompts?|numbers?|steps?|one"
NEVER_ENGLISH = {
    "say `is not`": r"(?<!here )\b(?:is|are|was|were) no (?!longer|more|less|better|fewer|further)",
    "say `per`": rf"\b(?:{UNITS}) an? (?:token|step|second|position|line|row|layer|problem|text|slot|job)\b",
    "say `per`, with a number": r"\ba (?:line|row|page|token|head|layer) each\b",
    "58.9 %": r"\d%",
}
NEVER_KOREAN = {"무엇입니까": "무엇인가요", "외": r"et al\.", "58.9 %": r"\d%"}


@dataclass(frozen=True, slots=True)
class Term:
    """One row of the glossary."""

    english: str
    korean: tuple[str, ...]
    paired: bool
    code: str
    not_english: tuple[str, ...]
    not_korean: tuple[str, ...]

    @property
    def said(self) -> re.Pattern[str]:
        """The English term in a sentence, in the plural too."""
        stem, endings = self.english, "|s|es"
        for ending, plural in (("y", "ies"), ("ix", "ices")):
            if stem.endswith(ending):
                stem, endings = stem.removesuffix(ending), f"{ending}|{plural}"
                break
        return re.compile(rf"(?<![\w-]){re.escape(stem)}(?:{endings})(?![\w-])", re.IGNORECASE)


@cache
def glossary() -> tuple[Term, ...]:
    with (ASSETS / "glossary.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(
        Term(row["english"], _several(row["korean"]), {"yes": True, "no": False}[row["paired"]], row["code"],
             _several(row["not english"]), _several(row["not korean"]))
        for row in rows
    )  # fmt: skip


def _several(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";") if part.strip())


def faults(english: str, korean: str) -> list[str]:
    """What is said with other words than the glossary's in a sentence and its Korean."""
    english, korean = (NO_PROSE.sub("§", text) for text in (english, korean))
    unanswered = [
        f"{term.english} is {term.korean[0]}: {english} | {korean}"
        for term in glossary()
        if term.paired and term.said.search(english) and not any(word in korean for word in term.korean)
    ]
    return unanswered + banned_english(english) + banned_korean(korean)


def banned_english(text: str) -> list[str]:
    """What is never said in English."""
    bans = [(term.english, ban, 0) for term in glossary() for ban in term.not_english]
    bans += [(better, ban, re.IGNORECASE) for better, ban in NEVER_ENGLISH.items()]
    return [f"{better}, not {ban}: {text}" for better, ban, flags in bans if re.search(ban, text, flags)]


def banned_korean(text: str) -> list[str]:
    """What is never said in Korean."""
    bans = [(term.korean[0], ban) for term in glossary() for ban in term.not_korean] + [*NEVER_KOREAN.items()]
    return [f"{better}, not {ban}: {text}" for better, ban in bans if re.search(ban, text)]


def _strings() -> Iterator[tuple[str, str]]:
    with (ASSETS / "locale/ko/LC_MESSAGES/playground.po").open("rb") as file:
        for message in read_po(file, locale="ko"):
            if message.id:
                forms = message.id if isinstance(message.id, tuple) else (message.id,)
                said = message.string if isinstance(message.string, tuple) else (message.string,)
                yield " ".join(forms), " ".join(said)


@pytest.mark.parametrize("page", sorted(path.stem for path in (LESSONS / "en").glob("*.md")))
def test_a_lesson_uses_the_words_of_the_glossary(page: str) -> None:
    english, korean = (
        (LESSONS / language / f"{page}.md").read_text("utf-8").splitlines() for language in ("en", "ko")
    )
    assert [fault for lines in zip(english, korean, strict=True) for fault in faults(*lines)] == []


def test_short_strings_use_the_words_of_the_glossary() -> None:
    assert [fault for pair in _strings() for fault in faults(*pair)] == []


def test_the_readmes_use_no_other_words() -> None:
    english, korean = (
        NO_PROSE.sub("§", (site_root() / name).read_text("utf-8")) for name in ("README.md", "README.ko.md")
    )
    assert banned_english(english) == []
    assert banned_korean(korean) == []


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        ("Training step", "학습 단계"),
        ("Layer and module", "층과 모듈"),
        ("linear layers", "선형 층"),
        ("singular values above 0", "0보다 큰 특이값"),
        ("a soft lookup", "부드러운 찾아보기"),
        ("Copy a state of A", "A의 상태를 넣기"),
        ("activation patching", "상태 옮기기"),
        ("one example", "예문 하나"),
        ("sample words", "예제 단어"),
        ("My prompts", "나의 프롬프트"),
        ("{n} parameters", "파라미터 {n}개"),
        ("Read marks as marks", "특수 토큰으로 읽기"),
        ("a word", "낱말"),
        ("two layers", "두 겹"),
        ("the matrices", "그 표들"),
        ("it is no text", "글이 아닙니다"),
        ("2 bits a token", "토큰당 2비트"),
        ("Examples a step", "스텝마다 예시"),
        ("which one?", "무엇인가요?"),
        ("Vaswani et al. say", "Vaswani et al.에 따르면"),
        ("at 95%", "95 %에서"),
    ],
)
def test_another_word_is_found(english: str, korean: str) -> None:
    assert faults(english, korean)


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        ("Let us think step by step.", "단계별로 생각해 봅시다."),
        ("Reasoning step by step, at a higher level", "단계적으로, 더 높은 계층에서"),
        ("There are no more steps.", "더 이상 스텝이 없습니다."),
        ("It is no longer there.", "이제는 없습니다."),
        ("A question mark and a thin mark", "물음표와 가는 표시"),
        ("Click a token that needs a token before it.", "앞에 토큰이 있어야 하는 토큰을 누르세요."),
        ("The `layer` of {layer} in $layer$", "그 값"),
        ("one of them", "하나의 것"),
        ("two head-on players", "나머지 두 선수"),
    ],
)
def test_an_innocent_word_is_no_fault(english: str, korean: str) -> None:
    assert faults(english, korean) == []


def test_a_name_in_the_code_is_there() -> None:
    names = {
        token.string
        for path in (site_root() / "playground").rglob("*.py")
        for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline)
        if token.type == tokenize.NAME
    }
    assert {term.code for term in glossary()} - {""} - names == set()
    assert sum(bool(term.code) for term in glossary()) > 50


def test_a_term_has_one_row_in_order_and_a_paired_one_is_used() -> None:
    terms = [term.english.casefold() for term in glossary()]
    assert all(one < other for one, other in pairwise(terms)), "in order, each once"
    assert all(term.korean for term in glossary())
    texts = [NO_PROSE.sub("§", english) for english, _korean in _strings()]
    texts += [NO_PROSE.sub("§", path.read_text("utf-8")) for path in (LESSONS / "en").glob("*.md")]
    unused = [term.english for term in glossary() if term.paired and not any(map(term.said.search, texts))]
    assert unused == []
