"""Networks that turn one sequence into another as tidy tables; column names stand here only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from playground.core.metrics.intervals import wilson_interval
from playground.core.seq2seq import contributions, relative_norms

Points = Sequence[tuple[int, float]]
Counts = Sequence[tuple[int, int, int]]  # length or step, right, asked


def steps(
    inputs: Sequence[str], outputs: Sequence[str], top: Sequence[Sequence[str]], probs: NDArray[np.float32]
) -> pd.DataFrame:
    """The steps of a decoder, one row per step and probable output.

    Args:
        inputs, outputs: Characters that were read and written.
        top: Labels of the most probable outputs of each step.
        probs: Their probabilities. Shape [step, top].

    Returns:
        step (from 1), input, output, rank (from 1), candidate, prob.
    """
    rows = [
        (step + 1, inputs[step], outputs[step], rank + 1, label, float(probs[step, rank]))
        for step, labels in enumerate(top)
        for rank, label in enumerate(labels)
    ]
    return pd.DataFrame(rows, columns=["step", "input", "output", "rank", "candidate", "prob"])


def alignment(
    outputs: Sequence[str],
    sources: Sequence[str],
    weights: NDArray[np.float32],
    scores: NDArray[np.float32] | None,
    states: NDArray[np.float32],
) -> pd.DataFrame:
    """An alignment, one row per step and source character.

    Args:
        outputs, sources: Characters.
        weights: Shape [step, source].
        scores: Scores before the softmax, None where they are not known. Shape [step, source].
        states: Encoder states. Shape [source, d_hidden].

    Returns:
        step (from 1), output, position (from 1), source, score (missing where not known), weight,
        part (length of weight times state).
    """
    n_steps, n_source = weights.shape
    parts = contributions(weights, states)
    return pd.DataFrame(
        {
            "step": np.repeat(np.arange(1, n_steps + 1), n_source),
            "output": np.repeat(np.array([*outputs], dtype=object), n_source),
            "position": np.tile(np.arange(1, n_source + 1), n_steps),
            "source": np.tile(np.array([*sources], dtype=object), n_steps),
            "score": np.nan if scores is None else scores.ravel().astype(np.float64),
            "weight": weights.ravel().astype(np.float64),
            "part": parts.ravel(),
        }
    )


def exact(series: Mapping[str, Counts], at: str = "length") -> pd.DataFrame:
    """Exact match of some networks, one row per network and length (or step), with 95 % intervals.

    Args:
        series: Name of each network -> length, pairs that are right, pairs that were asked.
        at: Name of the first column of numbers.

    Returns:
        series, length, n_right, n, share, low, high.
    """
    rows = [
        (name, length, n_right, n, n_right / n, *wilson_interval(n_right, n))
        for name, counts in series.items()
        for length, n_right, n in counts
        if n
    ]
    table = pd.DataFrame(rows, columns=["series", at, "n_right", "n", "share", "low", "high"])
    return table.astype({at: np.int64, "share": np.float64, "low": np.float64, "high": np.float64})


def gradients(series: Mapping[str, NDArray[np.float32]], sources: Sequence[str]) -> pd.DataFrame:
    """Effect of each source character on one output, one row per network and character.

    Args:
        series: Name of each network -> gradient norms. Shape [source].
        sources: Characters of the source.

    Returns:
        series, position (from 1), source, norm, relative (to the network's largest).
    """
    rows = [
        (name, place + 1, character, float(norm), float(share))
        for name, norms in series.items()
        for place, (character, norm, share) in enumerate(
            zip(sources, norms, relative_norms(norms), strict=True)
        )
    ]
    return pd.DataFrame(rows, columns=["series", "position", "source", "norm", "relative"])


def losses(series: Mapping[str, tuple[Points, Points]]) -> pd.DataFrame:
    """Losses of runs side by side, one row per run, step and kind of data.

    Args:
        series: Name of each run -> (step, training loss) and (step, held-out loss), nats per character.

    Returns:
        series, data (train, held_out), step, loss (missing where it is not finite).
    """
    rows = [
        (name, data, step, loss)
        for name, both in series.items()
        for data, points in zip(("train", "held_out"), both, strict=True)
        for step, loss in points
    ]
    table = pd.DataFrame(rows, columns=["series", "data", "step", "loss"])
    table = table.astype({"step": np.int64, "loss": np.float64})
    return table.assign(loss=table["loss"].where(np.isfinite(table["loss"])))


def costs(series: Mapping[str, Sequence[tuple[int, int, float]]]) -> pd.DataFrame:
    """Cost of one more step, one row per network and length.

    Args:
        series: Name of each network -> length, bytes that are kept, seconds of the step.

    Returns:
        series, length, n_bytes, ms.
    """
    rows = [
        (name, length, n_bytes, 1_000 * seconds)
        for name, points in series.items()
        for length, n_bytes, seconds in points
    ]
    table = pd.DataFrame(rows, columns=["series", "length", "n_bytes", "ms"])
    return table.astype({"length": np.int64, "n_bytes": np.int64, "ms": np.float64})


def writings(
    right: Sequence[str],
    forced: Sequence[tuple[str, str, float]],
    free: Sequence[tuple[str, str, float]],
) -> pd.DataFrame:
    """The right answer, and the same network teacher forced and free running, one row per mode and step.

    Args:
        right: Characters of the right answer, its end too.
        forced, free: Character that was read, that was written, and its probability, at each step.

    Returns:
        mode (right, forced, free), step (from 1), input, output, prob (1 for the right answer), is_right.
    """
    answer = [("", character, 1.0) for character in right]
    rows = [
        (mode, step, read, wrote, prob, step <= len(right) and wrote == right[step - 1])
        for mode, written in (("right", answer), ("forced", forced), ("free", free))
        for step, (read, wrote, prob) in enumerate(written, 1)
    ]
    return pd.DataFrame(rows, columns=["mode", "step", "input", "output", "prob", "is_right"])


def hypotheses(beams: Sequence[tuple[str, float, bool]]) -> pd.DataFrame:
    """Texts of a beam search, best first.

    Args:
        beams: Text, log-probability in nats, True if it ended by itself.

    Returns:
        rank (from 1), text, logprob, prob, is_whole.
    """
    rows = [
        (rank, text, logprob, float(np.exp(logprob)), is_whole)
        for rank, (text, logprob, is_whole) in enumerate(beams, 1)
    ]
    return pd.DataFrame(rows, columns=["rank", "text", "logprob", "prob", "is_whole"])
