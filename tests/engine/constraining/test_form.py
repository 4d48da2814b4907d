"""The tokens a form allows are those found by trying the bytes of every token of a small vocabulary."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from playground.core.constraints.expressions import rewritten
from playground.engine.constraining.form import Form, form_of
from playground.engine.constraining.vocabulary import Vocabulary, vocabulary_of
from playground.engine.contract.constraints import Constraint
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.table import ModelTable
from playground.errors import ConstraintRefused
from playground.settings import Settings
from tests import tiny

PIECES = [
    "a",
    "b",
    "ab",
    "ba",
    "abb",
    "0",
    "1",
    "10",
    " ",
    " a",
    "b ",
    "aa",
    "A",
    "-",
    "a-",
    "가",
    "나",
    "가나",
    "!",
]
HANGUL = "가".encode()
TOKENS = [
    *(piece.encode() for piece in PIECES),
    HANGUL[:1],
    HANGUL[:2],
    HANGUL[1:],
    HANGUL[2:],
    b"a" + HANGUL[:2],
]
END = len(TOKENS)  # beside it a mark without bytes, an id without a token and a second way to write "ab"
TOKEN_BYTES = [*TOKENS, b"", b"", b"", b"ab"]
VOCABULARY = Vocabulary(TOKEN_BYTES, frozenset({END}))
ATOMS = ["a", "b", "ab", "[ab]", "[^a]", "0", "[01]", r"\d", "-", " ", ".", r"\w", "A"]
PATTERNS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda each: f"(?:{'|'.join(each)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}"])).map(
            lambda two: f"({two[0]}){two[1]}"
        ),
    ),
    max_leaves=5,
)


def form(pattern: str, vocabulary: Vocabulary = VOCABULARY) -> Form:
    head = '%llguidance {"no_forcing": true}\n'
    return Form("regex", f"{head}start: /(?:{rewritten(pattern).text})/", vocabulary)


def walk(one: Form, may_follow: Callable[[bytes], bool], ends: Callable[[bytes], bool], seed: int) -> None:
    """Write a text of at most 8 tokens at random, comparing what is allowed at each step."""
    choose, written = random.Random(seed), b""
    for _step in range(8):
        expected = [at for at, own in enumerate(TOKEN_BYTES) if own and may_follow(written + own)]
        expected += [END] if ends(written) else []
        allowed = one.allowed().tolist()
        assert allowed == sorted(expected), written
        assert one.matches == ends(written)
        token_id = choose.choice(allowed)
        one.take(token_id)
        if token_id == END:
            return
        written += TOKEN_BYTES[token_id]
        if one.is_over:
            assert ends(written)
            assert not any(may_follow(written + own) for own in TOKEN_BYTES if own)
            return


@given(PATTERNS, st.integers(0, 99))
def test_of_an_expression_all_tokens_that_can_still_lead_to_a_match(pattern: str, seed: int) -> None:
    """The oracle is another library's partial match, in ASCII; `.` and `[^a]` there are of one byte."""
    one, again = form(f"[ -~]*(?:{pattern})"), regex.compile(f"[ -~]*(?:{pattern})", regex.ASCII)
    only = regex.compile(r"[\x00-\x7f]*")

    def may_follow(text: bytes) -> bool:
        whole = text.decode("utf-8", "ignore") if only.fullmatch(text.decode("latin-1")) else None
        return whole is not None and again.fullmatch(whole, partial=True) is not None

    ascii_only = [at for at, own in enumerate(TOKEN_BYTES) if own.isascii()]
    choose, written = random.Random(seed), b""
    for _step in range(6):
        allowed = [at for at in one.allowed().tolist() if at in ascii_only]
        ends = again.fullmatch(written.decode()) is not None
        expected = [at for at in ascii_only if TOKEN_BYTES[at] and may_follow(written + TOKEN_BYTES[at])]
        assert allowed == sorted(expected + [END] * ends), written
        assert one.matches == ends
        going_on = [at for at in allowed if at != END]
        if not going_on:
            return
        one.take(token_id := choose.choice(going_on))
        written += TOKEN_BYTES[token_id]


@given(st.lists(st.text("ab01 -A가나!", min_size=1, max_size=5), min_size=1, max_size=5), st.integers(0, 99))
def test_of_a_list_of_texts_the_beginnings_of_each_parts_of_characters_too(
    texts: list[str], seed: int
) -> None:
    """No library is needed to know the language of a list."""
    whole = {text.encode() for text in texts}
    one = form("|".join(map(regex.escape, texts)))
    walk(one, lambda text: any(own.startswith(text) for own in whole), whole.__contains__, seed)


def test_parts_of_a_character_are_joined_again() -> None:
    one = form("a?[가-나]{2}")
    by_bytes = {own: at for at, own in reversed(list(enumerate(TOKEN_BYTES)))}
    for piece in (b"a" + HANGUL[:2], HANGUL[2:], "나".encode()):
        assert by_bytes[piece] in one.allowed()
        one.take(by_bytes[piece])
    assert one.matches
    assert one.is_over
    assert one.allowed().tolist() == [END]


def test_the_end_is_allowed_only_where_the_text_matches() -> None:
    one = form("(ab)*")
    assert END in one.allowed()
    one.take(0)
    assert [TOKEN_BYTES[at] for at in one.allowed()] == [b"b", b"ba"]
    one.take(1)
    assert END in one.allowed()
    one.take(END)
    assert one.is_over


def test_a_model_without_a_mark_of_the_end_goes_on_while_it_can() -> None:
    silent = Vocabulary(TOKENS, frozenset())
    one = form("a?", silent)
    assert one.allowed().tolist() == [0]
    one.take(0)
    assert one.is_over
    with pytest.raises(ConstraintRefused, match="no text that this model can write"):
        form("(?:)", silent)


def test_all_marks_of_the_end_are_allowed_together() -> None:
    two = Vocabulary([*TOKENS, b"</s>", b""], frozenset({END, END + 1}))
    one = form("a*", two)
    assert {END, END + 1} <= set(one.allowed().tolist())
    assert form(
        "</s>", Vocabulary([*TOKENS, b"</s>", b"<", b"/", b"s", b">"], frozenset({END}))
    ).allowed().tolist() == [END + 1]


@pytest.fixture(scope="module")
def loaded(tiny_settings: Settings) -> dict[str, LoadedModel]:
    table = ModelTable(tiny_settings)
    return {name: table.load(name).result() for name in (tiny.LLAMA, tiny.T5)}


def ids(one: LoadedModel, text: str) -> tuple[int, ...]:
    return one.tokenizer.encode(text, add_special_tokens=False)


def test_a_vocabulary_is_made_once_for_a_tokenizer_and_goes_with_it(loaded: dict[str, LoadedModel]) -> None:
    one = loaded[tiny.LLAMA]
    assert vocabulary_of(one) is vocabulary_of(one)
    assert vocabulary_of(one) is not vocabulary_of(loaded[tiny.T5])
    assert vocabulary_of(one).d_vocab == one.info.d_vocab


@pytest.mark.parametrize("text", ["서울은 한국의 수도입니다.", "the cat sat", "0 1 2!"])
def test_a_model_may_write_a_text_in_its_own_pieces(loaded: dict[str, LoadedModel], text: str) -> None:
    """Byte-level pieces as they are; the first piece of a target brings the space that its text has not."""
    for one in loaded.values():
        pieces = ids(one, text)
        running = form_of(Constraint("regex", regex.escape(text)), one)
        for token_id in pieces:
            assert token_id in running.allowed()
            running.take(token_id)
        assert running.matches
        assert running.is_over


def test_what_is_written_already_is_read_and_must_begin_a_match(loaded: dict[str, LoadedModel]) -> None:
    one = loaded[tiny.LLAMA]
    running = form_of(Constraint("regex", "the cat( sat)?"), one, ids(one, "the cat"))
    assert running.matches
    assert not running.is_over
    with pytest.raises(ConstraintRefused, match="does not begin a match"):
        form_of(Constraint("regex", "the cat"), one, ids(one, "a dog"))


def refusal(kind: str, source: str, one: LoadedModel) -> str:
    with pytest.raises(ConstraintRefused) as caught:
        form_of(Constraint(kind, source), one)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 3, "maxLength": 2}, {"type": "integer", "minimum": 3, "maximum": 2},
        {"allOf": [{"type": "string"}, {"type": "integer"}]}, {"type": "string", "const": 3},
        {"type": "array", "minItems": 3, "maxItems": 2}, {"type": "string", "pattern": "^a$", "minLength": 2},
        {"properties": {"a": {"enum": [1], "type": "string"}}, "required": ["a"], "type": "object"},
    ],
)  # fmt: skip
def test_what_nothing_can_match_is_refused(loaded: dict[str, LoadedModel], schema: object) -> None:
    assert "no text that this model can write" in refusal(
        "json_schema", json.dumps(schema), loaded[tiny.LLAMA]
    )


def test_where_the_model_has_no_token_the_character_is_named(loaded: dict[str, LoadedModel]) -> None:
    assert "no token for 뷁" in refusal("regex", "a뷁", loaded[tiny.T5])
    assert "no token for" in refusal("json_schema", "{}", loaded[tiny.T5])
    assert form_of(Constraint("regex", "[뷁a]+"), loaded[tiny.T5]).allowed().size
    assert form_of(Constraint("regex", "a뷁"), loaded[tiny.LLAMA]).allowed().size


def test_what_the_library_cannot_do_is_refused_with_its_reason(loaded: dict[str, LoadedModel]) -> None:
    two = {"oneOf": [{"type": "integer"}, {"type": "number"}]}
    assert "oneOf" in refusal("json_schema", json.dumps(two), loaded[tiny.LLAMA])


HEAVY = [
    ("regex", "(" * 12 + "a?" * 30 + "){64}" * 12),
    ("regex", "(a|b|c|[가-힣]{1,4000}){4000}" * 3),
    ("json_schema", '{"type": "array", "minItems": 1000, "items": {"type": "array", "minItems": 1000}}'),
    (
        "json_schema",
        json.dumps({"properties": {f"p{i}": {"pattern": "(a|b)*a(a|b){30}$"} for i in range(200)}}),
    ),
]


@pytest.mark.parametrize(("kind", "source"), HEAVY)
def test_a_heavy_source_is_refused_or_goes_on_within_its_limits(
    loaded: dict[str, LoadedModel], kind: str, source: str
) -> None:
    one, choose, said = loaded[tiny.LLAMA], random.Random(0), ""
    try:
        running = form_of(Constraint(kind, source), one)  # type: ignore[arg-type]
        for _step in range(60):
            running.take(choose.choice(running.allowed().tolist()))
            if running.is_over:
                break
    except ConstraintRefused as error:
        said = str(error)
    assert said == "" or "too large" in said


def test_states_that_grow_without_end_end_their_own_row_alone(loaded: dict[str, LoadedModel]) -> None:
    one = loaded[tiny.LLAMA]
    a, b = ids(one, "a")[0], ids(one, "b")[0]
    running, choose = form_of(Constraint("regex", "[ab]*a[ab]{40}"), one), random.Random(0)
    other = form_of(Constraint("regex", "[ab]*"), one)

    def goes_on() -> None:
        for _step in range(100_000):
            running.allowed()
            running.take(choose.choice((a, b)))

    with pytest.raises(ConstraintRefused, match="too large"):
        goes_on()
    other.take(a)
    assert other.matches
