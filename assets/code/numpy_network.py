import json
from pathlib import Path

import numpy as np
from safetensors import safe_open


class Network:
    """A trained encoder and decoder in NumPy: RNN, GRU or LSTM; dot, additive or no attention."""

    def __init__(self, file):  # noqa: ANN001, ANN204
        with safe_open(str(Path(file).expanduser()), "numpy") as opened:
            facts = json.loads(opened.metadata()["network"])
            self.w = {name: opened.get_tensor(name).astype(np.float32) for name in opened.keys()}  # noqa: SIM118
        shape = facts["settings"]["network"]
        self.kind, self.attention = shape["kind"], shape["attention"]
        self.sources, self.targets = facts["source_characters"], facts["target_characters"]

    def cell(self, part, x, state):  # noqa: ANN001, ANN201
        """One step of the encoder's or the decoder's cell: the state is h, of an LSTM h and c."""
        h = state[0]
        from_x = self.w[f"{part}.weight_ih_l0"] @ x + self.w[f"{part}.bias_ih_l0"]
        from_h = self.w[f"{part}.weight_hh_l0"] @ h + self.w[f"{part}.bias_hh_l0"]
        if self.kind == "rnn":
            return (np.tanh(from_x + from_h),)
        if self.kind == "gru":  # reset, update, candidate
            (r_x, z_x, n_x), (r_h, z_h, n_h) = np.split(from_x, 3), np.split(from_h, 3)
            reset, update = sigmoid(r_x + r_h), sigmoid(z_x + z_h)
            return ((1 - update) * np.tanh(n_x + reset * n_h) + update * h,)
        i, f, g, o = np.split(from_x + from_h, 4)  # input, forget, candidate, output
        c = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    def read(self, text):  # noqa: ANN001, ANN201
        """All encoder states [source, d_hidden], and the last state with which the decoder begins."""
        d_hidden = self.w["encoder.weight_hh_l0"].shape[1]
        state = (np.zeros(d_hidden, np.float32),) * (2 if self.kind == "lstm" else 1)
        states = []
        for character in text:
            x = self.w["source_embedding.weight"][3 + self.sources.index(character)]  # 3 marks come first
            state = self.cell("encoder", x, state)
            states.append(state[0])
        return np.array(states), state

    def look(self, h, states):  # noqa: ANN001, ANN201
        """Scores of the source states for a decoder state, their softmax, and the weighted sum."""
        if self.attention == "dot":
            scores = states @ h
        else:
            both = self.w["query.weight"] @ h + states @ self.w["key.weight"].T
            scores = np.tanh(both) @ self.w["fit.weight"][0]
        weights = np.exp(scores - scores.max())
        weights /= weights.sum()
        return scores, weights, weights @ states

    def step(self, last, state, states):  # noqa: ANN001, ANN201
        """One decoder step: logits, the next state, context vector, scores and weights."""
        x, scores, weights, context = self.w["target_embedding.weight"][last], None, None, states[-1]
        if self.attention == "dot":  # Luong: looks after the cell
            state = self.cell("decoder", x, state)
            scores, weights, context = self.look(state[0], states)
        else:
            if self.attention == "additive":  # Bahdanau: looks before the cell
                scores, weights, context = self.look(state[0], states)
            state = self.cell("decoder", np.concatenate([x, context]), state)
        mixed = self.w["readout.weight"] @ np.concatenate([state[0], context]) + self.w["readout.bias"]
        logits = self.w["output.weight"] @ np.tanh(mixed) + self.w["output.bias"]
        return logits, state, context, scores, weights

    def write(self, text, most=120):  # noqa: ANN001, ANN201
        """What it writes, greedily and free running, and (logits, context, scores, weights) of each step."""
        states, state = self.read(text)
        last, ids, steps = 1, [], []  # 1 is the start, 2 the end
        while last != 2 and len(ids) < most:
            logits, state, *seen = self.step(last, state, states)
            last = int(logits.argmax())
            ids.append(last)
            steps.append((logits, *seen))
        return "".join(self.targets[one - 3] for one in ids if one > 2), steps


def sigmoid(x):  # noqa: ANN001, ANN201
    """1 / (1 + e^-x)."""
    return 1 / (1 + np.exp(-x))
