"""Types of the values of settings, and what they allow in words."""

from __future__ import annotations

import json
import unicodedata
from typing import Annotated, get_args

from pydantic import BeforeValidator, Field
from pydantic.fields import FieldInfo
from pydantic_settings import NoDecode


def _names(value: object) -> object:
    """`a, b` or `["a", "b"]` from the environment."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):  # no JSON, or one that nobody means
        return [name.strip() for name in value.split(",") if name.strip()]


# Types of values. Lower bounds keep the engine alive, upper ones catch a slip of the keyboard.
Count = Annotated[int, Field(ge=1, le=10**7)]
Size = Annotated[int, Field(ge=1, le=2**50)]  # bytes
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Share = Annotated[float, Field(gt=0, le=1)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]


def allowed(field: FieldInfo) -> str:
    """The values that a field allows, in words.

    Example:
        >>> from pydantic import create_model
        >>> allowed(create_model("Some", share=(Share, 0.5)).model_fields["share"])
        'a number above 0, at most 1'
    """
    if field.description:
        return field.description
    if field.annotation is bool:
        return "1 or 0"
    if choices := [choice for choice in get_args(field.annotation) if isinstance(choice, str)]:
        return f"one of {', '.join(choices)}"
    limits = {
        kind: getattr(bound, kind)
        for bound in field.metadata
        for kind in ("ge", "gt", "le")
        if hasattr(bound, kind)
    }
    if "le" not in limits:
        return "names with commas between them" if field.annotation == tuple[str, ...] else "a text"
    if field.annotation is float:
        low = f"above {limits['gt']:,}" if "gt" in limits else f"of at least {limits['ge']:,}"
        return f"a number {low}, at most {limits['le']:,}"
    return f"a whole number from {limits['ge']:,} to {limits['le']:,}"


def is_shown(char: str) -> bool:
    """True if a character leaves ink: not a space, a control, a joiner or a Hangul filler."""
    return unicodedata.category(char)[0] not in "ZC" and char not in "\u115f\u1160\u3164\uffa0"
