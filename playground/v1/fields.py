"""Fields of a request, read by name and type: what is not on the list is refused by its name."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from playground.core.tokens import well_formed
from playground.v1.refusals import Refused, bad_value, shown

LARGEST = 2**64  # no number of a request is larger
MAX_NESTING = 64  # lists and objects within one another: a schema may have 24 of its own, and twice as many


def body_of(data: bytes) -> dict[str, Any]:
    """The JSON object that a request sent.

    Raises:
        Refused: It is none.
    """
    try:
        body = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Refused(
            400, 'The body is no JSON: send an object such as {"model": "..."}.', code="invalid_json"
        ) from None
    if _is_deeper(body, MAX_NESTING):
        raise Refused(
            400, f"Lists and objects of the body are more than {MAX_NESTING} deep: send them flatter.",
            code="invalid_json",
        )  # fmt: skip
    if not isinstance(body, dict):
        raise Refused(400, f"The body is {shown(body)}, but it must be a JSON object.", code="invalid_json")
    return body


def _is_deeper(value: object, most: int) -> bool:
    """True if more than `most` lists and objects stand within one another; without recursion."""
    level = [value]
    for _depth in range(most + 1):
        within = [one for one in level if isinstance(one, list | dict)]
        if not within:
            return False
        level = [one for many in within for one in (many.values() if isinstance(many, dict) else many)]
    return True


def _no_number(name: str) -> object:
    raise ValueError(name)


class Fields:
    """The fields of one JSON object; null is as good as absent.

    Args:
        given: The object.
        known: Names of the fields that are understood.
        within: Name of the field that holds the object, "" for the body.

    Raises:
        Refused: A field is not known.
    """

    def __init__(self, given: Mapping[str, Any], known: Collection[str], within: str = "") -> None:
        self._within = within
        self._given = {name: value for name, value in given.items() if value is not None}
        for name in self._given:
            if name not in known:
                named = self.name(name if len(name) <= 60 else name[:60] + "…")
                raise Refused(
                    400, f"{named} is not supported here: leave it out. Supported are {', '.join(known)}.",
                    param=named, code="unsupported_parameter",
                )  # fmt: skip

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def name(self, name: str) -> str:
        """The field with the path to it."""
        return f"{self._within}.{name}" if self._within else name

    def any(self, name: str) -> Any:  # noqa: ANN401 - whatever was sent
        """The value as it was sent; None if there is none."""
        return self._given.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        """A text.

        Raises:
            Refused: It is none, or missing without a default.
        """
        value = self._given.get(name, default)
        if value is None:
            raise Refused(
                400, f"{self.name(name)} is missing: send it.", param=self.name(name), code="missing"
            )
        if not isinstance(value, str):
            raise self.refusal(name, "a text")
        return well_formed(value)

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = self._given.get(name, default)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or not low <= value <= high:
            raise self.refusal(name, f"a whole number from {low:,} to {high:,}")
        return int(value)

    def number(self, name: str, default: float) -> float:
        """A number; its bounds are the engine's."""
        value = self._given.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refusal(name, "a number")
        if abs(value) > LARGEST:
            raise self.refusal(name, "a smaller number")
        return float(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false."""
        value = self._given.get(name, default)
        if not isinstance(value, bool):
            raise self.refusal(name, "true or false")
        return value

    def choice(self, name: str, default: str, choices: Collection[str]) -> str:
        """One of some words."""
        value = self._given.get(name, default)
        if not isinstance(value, str) or value not in choices:
            raise self.refusal(name, " or ".join(map(repr, choices)))
        return value

    def object(self, name: str, known: Collection[str]) -> Fields | None:
        """The fields of an object; None if there is none."""
        value = self._given.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.refusal(name, "an object")
        return Fields(value, known, self.name(name))

    def refusal(self, name: str, allowed: str) -> Refused:
        """The error of a field whose value cannot be."""
        return bad_value(self.name(name), self._given.get(name), allowed)


def list_of(value: object, kind: type) -> bool:
    """True of a list whose elements are all of this type; true and false are no numbers."""
    return isinstance(value, list) and all(
        isinstance(one, kind) and not (kind is int and isinstance(one, bool)) for one in value
    )
