"""A trained Transformer encoder-decoder in NumPy: self-attention, masked self-attention, cross-attention."""

import json
from pathlib import Path

import numpy as np
from safetensors import safe_open

file = "assets/trained/reverse-transformer/model.safetensors"
source = "sequence"

with safe_open(str(Path(file).expanduser()), "numpy") as opened:
    facts = json.loads(opened.metadata()["network"])
    w = {name: opened.get_tensor(name).astype(np.float32) for name in opened.keys()}  # noqa: SIM118
sources, targets = facts["source_characters"], facts["target_characters"]
n_heads, n_layers = 4, 2


def linear(name, x):  # noqa: ANN001, ANN201
    """X W + b."""
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def norm(name, x):  # noqa: ANN001, ANN201
    """Layer norm."""
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return x * w[f"{name}.weight"] + w[f"{name}.bias"]


def heads(x):  # noqa: ANN001, ANN201
    """Shape [place, d_model] -> [head, place, d_head]."""
    return x.reshape(len(x), n_heads, -1).transpose(1, 0, 2)


def attend(name, asks, seen, causal=False):  # noqa: ANN001, ANN201
    """Attention of every head: softmax(Q K / sqrt(d_head)) V, projected; and the weights."""
    q = heads(linear(f"{name}.query", asks))
    k, v = heads(linear(f"{name}.key", seen)), heads(linear(f"{name}.value", seen))
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
    if causal:
        scores = np.where(np.tri(len(asks), len(seen), dtype=bool), scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return linear(f"{name}.output", (weights @ v).transpose(1, 0, 2).reshape(len(asks), -1)), weights


def mlp(name, x):  # noqa: ANN001, ANN201
    """The MLP's part of a block."""
    return linear(f"{name}.down", np.maximum(linear(f"{name}.up", norm(f"{name}.mlp_norm", x)), 0))


def embedded(table, ids):  # noqa: ANN001, ANN201
    """Embeddings plus sinusoidal positions."""
    x = w[table][ids]
    rates = np.exp(np.arange(0, x.shape[1], 2) * (-np.log(10_000) / x.shape[1]))
    angles = np.arange(len(ids))[:, None] * rates
    return (x + np.stack([np.sin(angles), np.cos(angles)], -1).reshape(x.shape)).astype(np.float32)


stream = embedded("source_embedding.weight", [3 + sources.index(character) for character in source])
for layer in range(n_layers):
    block = f"encoder.{layer}"
    normed = norm(f"{block}.norm", stream)
    stream = stream + attend(f"{block}.own", normed, normed)[0]
    stream = stream + mlp(block, stream)
memory = norm("encoder_norm", stream)

ids = [1]  # 1 is the start, 2 the end
while ids[-1] != 2 and len(ids) < 120:
    stream = embedded("target_embedding.weight", ids)
    for layer in range(n_layers):
        block = f"decoder.{layer}"
        normed = norm(f"{block}.norm", stream)
        stream = stream + attend(f"{block}.own", normed, normed, causal=True)[0]
        mixed, cross = attend(f"{block}.cross", norm(f"{block}.cross_norm", stream), memory)
        stream = stream + mixed
        stream = stream + mlp(block, stream)
    logits = linear("output", norm("decoder_norm", stream))
    ids.append(int(logits[-1].argmax()))

chances = np.exp(logits - logits.max(-1, keepdims=True))
chances /= chances.sum(-1, keepdims=True)
alignment = cross.mean(0)  # of the last layer's heads: [step, source]
written = "".join(targets[one - 3] for one in ids if one > 2)
probabilities = [row[np.argsort(-row)[:5]] for row in chances]
for number, (row, weights) in enumerate(zip(chances, alignment, strict=True), 1):
    best, most = int(row.argmax()), int(weights.argmax())
    output = "■" if best == 2 else targets[best - 3]
    looks = f"looks most at {source[most]} with {weights[most]:.4f}"
    print(f"step {number}: writes {output} with {row[best]:.4f}, {looks}")
print(f"{source} -> {written}")
