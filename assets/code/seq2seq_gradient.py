"""How much each character of a source still moves the last output: the norms of its gradient."""

import json
from pathlib import Path

import torch
from safetensors import safe_open

file = "assets/trained/reverse-rnn-none/model.safetensors"
source = "sequencetosequence"

with safe_open(str(Path(file).expanduser()), "pt") as opened:
    facts = json.loads(opened.metadata()["network"])
    w = {name: opened.get_tensor(name).float() for name in opened.keys()}  # noqa: SIM118
kind, attention = (facts["settings"]["network"][name] for name in ("kind", "attention"))
ids = [3 + facts["source_characters"].index(character) for character in source]


def cell(part, x, state):  # noqa: ANN001, ANN201
    """One step of a cell; the state is h, of an LSTM h and c."""
    weights = [w[f"{part}.{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    if kind == "lstm":
        return torch.lstm_cell(x, state, *weights)
    return ((torch.gru_cell if kind == "gru" else torch.rnn_tanh_cell)(x, state[0], *weights),)


def look(h):  # noqa: ANN001, ANN201
    """The context vector of a decoder state."""
    if attention == "none":
        return states[-1]
    if attention == "dot":
        scores = (states @ h[0, :, None])[:, 0, 0]
    else:
        both = h @ w["query.weight"].T + (states @ w["key.weight"].T)[:, 0]
        scores = (torch.tanh(both) @ w["fit.weight"].T)[:, 0]
    return (scores.softmax(0)[:, None, None] * states).sum(0)


embedded = w["source_embedding.weight"][ids].clone().requires_grad_()
state = (torch.zeros(1, w["encoder.weight_hh_l0"].shape[1]),) * (2 if kind == "lstm" else 1)
states = []
for x in embedded:
    state = cell("encoder", x[None], state)
    states.append(state[0])
states = torch.stack(states)  # [source, 1, d_hidden]

last, n = 1, 0  # 1 is the start, 2 the end
while last != 2 and n < 120:
    x = w["target_embedding.weight"][last][None]
    if attention == "dot":
        state = cell("decoder", x, state)
        context = look(state[0])
    else:
        context = look(state[0])
        state = cell("decoder", torch.cat([x, context], -1), state)
    mixed = torch.cat([state[0], context], -1) @ w["readout.weight"].T + w["readout.bias"]
    logits = (torch.tanh(mixed) @ w["output.weight"].T + w["output.bias"])[0]
    last, n = int(logits.argmax()), n + 1

logits[last].backward()
norms = embedded.grad.norm(dim=-1).tolist()
for character, norm in zip(source, norms, strict=True):
    print(f"{character} {norm:.3e}")
