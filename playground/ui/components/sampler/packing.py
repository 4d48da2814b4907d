"""The logits on their way to the browser: sorted, lossless, 76 kB instead of 197 for 49,152 of them.

Sorted floats differ by little, so what travels is the difference of neighbouring bit patterns (as integers in
the order of the floats), Rice-coded: quotient by 2^r in unary, remainder in r bits, with the r of each block
of 256 chosen to need the fewest bits. Varints of the same differences take 96 kB, zlib of the floats 157.

Layout, little-endian: the largest pattern (int32), one byte r per block, then one bit stream, most
significant bit first: for each difference as many zeros as the quotient, a one, then the remainder.
`ranked.js` unpacks.

Source:
    Rice & Plaunt 1971, "Adaptive Variable-Length Coding for Efficient Compression of Spacecraft Television
    Data", IEEE Transactions on Communication Technology 19(6).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCK = 256
_MAX_R = 31


def pack(descending: NDArray[np.float32]) -> bytes:
    """Pack finite float32 values that never increase.

    Args:
        descending: The values. Shape [n], n >= 1.

    Raises:
        ValueError: A value is not finite, or larger than the one before.

    Example:
        >>> len(pack(np.linspace(10, -10, 10_000, dtype=np.float32))) < 20_000  # of 40,000
        True
    """
    if not np.isfinite(descending).all():
        raise ValueError("only finite values can be packed")
    bits = (descending + np.float32(0)).view(np.int32)
    ordered = (bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))).astype(np.int64)
    gaps = -np.diff(ordered)
    if (gaps < 0).any():
        raise ValueError("the values increase, expected them sorted from the largest")
    r = _best_r(gaps)
    head = np.array([ordered[0]], dtype="<i4").tobytes() + r.astype(np.uint8).tobytes()
    return head + _rice(gaps, np.repeat(r, BLOCK)[: len(gaps)])


def _best_r(gaps: NDArray[np.int64]) -> NDArray[np.int64]:
    """The remainder width of each block that needs the fewest bits. Shape [ceil(n / BLOCK)]."""
    n_blocks = -(-len(gaps) // BLOCK)
    padded = np.zeros(n_blocks * BLOCK, dtype=np.int64)
    padded[: len(gaps)] = gaps
    blocks = padded.reshape(n_blocks, BLOCK)
    n_bits = np.stack([(blocks >> r).sum(axis=1) + BLOCK * r for r in range(_MAX_R + 1)])
    best: NDArray[np.int64] = np.argmin(n_bits, axis=0)
    return best


def _rice(gaps: NDArray[np.int64], r: NDArray[np.int64]) -> bytes:
    """The bit stream: for each gap its quotient in unary, a one, its remainder in `r` bits."""
    quotient = gaps >> r
    ends = np.cumsum(quotient + 1 + r)
    stream = np.zeros(int(ends[-1]) if len(ends) else 0, dtype=np.uint8)
    stream[ends - r - 1] = 1
    for bit in range(int(r.max(initial=0))):
        has_bit = r > bit
        stream[ends[has_bit] - 1 - bit] = (gaps[has_bit] >> bit) & 1
    return np.packbits(stream).tobytes()
