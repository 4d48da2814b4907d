"""Written answers with a reward on a leash: each a sample of the reference, tilted by exp(reward / beta)."""

import numpy as np
import regex

answers = ["Paris.", "It is Paris, the city of light."]
kind = "characters"  # or "words", "mentions", "pattern"
wanted = ""
sign = 1
betas = [0.1, 0.3, 1.0, 3.0, 10.0]


def reward(text: str) -> float:
    """The reward of a text."""
    counts = {
        "characters": lambda: len(text),
        "words": lambda: len(text.split()),
        "mentions": lambda: text.casefold().count(wanted.casefold()),
        "pattern": lambda: sum(match.start() < match.end() for match in regex.finditer(wanted, text)),
    }
    return sign * counts[kind]()


rewards = np.array([reward(text) for text in answers], dtype=float)
reference = np.full(len(answers), -np.log(len(answers)))  # every sample stands for as much
table = {}
for beta in betas:
    tilted = reference + rewards / beta
    tilted -= np.logaddexp.reduce(tilted)
    kl = float((np.exp(tilted) * (tilted - reference)).sum())
    table[beta] = np.exp(tilted).tolist()
    print(f"beta {beta:5}: expected reward {np.exp(tilted) @ rewards:8.3f}, KL {kl:6.3f} nats")
