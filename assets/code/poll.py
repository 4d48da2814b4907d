"""The votes of a class: shares, and how sure they are for so few."""

from math import sqrt

options = ["·London", "·Paris", "·the"]
votes = [18, 7, 3]
measures = [0.589, 0.013, 0.082]

n = sum(votes)


def wilson(share: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share, Wilson 1927."""
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


shares = [count / n for count in votes] if n else []
intervals = [wilson(share, n) for share in shares]
for option, count, share, (low, high) in zip(options, votes, shares, intervals, strict=True):
    print(f"{option}: {count} of {n} = {share:.1%}, 95 % interval {low:.0%} to {high:.0%}")
if measures:
    print("the model's first:", options[measures.index(max(measures))])
