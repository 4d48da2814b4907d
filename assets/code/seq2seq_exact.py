"""Exact match by length of the source: held-out pairs, each written by the network in NumPy."""

from numpy_network import Network

from playground.core.pairs.sets import of_length  # the pairs that no network is trained on

file = "assets/trained/reverse-gru-additive/model.safetensors"
data = "reverse"
lengths = [5, 10, 20, 30]
n_each = 50
seed = 0

network = Network(file)
shares = []
for length in lengths:
    pairs = of_length(data, length, n_each, seed)
    right = sum(network.write(pair.source, len(pair.target) + 1)[0] == pair.target for pair in pairs)
    shares.append(right / len(pairs))
    print(f"{length:3} characters: {right} of {len(pairs)} pairs are written exactly ({shares[-1]:.0%})")
