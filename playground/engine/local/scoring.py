"""Scores of candidates as continuations of texts: tree by tree, each in pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice

from playground.engine.contract.scores import Scores
from playground.engine.forward.scoring import SMALL, ScoringWork, Text, groups, most_nodes, score_key
from playground.engine.forward.target_scoring import TargetScoringWork
from playground.engine.local.ask import Ask, Backend


def score(ask: Ask, backend: Backend, texts: Sequence[Text]) -> Iterator[tuple[int, Scores]]:
    """Give every text the scores of its candidates, in the texts' order, as they are known.

    Args:
        ask: A request to a decoder or an encoder-decoder.
        backend: The backend that computes it, with its limits on a tree and its cache.
        texts: Token ids of each text and of its candidates.
    """
    places = count()
    if ask.loaded.info.kind == "encoder-decoder":  # which keeps nothing
        parts: Iterable[Sequence[Text]] = [texts]
    else:
        parts = groups(texts, most_nodes(ask.loaded, backend.settings))
    for together in parts:
        given = 0
        for found in _found(ask, backend, together):
            new = found[given:]
            given += len(new)
            yield from zip(islice(places, len(new)), new, strict=True)


def _found(ask: Ask, backend: Backend, texts: Sequence[Text]) -> Iterator[Sequence[Scores]]:
    """The scores of the first texts, of more and more of them, at last of all."""
    keys, piece = [score_key(ask.loaded, text) for text in texts], backend.settings.prefill_chunk_tokens
    known = [backend.cache.get(key) for key in keys]
    if None not in known:
        yield [scores for scores in known if isinstance(scores, Scores)]
        return
    work: ScoringWork | TargetScoringWork
    if ask.loaded.info.kind == "encoder-decoder":
        work, keeps = TargetScoringWork(ask.loaded, texts, keys, backend.cache, piece), False
    else:
        work = ScoringWork(ask.loaded, texts, keys, backend.cache, piece)
        keeps = len(work.tree) > SMALL * piece
    steps = ask.steps(work, work.n_tokens, kind="score", key=("score", tuple(keys)), keeps=keeps)
    del work  # the job's, which drops it at its end
    yield from steps
