"""Numbers in few bits: floats of any width and scaled integers, from a value to its bits and back.

    float    (-1)^sign · 1.mantissa · 2^(exponent - bias)    subnormal, exponent 0: 0.mantissa · 2^(1 - bias)
    integer  scale · code                                    code in two's complement

Source:
    IEEE 754-2019, sections 3.4 and 4.3.1 (round half to even);
    Micikevicius et al. 2022, "FP8 Formats for Deep Learning", arXiv:2209.05433, table 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Outcome = Literal["exact", "rounded", "vanishes", "overflows", "clipped", "nan"]
Values = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FloatFormat:
    """A floating-point format.

    Attributes:
        name: As it is called.
        n_exponent, n_mantissa: Bits of each; one more is the sign.
        has_infinity: False if only the pattern of all ones is no number, and the others of the highest
            exponent are numbers (E4M3); what is larger becomes the largest one, as in PyTorch.
    """

    name: str
    n_exponent: int
    n_mantissa: int
    has_infinity: bool = True

    @property
    def n_bits(self) -> int:
        """Bits of a number."""
        return 1 + self.n_exponent + self.n_mantissa

    @property
    def bias(self) -> int:
        """Taken from the stored exponent."""
        return int(2 ** (self.n_exponent - 1) - 1)

    @property
    def largest(self) -> float:
        """Largest number."""
        return float(self.decode(np.array([self._first_beyond - 1]))[0])

    @property
    def smallest_normal(self) -> float:
        """Smallest number with all bits of the mantissa."""
        return float(2.0 ** (1 - self.bias))

    @property
    def smallest(self) -> float:
        """Smallest number above 0."""
        return float(2.0 ** (1 - self.bias - self.n_mantissa))

    @property
    def _first_beyond(self) -> int:
        """First pattern, without sign, that is no finite number."""
        if self.has_infinity:
            return int((2**self.n_exponent - 1) << self.n_mantissa)
        return int(2 ** (self.n_exponent + self.n_mantissa) - 1)

    @property
    def _nan(self) -> int:
        if not self.has_infinity:
            return self._first_beyond
        return self._first_beyond + (1 << (self.n_mantissa - 1))

    def encode(self, values: Values) -> Codes:
        """Bit patterns of the nearest numbers, ties to even; the sign is the highest bit.

        Args:
            values: Shape [...].

        Returns:
            Shape [...].

        Example:
            >>> hex(FloatFormat("float16", 5, 10).encode(np.array([0.1]))[0])
            '0x2e66'
        """
        given = np.asarray(values, dtype=np.float64)
        magnitude = np.where(np.isfinite(given), np.abs(given), 0.0)
        least = 1 - self.bias
        exponents = np.where(magnitude > 0, np.maximum(np.frexp(magnitude)[1] - 1, least), least)
        steps = np.rint(np.ldexp(magnitude, self.n_mantissa - exponents)).astype(np.int64)
        patterns = ((exponents + self.bias - 1).astype(np.int64) << self.n_mantissa) + steps
        beyond = self._first_beyond if self.has_infinity else self._first_beyond - 1
        patterns = np.where((patterns >= beyond) | np.isinf(given), beyond, patterns)
        patterns = np.where(np.isnan(given), self._nan, patterns)
        codes: Codes = patterns | (np.signbit(given).astype(np.int64) << (self.n_bits - 1))
        return codes

    def decode(self, codes: Codes) -> Values:
        """Values of bit patterns.

        Args:
            codes: Shape [...].

        Returns:
            Shape [...].
        """
        given = np.asarray(codes, dtype=np.int64)
        patterns = given & (2 ** (self.n_bits - 1) - 1)
        exponents, mantissas = patterns >> self.n_mantissa, patterns & (2**self.n_mantissa - 1)
        is_normal = exponents > 0
        mantissas = mantissas + np.where(is_normal, 2**self.n_mantissa, 0)
        scales = np.where(is_normal, exponents, 1) - self.bias - self.n_mantissa
        values = np.ldexp(mantissas.astype(np.float64), scales.astype(np.int64))
        values = np.where(patterns > self._first_beyond, np.nan, values)
        values = np.where(patterns == self._first_beyond, np.inf if self.has_infinity else np.nan, values)
        return np.where(given >> (self.n_bits - 1) & 1, -values, values)


@dataclass(frozen=True, slots=True)
class IntFormat:
    """Integers times a scale, as weights are quantized per tensor and symmetrically.

    Attributes:
        name: As it is called.
        n_bits: Bits of a code.
        scale: Value of code 1.
    """

    name: str
    n_bits: int
    scale: float = 1.0

    @classmethod
    def over(cls, name: str, n_bits: int, largest: float) -> IntFormat:
        """The format whose largest code is the largest magnitude of a tensor."""
        scale = float(np.float32(largest / (2 ** (n_bits - 1) - 1)))
        return cls(name, n_bits, scale if scale > 0 and math.isfinite(scale) else 1.0)

    @property
    def largest(self) -> float:
        """Largest number."""
        return float(2 ** (self.n_bits - 1) - 1) * self.scale

    @property
    def smallest(self) -> float:
        """Smallest number above 0."""
        return self.scale

    @property
    def smallest_normal(self) -> float:
        """The same: every step is as wide as the first."""
        return self.scale

    def encode(self, values: Values) -> Codes:
        """Bit patterns of the nearest codes, ties to even; what is beyond is clipped, NaN becomes 0.

        Args:
            values: Shape [...].

        Returns:
            Shape [...].
        """
        given = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.0, posinf=np.inf, neginf=-np.inf)
        codes = np.rint(given / self.scale)
        half = 2 ** (self.n_bits - 1)
        found: Codes = np.clip(codes, -half, half - 1).astype(np.int64) & (2**self.n_bits - 1)
        return found

    def decode(self, codes: Codes) -> Values:
        """Values of bit patterns.

        Args:
            codes: Shape [...].

        Returns:
            Shape [...].
        """
        given = np.asarray(codes, dtype=np.int64)
        signed = given - ((given >> (self.n_bits - 1)) & 1) * 2**self.n_bits
        values: Values = signed * self.scale
        return values


NumberFormat = FloatFormat | IntFormat
FLOATS: Mapping[str, FloatFormat] = MappingProxyType(
    {
        "float32": FloatFormat("float32", 8, 23),
        "bfloat16": FloatFormat("bfloat16", 8, 7),
        "float16": FloatFormat("float16", 5, 10),
        "float8_e4m3": FloatFormat("float8 E4M3", 4, 3, has_infinity=False),
        "float8_e5m2": FloatFormat("float8 E5M2", 5, 2),
    }
)
INT_BITS: Mapping[str, int] = MappingProxyType({"int8": 8, "int4": 4})


@dataclass(frozen=True, slots=True)
class Stored:
    """One number in one format.

    Attributes:
        bits: Its pattern, highest bit first.
        value: Value of the pattern.
        outcome: Change of the number: none, rounded to the nearest, to 0, to infinity or to no number, or
            clipped to the last code.
        step: Distance from its value to the next larger magnitude, NaN where there is none.
    """

    bits: str
    value: float
    outcome: Outcome
    step: float


def formats_of(largest: float) -> dict[str, NumberFormat]:
    """All formats by id; integers with the scale of a tensor.

    Args:
        largest: Largest magnitude in the tensor.
    """
    ints = {name: IntFormat.over(name, n_bits, largest) for name, n_bits in INT_BITS.items()}
    return {**FLOATS, **ints}


def stored(number: float, kind: NumberFormat) -> Stored:
    """A number as a format keeps it.

    Example:
        >>> stored(70000.0, FLOATS["float16"])
        Stored(bits='0111110000000000', value=inf, outcome='overflows', step=nan)
    """
    code = kind.encode(np.array([number]))
    value = float(kind.decode(code)[0])
    bits = format(int(code[0]), f"0{kind.n_bits}b")
    return Stored(bits, value, _outcome(number, value, kind), _step(value, kind))


def value_of(bits: str, kind: NumberFormat) -> float:
    """The value of a pattern, highest bit first.

    Example:
        >>> value_of("01110101", FLOATS["float8_e4m3"])
        208.0
    """
    return float(kind.decode(np.array([int(bits, 2)]))[0])


def outcomes(values: NDArray[np.float32], kind: NumberFormat) -> dict[Outcome, int]:
    """Number of values with each outcome. `values` of shape [n]."""
    found = kind.decode(kind.encode(values.astype(np.float64)))
    counts: dict[Outcome, int] = {}
    for number, value in zip(values.astype(np.float64), found, strict=True):
        outcome = _outcome(float(number), float(value), kind)
        counts[outcome] = counts.get(outcome, 0) + 1
    return counts


def _outcome(number: float, value: float, kind: NumberFormat) -> Outcome:
    if math.isnan(number):
        return "nan"
    if number == value:
        return "exact"
    if not math.isfinite(value):
        return "overflows"
    if isinstance(kind, IntFormat) and abs(number) > (2 ** (kind.n_bits - 1) - 0.5) * kind.scale:
        return "clipped"
    if isinstance(kind, FloatFormat) and abs(number) >= kind.largest + _last_step(kind) / 2:
        return "clipped"
    return "vanishes" if value == 0 else "rounded"


def _last_step(kind: FloatFormat) -> float:
    """Distance of the largest number from the one before it."""
    return kind.largest - float(kind.decode(kind.encode(np.array([kind.largest])) - 1)[0])


def _step(value: float, kind: NumberFormat) -> float:
    if not math.isfinite(value) or abs(value) >= kind.largest:
        return math.nan
    if isinstance(kind, IntFormat):
        return kind.scale
    code = kind.encode(np.array([abs(value)]))
    return float(kind.decode(code + 1)[0] - abs(value))
