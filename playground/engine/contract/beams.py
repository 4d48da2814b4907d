"""The part of the engine contract that searches for the most probable continuation: in plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from playground.core.beams import Candidate, Hypothesis
from playground.engine.contract.asked import Asked


@dataclass(frozen=True, slots=True)
class BeamsRequest(Asked):
    """Search for the most probable continuation, or target of an encoder-decoder's source.

    Attributes:
        model: Catalogue id of a decoder or an encoder-decoder.
        text, input_ids: As in `TraceRequest`.
        n_beams: Number of texts kept at every step.
        length_penalty: As in `core.beams`.
        max_new_tokens: Steps at most.
    """

    text: str = ""
    input_ids: tuple[int, ...] | None = None
    n_beams: int = 4
    length_penalty: float = 1.0
    max_new_tokens: int = 24
    topic: str = field(default="beams", kw_only=True)


@dataclass(frozen=True, slots=True)
class BeamStep:
    """One step of a search.

    Attributes:
        candidates: The candidates, most probable first.
        hypotheses: The best texts that have ended so far, best first.
        done: True if this was the last step.
    """

    candidates: tuple[Candidate, ...]
    hypotheses: tuple[Hypothesis, ...]
    done: bool
