r"""Python's regular expressions, rewritten with explicit sets of characters, for a library of automata.

Two readers of one expression can differ: `\w` is another set in each, `$` may look at a line break. Here
Python's own parser reads it, and what is written out again has none of that left: sets of code points,
sequences, alternatives and repetitions. What cannot be said with these is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, Literal

from playground.core.constraints.characters import ALL, Ranges, matched_by, others, united
from playground.errors import ConstraintRefused, Message

Reading = Literal["python", "schema"]
MAX_WRITTEN = 400_000  # characters of an expression that is written out
MAX_COUNT = 4_096  # of one repetition
_KNOWN_FLAGS = re.DOTALL | re.VERBOSE | re.MULTILINE
_ENDS = {op.AT_BEGINNING, op.AT_BEGINNING_STRING, op.AT_END, op.AT_END_STRING}
_STARTS = {op.AT_BEGINNING, op.AT_BEGINNING_STRING}
_NOT_REGULAR = {
    op.AT: Message("a place such as ^, $ or \\b inside it"),
    op.GROUPREF: Message("a reference to a group"),
    op.GROUPREF_EXISTS: Message("a condition on a group"),
    op.ASSERT: Message("a look ahead or behind"),
    op.ASSERT_NOT: Message("a look ahead or behind"),
    op.ATOMIC_GROUP: Message("an atomic group"),
    op.POSSESSIVE_REPEAT: Message("a possessive repetition"),
}
# Categories as Python reads them, and, for schemas, those characters that Python and ECMAScript agree on.
_PYTHON = {op.CATEGORY_DIGIT: r"\d", op.CATEGORY_SPACE: r"\s", op.CATEGORY_WORD: r"\w"}
_BOTH = {
    op.CATEGORY_DIGIT: "[0-9]", op.CATEGORY_SPACE: "[ \t\n\r\f\v]", op.CATEGORY_WORD: "[0-9A-Za-z_]",
}  # fmt: skip
_EITHER = _PYTHON | {op.CATEGORY_SPACE: "[\\s\ufeff]"}
_NOT = {
    op.CATEGORY_NOT_DIGIT: op.CATEGORY_DIGIT, op.CATEGORY_NOT_SPACE: op.CATEGORY_SPACE,
    op.CATEGORY_NOT_WORD: op.CATEGORY_WORD,
}  # fmt: skip
_LINE_ENDS = united([(10, 10), (13, 13), (0x2028, 0x2029)])

Item = tuple[Any, Any]  # operator and argument, as Python's parser gives them


class Written:
    """An expression with explicit sets of characters.

    Attributes:
        text: In the syntax that nearly all libraries share: `[\\x{61}-\\x{7a}]`, `(?:…)`, `|`, `{m,n}`.
        atoms: Sets of characters of which each match may need one: where a model can write none of a set, a
            match cannot go on.
    """

    def __init__(self, text: str, atoms: frozenset[Ranges]) -> None:
        self.text, self.atoms = text, atoms


def rewritten(pattern: str, reading: Reading = "python") -> Written:
    r"""The same language with explicit sets of characters.

    Args:
        pattern: A regular expression of Python.
        reading: "python": of whole texts, as `re.fullmatch`. "schema": of texts that hold a match, as
            `re.search`; a text is in it only where Python and ECMAScript both say so.

    Raises:
        ConstraintRefused: It is no expression, needs more than an automaton, or is too large written out.

    Example:
        >>> print(rewritten(r"^a|[b-d]+$").text)
        \x{61}|(?:[\x{62}-\x{64}]){1,}
    """
    parsed = _parsed(pattern)
    flags = parsed.state.flags & ~re.UNICODE
    if flags & ~_KNOWN_FLAGS or (flags and reading == "schema"):
        raise refused(_without(Message("a flag such as (?i)")))
    return _Writer(reading, takes_line_ends=bool(flags & re.DOTALL)).whole(list(parsed))


def refused(reason: Message) -> ConstraintRefused:
    """The error of a regular expression."""
    return ConstraintRefused(kind=Message("regular expression"), reason=reason)


def _parsed(pattern: str) -> Any:  # noqa: ANN401  (of Python's parser)
    try:
        parsed: Any = _parser.parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        reason = Message("Python cannot read it ({error}).", (("error", str(error) or "too deep"),))
        raise refused(reason) from None
    return parsed


def _without(what: Message | str) -> Message:
    return Message(
        "it has {what}, which cannot be kept to token by token: write it without.", (("what", what),)
    )


class _Writer:
    def __init__(self, reading: Reading, *, takes_line_ends: bool) -> None:
        self._is_python = reading == "python"
        self._atoms: set[Ranges] = set()
        self._n_written = 0
        self._takes_line_ends = takes_line_ends  # the dot

    def whole(self, items: Sequence[Item]) -> Written:
        try:
            parts = [self._alternative(one) for one in _alternatives(list(items))]
        except RecursionError:
            raise refused(Message("its groups are too deep: write it with fewer of them.")) from None
        return Written("|".join(parts), frozenset(self._atoms))

    def _alternative(self, items: list[Item]) -> str:
        """One alternative of the whole, whose anchors are taken off, or replaced by any text."""
        starts, stops = len(items), 0
        kept = list(items)
        while kept and kept[0][0] is op.AT and kept[0][1] in _STARTS:
            kept.pop(0)
        is_anchored = len(kept) < starts
        starts = len(kept)
        while kept and kept[-1][0] is op.AT and kept[-1][1] in _ENDS - _STARTS:
            kept.pop()
            stops += 1
        text = self._sequence(kept)
        if self._is_python:
            return text
        anything = f"{_class(ALL)}*"
        return f"{'' if is_anchored else anything}{text}{'' if stops else anything}"

    def _sequence(self, items: Sequence[Item]) -> str:
        return self._counted("".join(self._item(*item) for item in items) or "(?:)")

    def _counted(self, text: str) -> str:
        self._n_written += len(text)
        if self._n_written > MAX_WRITTEN:
            raise refused(Message("it is too large: write it with fewer and smaller parts."))
        return text

    def _item(self, operator: Any, argument: Any) -> str:  # noqa: ANN401  (of Python's parser)
        if operator is op.BRANCH:
            return f"(?:{'|'.join(self._sequence(one) for one in argument[1])})"
        if operator is op.SUBPATTERN:
            _group, added, dropped, inside = argument
            if added or dropped:
                raise refused(_without(Message("a flag inside it")))
            return f"(?:{self._sequence(inside)})"
        if operator in (op.MAX_REPEAT, op.MIN_REPEAT):
            return self._repeated(*argument)
        if operator in _NOT_REGULAR:
            raise refused(_without(_NOT_REGULAR[operator]))
        characters = self._characters(operator, argument)
        self._atoms.add(characters)
        return _class(characters)

    def _repeated(self, least: int, most: int, inside: Sequence[Item]) -> str:
        is_endless = most is op.MAXREPEAT
        if least > MAX_COUNT or (not is_endless and most > MAX_COUNT):
            reason = Message(
                "it repeats something more than {limit:,} times: use smaller counts.", (("limit", MAX_COUNT),)
            )
            raise refused(reason)
        if most == 0:
            return "(?:)"
        text = self._sequence(inside)
        return f"(?:{text}){{{least},{'' if is_endless else most}}}"

    def _characters(self, operator: Any, argument: Any) -> Ranges:  # noqa: ANN401
        if operator is op.LITERAL:
            return united([(argument, argument)])
        if operator is op.NOT_LITERAL:
            return others(united([(argument, argument)]))
        if operator is op.ANY:
            if self._takes_line_ends:
                return ALL
            return others(united([(10, 10)]) if self._is_python else _LINE_ENDS)
        if operator is op.IN:
            is_negated = bool(argument) and argument[0][0] is op.NEGATE
            found = united(one for item in argument for one in self._of_set(*item, is_negated=is_negated))
            return others(found) if is_negated else found
        raise refused(_without(str(operator).lower()))

    def _of_set(self, operator: Any, argument: Any, *, is_negated: bool) -> Ranges:  # noqa: ANN401
        if operator is op.NEGATE:
            return ()
        if operator is op.RANGE:
            return (argument,)
        if operator is op.CATEGORY:
            return self._category(argument, is_taken_off=is_negated)
        return ((argument, argument),)

    def _category(self, category: Any, *, is_taken_off: bool) -> Ranges:  # noqa: ANN401  (of Python's parser)
        """A class; for schemas as few characters as both languages agree on, of what is taken off all."""
        if category in _NOT:
            return others(self._category(_NOT[category], is_taken_off=not is_taken_off))
        if self._is_python:
            return matched_by(_PYTHON[category])
        return matched_by((_EITHER if is_taken_off else _BOTH)[category])


def _alternatives(items: list[Item]) -> Iterator[list[Item]]:
    """The alternatives of a whole expression, each with what stands before all of them.

    One at a time: a thousand of them, each with thousands of characters before it, would be 170 MB.
    """
    if not items or items[-1][0] is not op.BRANCH:
        yield items
        return
    before, (_none, branches) = items[:-1], items[-1][1]
    for branch in branches:
        yield from _alternatives([*before, *branch])


def _class(characters: Ranges) -> str:
    """A set as it is written out; one character without brackets."""
    if len(characters) == 1 and characters[0][0] == characters[0][1]:
        return f"\\x{{{characters[0][0]:x}}}"
    inside = "".join(
        f"\\x{{{first:x}}}" if first == last else f"\\x{{{first:x}}}-\\x{{{last:x}}}"
        for first, last in characters
    )
    if not characters:
        raise refused(Message("a set in it has no characters: no text can match."))
    return f"[{inside}]"
