"""RNN, GRU and LSTM cells, dot and additive attention, and the encoder and decoder made of them, in NumPy.

Weights are a mapping of names to arrays as the playground's safetensors files hold them; those of a cell are
named as in PyTorch. A decoder step with additive attention looks before its cell, with dot attention after.

Source:
    Elman 1990; Cho et al. 2014 (GRU, context vector); Hochreiter and Schmidhuber 1997 (LSTM);
    Bahdanau et al. 2015 (additive); Luong et al. 2015 (dot).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Weights = Mapping[str, Array]


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)), dtype=x.dtype)


def _sums(part: str, x: Array, h: Array, weights: Weights) -> tuple[Array, Array]:
    """W_ih x + b_ih and W_hh h + b_hh of a layer."""
    of_input = weights[f"{part}.weight_ih_l0"] @ x + weights[f"{part}.bias_ih_l0"]
    return of_input, weights[f"{part}.weight_hh_l0"] @ h + weights[f"{part}.bias_hh_l0"]


def rnn_cell(part: str, x: Array, h: Array, weights: Weights) -> Array:
    """h' = tanh(W x + U h + b).

    Args:
        part: "encoder" or "decoder".
        x: Input. Shape [d_input].
        h: State before. Shape [d_hidden].
        weights: Weights by name.

    Returns:
        State after. Shape [d_hidden].
    """
    of_input, of_state = _sums(part, x, h, weights)
    after: Array = np.tanh(of_input + of_state)
    return after


def gru_cell(part: str, x: Array, h: Array, weights: Weights) -> Array:
    """h' = (1 - z) n + z h: the gate z keeps the old state, the gate r hides it from the new one n.

    Args:
        part: "encoder" or "decoder".
        x: Input. Shape [d_input].
        h: State before. Shape [d_hidden].
        weights: Weights by name.

    Returns:
        State after. Shape [d_hidden].
    """
    of_input, of_state = _sums(part, x, h, weights)
    (r_x, z_x, n_x), (r_h, z_h, n_h) = np.split(of_input, 3), np.split(of_state, 3)
    r, z = _sigmoid(r_x + r_h), _sigmoid(z_x + z_h)
    n = np.tanh(n_x + r * n_h)
    after: Array = (1 - z) * n + z * h
    return after


def lstm_cell(part: str, x: Array, h: Array, c: Array, weights: Weights) -> tuple[Array, Array]:
    """c' = f c + i g, h' = o tanh(c'): the cell state c is only multiplied and added to.

    Args:
        part: "encoder" or "decoder".
        x: Input. Shape [d_input].
        h, c: Both states before. Shape [d_hidden].
        weights: Weights by name.

    Returns:
        Both states after. Shape [d_hidden] each.
    """
    of_input, of_state = _sums(part, x, h, weights)
    i, f, g, o = np.split(of_input + of_state, 4)
    c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
    after: Array = _sigmoid(o) * np.tanh(c)
    return after, c


def dot_scores(states: Array, query: Array) -> Array:
    """Dot product of each encoder state with the decoder's state.

    Args:
        states: Shape [source, d_hidden].
        query: Shape [d_hidden].

    Returns:
        Shape [source].
    """
    scores: Array = states @ query
    return scores


def additive_scores(states: Array, query: Array, weights: Weights) -> Array:
    """v . tanh(W query + U state) of each encoder state.

    Args:
        states: Shape [source, d_hidden].
        query: State of the decoder before its step. Shape [d_hidden].
        weights: Weights by name.

    Returns:
        Shape [source].
    """
    both = weights["query.weight"] @ query + states @ weights["key.weight"].T
    scores: Array = np.tanh(both) @ weights["fit.weight"][0]
    return scores


def attend(scores: Array, states: Array) -> tuple[Array, Array]:
    """Softmax of the scores, and the states mixed by it.

    Args:
        scores: Shape [source].
        states: Shape [source, d_hidden].

    Returns:
        Weights, shape [source], and context vector, shape [d_hidden].
    """
    raised = np.exp(scores - scores.max())
    shares: Array = raised / raised.sum()
    context: Array = shares @ states
    return shares, context


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """An encoder's states.

    Attributes:
        states: Shape [source, d_hidden].
        cells: The second states of an LSTM, else None. Shape [source, d_hidden].
    """

    states: Array
    cells: Array | None


@dataclass(frozen=True, slots=True, eq=False)
class Writing:
    """Steps of a decoder.

    Attributes:
        states: Shape [step, d_hidden].
        contexts: Shape [step, d_hidden].
        weights: None without attention. Shape [step, source].
        logits: Shape [step, d_vocab].
    """

    states: Array
    contexts: Array
    weights: Array | None
    logits: Array


def _cell(kind: str, part: str, x: Array, state: tuple[Array, ...], weights: Weights) -> tuple[Array, ...]:
    if kind == "lstm":
        return lstm_cell(part, x, state[0], state[1], weights)
    return ((gru_cell if kind == "gru" else rnn_cell)(part, x, state[0], weights),)


def read(kind: str, source_ids: Sequence[int], weights: Weights) -> Reading:
    """Read a source, character after character.

    Args:
        kind: "rnn", "gru" or "lstm".
        source_ids: Ids of the characters.
        weights: Weights by name.

    Returns:
        All states. Shape [source, d_hidden] each.
    """
    d_hidden = weights["encoder.weight_hh_l0"].shape[1]
    state = (np.zeros(d_hidden, np.float32),) * (2 if kind == "lstm" else 1)
    states = []
    for one in source_ids:
        state = _cell(kind, "encoder", weights["source_embedding.weight"][one], state, weights)
        states.append(state)
    return Reading(
        np.stack([one[0] for one in states]),
        np.stack([one[1] for one in states]) if kind == "lstm" else None,
    )


def write(kind: str, attention: str, reading: Reading, input_ids: Sequence[int], weights: Weights) -> Writing:
    """Write a target, reading one character of it per step; the first is the start.

    Args:
        kind: "rnn", "gru" or "lstm".
        attention: "none", "dot" or "additive".
        reading: The source that was read.
        input_ids: Ids that the decoder reads.
        weights: Weights by name.

    Returns:
        Its steps. Shape [step, ...] each.
    """
    source = reading.states
    state: tuple[Array, ...] = (source[-1],) if reading.cells is None else (source[-1], reading.cells[-1])
    steps = []
    for one in input_ids:
        x, shares, context = weights["target_embedding.weight"][one], None, source[-1]
        if attention == "dot":
            state = _cell(kind, "decoder", x, state, weights)
            shares, context = attend(dot_scores(source, state[0]), source)
        else:
            if attention == "additive":
                shares, context = attend(additive_scores(source, state[0], weights), source)
            state = _cell(kind, "decoder", np.concatenate([x, context]), state, weights)
        both = np.concatenate([state[0], context])
        hidden = np.tanh(weights["readout.weight"] @ both + weights["readout.bias"])
        steps.append((state[0], context, shares, weights["output.weight"] @ hidden + weights["output.bias"]))
    states, contexts, all_shares, logits = zip(*steps, strict=True)
    mixed = None if attention == "none" else np.stack(all_shares)
    return Writing(np.stack(states), np.stack(contexts), mixed, np.stack(logits))
