"""A constraint while one text is written: which tokens it still allows, and whether the text is whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import llguidance
import numpy as np
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask
from numpy.typing import NDArray

from playground.core.constraints.characters import Ranges
from playground.core.constraints.expressions import rewritten
from playground.core.constraints.schemas import PRINTED, Schema, read_schema
from playground.engine.constraining.vocabulary import Vocabulary, vocabulary_of
from playground.engine.contract.constraints import Constraint
from playground.engine.models.loaded import LoadedModel
from playground.errors import ConstraintRefused, Message

# Of one text: some 20 ms to begin, 10 ms a step, and 4 MB of states; forms of use need some hundred of them.
LIMITS: Mapping[str, Any] = {
    "initial_lexer_fuel": 500_000,
    "step_lexer_fuel": 100_000,
    "step_max_items": 20_000,
    "max_items_in_row": 1_000,
    "max_lexer_states": 2_000,
    "max_grammar_size": 100_000,
    "verbose_errors": False,
}
_NAMES = {"regex": Message("regular expression"), "json_schema": Message("JSON schema")}
_NO_TEXT = Message("no text that this model can write matches it.")
# Words of the library's errors where one of its limits, those above, was reached while it compiled.
_TOO_LARGE = ("too big", "too many", "too large", "precomputation failed", "items; max is")
_AS_PRINTED = {"item_separator": ", ", "key_separator": ": ", "whitespace_flexible": False, "lenient": False}
# Without it the library writes what is certain in the pieces of a tokenizer; here each token is the model's.
_HEAD = '%llguidance {"no_forcing": true}\n'


class Form:
    """A constraint on one text, from its beginning. Whoever writes the text is the only one to use it.

    Args:
        kind: Of the constraint, for errors.
        grammar: In the library's syntax.
        vocabulary: Tokens that the text can be written with.

    Raises:
        ConstraintRefused: The grammar cannot be used, or no text of these tokens can match.
    """

    def __init__(self, kind: str, grammar: str, vocabulary: Vocabulary) -> None:
        self._kind, self._d_vocab = kind, vocabulary.d_vocab
        self._mask = allocate_token_bitmask(1, vocabulary.trie.vocab_size)
        limits = llguidance.LLParserLimits(**LIMITS)
        self._matcher = llguidance.LLMatcher(vocabulary.trie, grammar, log_level=0, limits=limits)
        self._check()
        self.allowed()

    def allowed(self) -> NDArray[np.int64]:
        """Ids of the tokens that can come next, ascending; at least one. Shape [n_allowed].

        Raises:
            ConstraintRefused: None can, or it takes too long to know.
        """
        fill_next_token_bitmask(self._matcher, self._mask)
        self._check()
        bits = np.unpackbits(self._mask.view(np.uint8), bitorder="little")
        found = np.flatnonzero(bits[: self._d_vocab])
        if not len(found):  # all that is left is to end, and the model has no mark for that
            raise self._refused(_NO_TEXT)
        return found

    def take(self, token_id: int) -> None:
        """The text goes on with this token, one of the allowed ones."""
        self._matcher.consume_token(token_id)
        self._check()

    def has_read(self, token_ids: Sequence[int]) -> None:
        """The text begins with these tokens.

        Raises:
            ConstraintRefused: No match begins with them.
        """
        for token_id in token_ids:
            if not self._matcher.consume_token(token_id):
                raise self._refused(Message("the text that is written already does not begin a match."))

    @property
    def matches(self) -> bool:
        """True if the text is a whole match."""
        return bool(self._matcher.is_accepting())

    @property
    def is_over(self) -> bool:
        """True if nothing can follow."""
        return bool(self._matcher.is_stopped())

    def _check(self) -> None:
        if not self._matcher.is_error():
            return
        reason, error = str(self._matcher.stop_reason()), str(self._matcher.get_error())
        if reason.startswith("NoExtension") or "nsatisfiable" in error:
            raise self._refused(_NO_TEXT)
        if reason in ("ParserTooComplex", "LexerTooComplex") or any(one in error for one in _TOO_LARGE):
            raise self._refused(Message("it is too large: write it with fewer and smaller parts."))
        told = (("error", error.strip().partition("\n")[0][:200]),)
        raise self._refused(Message("it cannot be kept to token by token ({error}).", told))

    def _refused(self, reason: Message) -> ConstraintRefused:
        return ConstraintRefused(kind=_NAMES[self._kind], reason=reason)


def form_of(constraint: Constraint, loaded: LoadedModel, written: Sequence[int] = ()) -> Form:
    """The constraint as a model can keep to it; compiled in the thread that asks.

    Args:
        constraint: The constraint.
        loaded: The model that writes.
        written: Tokens that it has written already.

    Raises:
        ConstraintRefused: It is not understood, too large, or cannot be matched by this model.
    """
    vocabulary = vocabulary_of(loaded)
    drops_space = loaded.info.kind == "encoder-decoder" and loaded.tokenizer.adds_first_space
    begin = r"\x{20}" if drops_space else ""  # a target's first piece has a space that its text has not
    if constraint.kind == "regex":
        expression = rewritten(constraint.source)
        grammar, atoms = f"start: /{begin}(?:{expression.text})/", expression.atoms
    else:
        read = read_schema(constraint.source)
        grammar, atoms = _grammar_of(read.schema, begin), read.atoms | _single(PRINTED)
    _check_writable(constraint, atoms, vocabulary)
    form = Form(constraint.kind, _HEAD + grammar, vocabulary)
    form.has_read(written)
    return form


def _grammar_of(schema: Schema, begin: str) -> str:
    before = f"/{begin}/ " if begin else ""
    return f"start: {before}%json {json.dumps(schema | {'x-guidance': _AS_PRINTED})}"


def _single(ranges: Ranges) -> frozenset[Ranges]:
    return frozenset(((code, code),) for first, last in ranges for code in range(first, last + 1))


def _check_writable(constraint: Constraint, atoms: frozenset[Ranges], vocabulary: Vocabulary) -> None:
    """Refuse a form that leads where the model has no token: it would have to stop in the middle."""
    missing = sorted(chr(atom[0][0]) for atom in atoms if not vocabulary.writes(atom))
    if missing:
        shown = " ".join(one if one.isprintable() else f"U+{ord(one):04X}" for one in missing[:8])
        reason = Message("the model has no token for {characters}.", (("characters", shown),))
        raise ConstraintRefused(kind=_NAMES[constraint.kind], reason=reason)
