"""Text that must match a form: a regular expression, or a JSON schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

ConstraintKind = Literal["regex", "json_schema"]
CONSTRAINT_KINDS: tuple[ConstraintKind, ...] = get_args(ConstraintKind)
MAX_SOURCE_CHARS = 16_384


@dataclass(frozen=True, slots=True)
class Constraint:
    """A form that a generated text must have, from its first character to its last.

    Each token is drawn from those alone that can still lead to a match, at the model's own proportions. The
    end of the text is among them only where the text matches already; where it can only end, it ends
    (`finish_reason` "matched"). A text that `max_new_tokens`, the context window or a stop string ends first
    is the beginning of a match: `Constrained.matches` says whether it is a whole one.

    Attributes:
        kind: "regex": Python's `re.fullmatch` of the text. "json_schema": JSON that is valid by it, as
            `json.dumps` writes it, with `", "` and `": "`, and properties in the order of the schema.
        source: The expression, or the schema as JSON, at most `MAX_SOURCE_CHARS` characters. What is not
            understood of either is refused by name, with `ConstraintRefused`.

    Example:
        >>> Constraint("regex", r"\\d{4}-\\d{2}-\\d{2}").kind
        'regex'
    """

    kind: ConstraintKind
    source: str


@dataclass(frozen=True, slots=True)
class Constrained:
    """A step of a text that must match: the part of the distribution that was allowed.

    Attributes:
        n_allowed: Number of tokens that could still lead to a match, ends of text included.
        mass: Their probability under the model itself, 0 to 1; the rest was ruled out.
        matches: True if the text, with this step's token, is a whole match; False where a stop string cuts
            it.
    """

    n_allowed: int
    mass: float
    matches: bool
