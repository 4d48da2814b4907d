"""Beam search: at every step keep the few most probable texts so far, whatever their next token.

    logprobs [beam, d_vocab] --step--> candidates of this step: kept, ended or dropped
                                            ... until nothing can beat the texts that ended

Knows no model: who owns one gives the log-probabilities of the next token for the beams that are kept.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Fate = Literal["kept", "ended", "cut", "dropped"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One text that a step considered: a beam and one more token.

    Attributes:
        parent: Row of the beam it goes on from, among those kept by the step before; 0 in the first step.
        token_id: The token that is new.
        token_logprob: Log-probability of this token given all before it, nats.
        logprob: Log-probability of the whole continuation, nats.
        fate: "kept" as a beam, "ended" by an end-of-text token, "cut" at the length, or "dropped".
    """

    parent: int
    token_id: int
    token_logprob: float
    logprob: float
    fate: Fate


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One text that ended, or was cut at the length.

    Attributes:
        token_ids: Tokens of the continuation, with its end-of-text token where it has one.
        path: Index among the candidates of each step that it went through.
        logprob: Log-probability of all of it, nats.
        score: `logprob / n_tokens ** length_penalty`: what the search ranks by.
        is_cut: True if it was cut at the length instead of ending by itself.
    """

    token_ids: tuple[int, ...]
    path: tuple[int, ...]
    logprob: float
    score: float
    is_cut: bool


@dataclass(frozen=True, slots=True)
class _Beam:
    token_ids: tuple[int, ...] = ()
    path: tuple[int, ...] = ()


class BeamSearch:
    """One search, step by step.

    Args:
        n_beams: Number of texts that are kept.
        max_new_tokens: Steps at most.
        length_penalty: Exponent of the length that a log-probability is divided by: 0 compares the
            probabilities of whole texts, 1 the means of their tokens, more favours longer texts.
        eos_ids: Tokens that end a text.

    Example:
        >>> search = BeamSearch(2, max_new_tokens=2)
        >>> [candidate.token_id for candidate in search.step(np.log([[0.5, 0.4, 0.1]]))[:2]]
        [0, 1]
        >>> last = search.step(np.log([[0.4, 0.3, 0.3], [0.9, 0.05, 0.05]]))
        >>> best = search.hypotheses[0]  # greedy would have begun with token 0
        >>> best.token_ids, round(float(np.exp(best.logprob)), 2)
        ((1, 0), 0.36)

    Source:
        Lowerre 1976, "The HARPY Speech Recognition System"; end of the search and length penalty as
        transformers' `_beam_search` with `early_stopping=False`; Wu et al. 2016, arXiv:1609.08144, 7.
    """

    def __init__(
        self,
        n_beams: int,
        *,
        max_new_tokens: int,
        length_penalty: float = 1.0,
        eos_ids: Collection[int] = (),
    ) -> None:
        self.done = False
        self.hypotheses: tuple[Hypothesis, ...] = ()  # best first, at most n_beams
        self._n_beams = n_beams
        self._length_penalty = length_penalty
        self._max_new_tokens = max_new_tokens
        self._eos_ids = frozenset(eos_ids)
        self._n_steps = 0
        self._beams: list[_Beam] = [_Beam()]
        self._logprobs = np.zeros(1, np.float32)

    @property
    def last_token_ids(self) -> list[int]:
        """The newest token of each beam."""
        return [beam.token_ids[-1] for beam in self._beams]

    def step(self, logprobs: NDArray[np.floating]) -> tuple[Candidate, ...]:
        """Take one more token.

        Args:
            logprobs: Log-probabilities of the next token after each beam, nats; one row in the first step.
                Shape [beam, d_vocab].

        Returns:
            The candidates, most probable first: twice as many as there are beams (more when there are
            several end-of-text tokens), so that enough go on even if all the others end.
        """
        sums = logprobs + self._logprobs[:, None]
        n_considered = max(2, 1 + len(self._eos_ids)) * self._n_beams
        ranked = _top(sums.ravel(), n_considered)
        self._n_steps += 1
        n_kept, candidates = 0, []
        for rank, index in enumerate(ranked.tolist()):
            parent, token_id = divmod(index, logprobs.shape[1])
            fate: Fate = "dropped"
            if token_id in self._eos_ids or self._n_steps == self._max_new_tokens:
                over: Fate = "ended" if token_id in self._eos_ids else "cut"
                fate = over if rank < self._n_beams else "dropped"
            elif n_kept < self._n_beams:
                fate, n_kept = "kept", n_kept + 1
            candidates.append(
                Candidate(
                    parent, token_id, float(logprobs[parent, token_id]), float(sums[parent, token_id]), fate
                )
            )
        self._end(candidates)
        self._keep(candidates)
        return tuple(candidates)

    def _end(self, candidates: list[Candidate]) -> None:
        """Rank the candidates that ended among those that ended before."""
        length = self._n_steps**self._length_penalty
        new = [
            Hypothesis(
                *self._longer(candidate, index),
                candidate.logprob,
                candidate.logprob / length,
                candidate.fate == "cut",
            )
            for index, candidate in enumerate(candidates)
            if candidate.fate in ("ended", "cut")
        ]
        ranked = sorted([*self.hypotheses, *new], key=lambda hypothesis: -hypothesis.score)
        self.hypotheses = tuple(ranked[: self._n_beams])

    def _keep(self, candidates: list[Candidate]) -> None:
        """Go on with the candidates that are kept, unless nothing better can come."""
        kept = [(index, candidate) for index, candidate in enumerate(candidates) if candidate.fate == "kept"]
        self._beams = [_Beam(*self._longer(candidate, index)) for index, candidate in kept]
        self._logprobs = np.array([candidate.logprob for _index, candidate in kept], np.float32)
        if not kept:
            self.done = True
        elif len(self.hypotheses) == self._n_beams:
            best_possible = self._logprobs[0] / self._n_steps**self._length_penalty
            self.done = bool(best_possible <= self.hypotheses[-1].score)

    def _longer(self, candidate: Candidate, index: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        beam = self._beams[candidate.parent]
        return (*beam.token_ids, candidate.token_id), (*beam.path, index)


def _top(values: NDArray[np.floating], n: int) -> NDArray[np.int64]:
    """Indices of the n largest, largest first. Shape [n]."""
    n = min(n, len(values))
    indices = np.argpartition(-values, n - 1)[:n]
    ordered: NDArray[np.int64] = indices[np.argsort(-values[indices], kind="stable")]
    return ordered
