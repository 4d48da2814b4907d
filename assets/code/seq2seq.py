"""A trained encoder and decoder in NumPy: every cell, the attention, the context vector, the output."""

import numpy as np
from numpy_network import Network

file = "assets/trained/dates-gru-additive/model.safetensors"
source = "May 5, 2026"

network = Network(file)
written, steps = network.write(source)
alignment, probabilities = [], []
for number, (logits, context, scores, weights) in enumerate(steps, 1):
    chances = np.exp(logits - logits.max())
    chances /= chances.sum()
    best = np.argsort(-chances)[:5]
    probabilities.append(chances[best])
    top = ", ".join(f"{'∅▷■'[i] if i < 3 else network.targets[i - 3]} {chances[i]:.4f}" for i in best)
    if weights is None:
        print(f"step {number}: context {np.linalg.norm(context):.4f} long; {top}")
    else:
        alignment.append(weights)
        most = int(weights.argmax())
        looks = f"{source[most]} (character {most + 1}): score {scores[most]:.3f}, weight {weights[most]:.4f}"
        print(f"step {number}: looks at {looks}; {top}")
print(f"{source} -> {written}")
