"""log p(candidate | source) with an encoder-decoder: a row a candidate, a few rows a turn."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import torch

from playground.core.byte_cache import ByteCache
from playground.engine.contract.scores import Scores
from playground.engine.forward.scoring import Text
from playground.engine.forward.traces import pad
from playground.engine.forward.two_stacks import read_source, read_target, vocabulary_logits
from playground.engine.models.finite import check_finite
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.targets import target_start
from playground.engine.scheduling.jobs import More

Ids = tuple[int, ...]


class TargetScoringWork:
    """Payload of the job that scores candidates as beginnings of targets; nothing is kept between its turns.

    What it gives is the list of scores itself, which grows at its end, as `ScoringWork` does.

    Args:
        loaded: An encoder-decoder.
        texts: Token ids of each source and of its candidates.
        keys: Key of each text in the cache.
        cache: Cache of scores.
        piece: Tokens a turn, but one candidate at least.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        texts: Sequence[Text],
        keys: Sequence[Hashable],
        cache: ByteCache[Any],
        piece: int,
    ) -> None:
        self._loaded, self._keys, self._cache, self._piece = loaded, keys, cache, piece
        known = {key: scores for key in keys if (scores := cache.get(key)) is not None}
        self._known: dict[Hashable, Scores] = known
        self._texts = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        self._rows = [(key, one) for key, text in self._texts.items() for one in text[1]]
        self._parts: dict[Hashable, list[tuple[float, ...]]] = {key: [] for key in self._texts}
        self._n_read = 0
        self.found: list[Scores] = []

    @property
    def n_forwards(self) -> int:
        """Number of forward passes of the next turn."""
        return int(self._n_read < len(self._rows))

    @property
    def n_tokens(self) -> int:
        """Tokens of the next turn, as `_size` counts."""
        return self._size(self._n_next())

    def run(self) -> More | list[Scores]:
        """Read the next candidates; give the scores of all texts that are known by then."""
        if not self._n_read and None not in (known := [self._cache.get(key) for key in self._keys]):
            return [scores for scores in known if scores is not None]  # somebody else was quicker
        rows = self._rows[self._n_read : self._n_read + self._n_next()]
        if rows:
            for (key, _candidate), values in zip(rows, self._read(rows), strict=True):
                self._parts[key].append(values)
            self._n_read += len(rows)
        for key in self._keys[len(self.found) :]:
            scores = self._known.get(key) or self._computed(key)
            if scores is None:
                break
            self._cache.put(key, scores)
            self.found.append(scores)
        return self.found if self._n_read == len(self._rows) else More(self.found, self.n_tokens)

    def _computed(self, key: Hashable) -> Scores | None:
        """Scores of a text, once all its candidates have been read."""
        candidates, parts = self._texts[key][1], tuple(self._parts[key])
        if len(parts) < len(candidates):
            return None
        self._known[key] = Scores(candidates, parts, tuple(map(sum, parts)))
        return self._known[key]

    def _n_next(self) -> int:
        """Number of rows of the next turn."""
        left = len(self._rows) - self._n_read
        n = min(1, left)
        while n < left and self._size(n + 1) <= self._piece:
            n += 1
        return n

    def _size(self, n: int) -> int:
        """Tokens of the next n rows with their padding; one of a source costs a row a quarter of its own."""
        rows = self._rows[self._n_read : self._n_read + n]
        longest = max((len(candidate) for _key, candidate in rows), default=0)
        source = max((len(self._texts[key][0]) for key, _candidate in rows), default=0)
        return n * (longest + source // 4)

    def _read(self, rows: Sequence[tuple[Hashable, Ids]]) -> list[tuple[float, ...]]:
        """Log-probability in nats of every token of these candidates."""
        loaded, device = self._loaded, self._loaded.device
        places = {key: place for place, key in enumerate(dict.fromkeys(key for key, _candidate in rows))}
        ids, mask = pad([self._texts[key][0] for key in places], device)
        source = read_source(loaded, ids, mask).repeated([places[key] for key, _candidate in rows])
        start = target_start(loaded)
        target_ids, _mask = pad([(*start, *candidate[:-1]) for _key, candidate in rows], device)
        states = read_target(loaded, target_ids, source, use_cache=False).last_hidden_state
        found = []
        for own, (_key, candidate) in zip(states, rows, strict=True):
            first = len(start) - 1
            logits = vocabulary_logits(loaded, own[first : first + len(candidate)])
            check_finite(loaded, logits)
            chosen = torch.tensor(candidate, device=device)[:, None]
            found.append(tuple(torch.log_softmax(logits, -1).gather(1, chosen)[:, 0].tolist()))
        return found
