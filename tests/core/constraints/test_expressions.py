"""A rewritten expression has the language that Python's `re` gives the original."""

from __future__ import annotations

import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.constraints.expressions import MAX_COUNT, rewritten
from playground.errors import ConstraintRefused

LETTERS = "ab0 _-.가é\n\u2028\u0660"
ATOMS = [
    "a",
    "b",
    "가",
    ".",
    r"\d",
    r"\w",
    r"\s",
    r"\D",
    r"\W",
    r"\S",
    "[ab]",
    "[^a]",
    r"[^\d가]",
    r"[\W0]",
    r"\.",
    "é",
]
PATTERNS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda each: f"(?:{'|'.join(each)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0}", "{2,}", "*?", "??"])).map(
            lambda pair: f"({pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=5,
)


def of_python(text: str) -> str:
    """The expression as it is written out, with the names that Python gives to code points."""
    return re.sub(r"\\x\{([0-9a-f]+)\}", lambda match: f"\\U{int(match[1], 16):08x}", text)


@given(PATTERNS, st.lists(st.text(LETTERS, max_size=6), min_size=5, max_size=5))
def test_the_language_is_that_of_fullmatch(pattern: str, texts: list[str]) -> None:
    for flags in ("", "(?s)"):
        written = of_python(rewritten(flags + pattern).text)
        for text in texts:
            assert bool(re.fullmatch(written, text)) == bool(re.fullmatch(flags + pattern, text)), text


@given(PATTERNS, st.sampled_from(["", "^"]), st.sampled_from(["", "$"]), st.text(LETTERS, max_size=6))
def test_a_pattern_of_a_schema_never_says_more_than_search(
    pattern: str, before: str, behind: str, text: str
) -> None:
    written = of_python(rewritten(before + pattern + behind, "schema").text)
    if re.fullmatch(written, text):
        assert re.search(before + pattern + behind, text)


def test_a_pattern_of_a_schema_says_what_search_says_of_plain_text() -> None:
    for pattern in ("^ab", "ab$", "b", "^a|b$", "^(a|b)+$", "^a$|^b", r"^\w+ \w+$"):
        written = of_python(rewritten(pattern, "schema").text)
        for text in ("ab", "b", "aab", "abc", "xbx", "", "a b", "b a"):
            assert bool(re.fullmatch(written, text)) == bool(re.search(pattern, text)), (pattern, text)


def test_anchors_at_the_ends_change_nothing_of_a_whole_text() -> None:
    for pattern in (r"^ab$", r"\Aab\Z", r"^ab|^cd$", "(?m)^ab$"):
        plain = re.sub(r"\(\?m\)|[\^$]|\\[AZ]", "", pattern)
        assert rewritten(pattern).text == rewritten(plain).text.replace("(?:|)", "")


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(", "Python cannot read it"), (r"\p{L}", "Python cannot read it"),
        (r"(a)\1", "reference to a group"),
        ("a(?=b)", "look ahead"), ("(?<!a)b", "look ahead"), (r"\bword", "a place such as"),
        ("a$b", "a place such as"), ("(?i)a", "a flag such as"), ("(?i:a)", "a flag inside"),
        ("(?>a)", "atomic"), ("a++", "possessive"), ("(a)?(?(1)b|c)", "condition"),
        (r"[^\s\S]", "no characters"),
        (f"a{{{MAX_COUNT + 1}}}", "4,096 times"), (r"\w" * 60, "too large"), ("(" * 3000 + ")" * 3000, ""),
    ],
)  # fmt: skip
def test_what_an_automaton_cannot_keep_to_is_refused_by_name(pattern: str, said: str) -> None:
    with pytest.raises(ConstraintRefused, match="The regular expression cannot be used: ") as caught:
        rewritten(pattern)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 300


def test_its_atoms_are_the_sets_of_characters_it_may_need() -> None:
    assert rewritten("a[b-d]*").atoms == {((97, 97),), ((98, 100),)}
    assert rewritten("(?:)").atoms == frozenset()


def test_many_alternatives_behind_a_long_beginning_take_no_memory() -> None:
    """Each alternative is written with what stands before all: 171 MB, were all of them made first."""
    source = "a" * 7_000 + "(?:" + "|".join(["bb", "cc"] * 1_500) + ")"
    tracemalloc.start()
    try:
        with pytest.raises(ConstraintRefused, match="too large"):
            rewritten(source)
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()
