"""Bradley-Terry strengths of votes, with 95 % intervals, by Newton's method."""

import numpy as np

items = ["polite", "rude", "short", "long"]
wins = [[0, 9, 0, 0], [3, 0, 0, 0], [0, 0, 0, 7], [0, 0, 5, 0]]  # wins[i][j]: votes for i against j

wins = np.array(wins, dtype=float)
n = len(items)
votes = wins + wins.T
connected = np.linalg.matrix_power(np.eye(n) + votes, n) > 0  # directly, or over others
reached = np.linalg.matrix_power(np.eye(n) + wins, n) > 0
has_maximum = (reached == connected).all()
ties = 0.0 if has_maximum else 2.0  # of each item against an imagined one of strength 0
alike = connected / connected.sum(1) * has_maximum  # only differences mean something: the mean is 0


def probability(gap: np.ndarray) -> np.ndarray:
    """The chance to win of an item that is so much stronger."""
    return 1 / (1 + np.exp(-gap))


strengths = np.zeros(n)
for _ in range(100):
    chance, own = probability(strengths[:, None] - strengths), probability(strengths)
    score = wins.sum(1) - (votes * chance).sum(1) + ties * (0.5 - own)
    weights = votes * chance * (1 - chance)
    information = np.diag(weights.sum(1) + ties * own * (1 - own)) - weights
    strengths = strengths + np.linalg.solve(information + alike, score)
variances = np.diag(np.linalg.inv(information + alike) - alike)
half = 1.96 * np.sqrt(np.maximum(variances, 0))
for name, strength, side in zip(items, strengths, half, strict=True):
    print(f"{name}: {strength:+.2f} ({strength - side:+.2f} to {strength + side:+.2f})")
