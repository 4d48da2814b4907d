"""The share of pairs that a reward puts in the right order, with Wilson's 95 % interval."""

from math import sqrt

chosen = [2.0, 1.5, 0.3, 0.9]
rejected = [0.5, 1.0, 0.6, -0.2]

n = len(chosen)
right = sum((one > other) + 0.5 * (one == other) for one, other in zip(chosen, rejected, strict=True))
share, z = right / n, 1.96
middle = (share + z * z / (2 * n)) / (1 + z * z / n)
half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
low, high = max(0, middle - half), min(1, middle + half)
print(f"{right:g} of {n} pairs in the right order: {share:.1%} ({low:.1%} to {high:.1%})")
