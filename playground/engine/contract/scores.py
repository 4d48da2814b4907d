"""The part of the engine contract that compares answers: in plain data."""

from __future__ import annotations

from dataclasses import dataclass

from playground.engine.contract.asked import Asked


@dataclass(frozen=True, slots=True)
class ScoreRequest(Asked):
    """A request for the log-probability of each candidate as the continuation of each text.

    Of an encoder-decoder the texts are sources, and each candidate is the beginning of a target.

    Attributes:
        model: Catalogue id of a decoder or an encoder-decoder.
        texts: Each a text or, where it has marks of its own (a chat template), its token ids.
        candidates: Those of each text; cut as they would stand after it, after token ids alone.
        following: Text after a candidate of each text: cut with it and not scored. () for nothing.
    """

    texts: tuple[str | tuple[int, ...], ...]
    candidates: tuple[tuple[str, ...], ...]
    following: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scores:
    """log p(candidate | text) of one text, one entry a candidate.

    Attributes:
        input_ids: Tokens of each candidate as the continuation of the text.
        token_logprobs: Log-probability in nats of each of those tokens given all before it.
        logprobs: Their sums.
    """

    input_ids: tuple[tuple[int, ...], ...]
    token_logprobs: tuple[tuple[float, ...], ...]
    logprobs: tuple[float, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes it keeps alive, roughly: an int or a float takes 32 bytes and its place 8."""
        return 200 + 80 * sum(map(len, self.input_ids))
