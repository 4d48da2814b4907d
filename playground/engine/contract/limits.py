"""Limits of a request that need no model: refused before anything is sent or queued."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real

from playground.core import penalties
from playground.core.sampling import ORDERS, limits_in
from playground.engine.contract.constraints import CONSTRAINT_KINDS, MAX_SOURCE_CHARS, Constraint
from playground.engine.contract.generation import GenerateRequest
from playground.errors import BadValue, TextTooLong
from playground.settings import Settings


def check_settings(request: GenerateRequest, settings: Settings) -> None:
    """Refuse a generation whose settings cannot be.

    Raises:
        BadValue: A setting is out of range, or NaN.
        TextTooLong: The source of the constraint is too large.
    """
    chosen = request.sampling
    if chosen.order not in ORDERS:
        raise BadValue(name="order", value=repr(chosen.order), allowed=", ".join(ORDERS))
    _check_stop(request.stop, settings)
    if request.constraint is not None:
        check_constraint(request.constraint)
    check_limits(
        {name: (getattr(chosen, name), *both) for name, both in limits_in(chosen.order).items()}
        | {name: (getattr(request.penalties, name), *both) for name, both in penalties.LIMITS.items()}
        | {
            "seed": (request.seed, 0, 2**64 - 1),
            "n_drawn": (request.n_drawn, 0, settings.max_new_tokens),
            "max_new_tokens": (request.max_new_tokens, 1, settings.max_new_tokens),
            "n_top": (request.n_top, 1, 1_000),
        }
    )


def _check_stop(stop: tuple[str, ...], settings: Settings) -> None:
    """Refuse too many stop strings, and one that is empty or too long; also what is no tuple of strings."""
    if not isinstance(stop, tuple) or len(stop) > settings.max_stop_strings:
        raise BadValue(name="stop", value=repr(stop)[:40], allowed=f"0-{settings.max_stop_strings} strings")
    for string in stop:
        if not isinstance(string, str) or not 0 < len(string) <= settings.max_stop_chars:
            allowed = f"1-{settings.max_stop_chars} characters"
            raise BadValue(name="stop", value=repr(string)[:40], allowed=allowed)


def check_constraint(constraint: Constraint) -> None:
    """Refuse a constraint of an unknown kind, or without a source, or with too large a one."""
    if constraint.kind not in CONSTRAINT_KINDS:
        allowed = ", ".join(CONSTRAINT_KINDS)
        raise BadValue(name="constraint", value=repr(constraint.kind)[:40], allowed=allowed)
    source = constraint.source
    if not isinstance(source, str) or not source:
        raise BadValue(name="constraint", value=repr(source)[:40], allowed=f"1-{MAX_SOURCE_CHARS}")
    if len(source) > MAX_SOURCE_CHARS:
        raise TextTooLong(limit=MAX_SOURCE_CHARS, got=len(source))


def check_limits(limits: Mapping[str, tuple[float, float, float]]) -> None:
    """Refuse values outside their limits.

    Args:
        limits: Name -> its value, the least and the most that it may be. Where the least is an `int`, the
            value must be a whole number of a whole type: 2.0 is none. True and False are no numbers.

    Raises:
        BadValue: A value is out of range, NaN, or not a number.

    Example:
        >>> check_limits({"seed": (7, 0, 10), "top_p": (0.5, 1e-6, 1.0)})
        >>> check_limits({"seed": (7.0, 0, 10)})
        Traceback (most recent call last):
            ...
        playground.errors.inputs.BadValue: seed is 7.0, but only 0-10 is possible here.
    """
    for name, (value, low, high) in limits.items():
        kind = Integral if isinstance(low, int) else Real
        is_number = isinstance(value, kind) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:  # also false for NaN
            raise BadValue(name=name, value=value, allowed=f"{low}-{high}")
