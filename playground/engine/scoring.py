"""log p(candidate | text) of many texts: what they begin with alike is read once.

All texts, each with its candidates, are one prefix tree. It is read from the front, a piece a job, so that
others get their turn in between; a node looks at its own way only, so every number is that of a forward over
its text alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from transformers.cache_utils import DynamicCache

from playground.core.prefix_tree import PrefixTree
from playground.engine.base import OnWait, ScoreRequest, Scores
from playground.engine.scheduler import Job
from playground.engine.turns import Turns
from playground.settings import Settings

if TYPE_CHECKING:
    from playground.engine.loading import LoadedModel

Ids = tuple[int, ...]
Ask = Callable[[ScoreRequest, Job], Iterator[object]]


@dataclass(frozen=True)
class Scored:
    """One text with its candidates, all of them token ids, and the node after which each token comes."""

    place: int
    candidates: tuple[Ids, ...]
    after: tuple[tuple[int, ...], ...]

    @property
    def last_node(self) -> int:
        """Once this node is read, everything is known."""
        return max(map(max, self.after))


class TreeReading:
    """Reads one tree, piece by piece; called only from the engine's thread.

    Args:
        loaded: A decoder.
        tree: What to read.
        wanted: Node -> the tokens whose log-probability after it is wanted.
    """

    def __init__(self, loaded: LoadedModel, tree: PrefixTree, wanted: dict[int, list[int]]) -> None:
        self.logprobs: dict[tuple[int, int], float] = {}  # (node, token after it)
        self._loaded, self._tree, self._wanted = loaded, tree, wanted
        self._cache: Any = None

    def read(self, start: int, stop: int) -> None:
        """One forward over the nodes `start <= node < stop`; all before them have been read."""
        tree, device, model = self._tree, self._loaded.device, self._loaded.model
        if self._cache is None and stop < len(tree):
            self._cache = DynamicCache(config=model.config)
        output = model.base_model(
            input_ids=torch.tensor([tree.token_ids[start:stop]], device=device),
            position_ids=torch.tensor([tree.depths[start:stop]], device=device),
            attention_mask=torch.from_numpy(tree.visible(start, stop)).to(device)[None, None],
            past_key_values=self._cache,
            use_cache=self._cache is not None,
        )
        nodes = [node for node in range(start, stop) if node in self._wanted]
        if not nodes:
            return
        states = output.last_hidden_state[0, torch.tensor(nodes, device=device) - start]
        logprobs = torch.log_softmax(model.get_output_embeddings()(states).float(), dim=-1)
        for row, node in zip(logprobs, nodes, strict=True):
            tokens = self._wanted[node]
            found = row[torch.tensor(tokens, device=device)].tolist()
            self.logprobs.update(((node, token), value) for token, value in zip(tokens, found, strict=True))


@dataclass(frozen=True)
class PieceWork:
    """Payload of the job of one piece."""

    reading: TreeReading
    start: int
    stop: int
    n_forwards: int = 1

    def run(self) -> bool:
        """Read it; what came out stays in the reading."""
        self.reading.read(self.start, self.stop)
        return True


def score_texts(
    request: ScoreRequest,
    loaded: LoadedModel,
    texts: Sequence[tuple[Ids, tuple[Ids, ...]]],
    settings: Settings,
    turns: Turns,
    ask: Ask,
    on_wait: OnWait | None,
) -> Iterator[tuple[int, Scores]]:
    """Give every text the scores of its candidates; see `Engine.score`.

    Args:
        request: Who asks.
        loaded: A decoder.
        texts: Token ids of each text and of its candidates.
        settings: How large a tree may grow, how long a piece is.
        turns: Only so many trees keep a cache at the same time.
        ask: Queues a job and waits for what it gives.
        on_wait: Told while there is no turn.
    """
    piece = settings.prefill_chunk_tokens
    for tree, scored in _trees(texts, settings.max_tree_tokens):
        if len(tree) <= piece:
            yield from _read(request, loaded, tree, scored, piece, ask)
            continue
        with turns.turn(request.timeout_s or settings.request_timeout_s, on_wait):
            yield from _read(request, loaded, tree, scored, piece, ask)


def _trees(
    texts: Sequence[tuple[Ids, tuple[Ids, ...]]], most: int
) -> Iterator[tuple[PrefixTree, list[Scored]]]:
    """Texts in their order, as trees of at most so many nodes (a larger text has one of its own)."""
    tree, scored = PrefixTree(), list[Scored]()
    for place, (ids, candidates) in enumerate(texts):
        n_more = tree.n_new(ids) + sum(len(candidate) - 1 for candidate in candidates)
        if scored and len(tree) + n_more > most:
            yield tree, scored
            tree, scored = PrefixTree(), []
        ways = [tree.add([*ids, *candidate[:-1]])[len(ids) - 1 :] for candidate in candidates]
        scored.append(Scored(place, candidates, tuple(map(tuple, ways))))
    if scored:
        yield tree, scored


def _read(
    request: ScoreRequest,
    loaded: LoadedModel,
    tree: PrefixTree,
    scored: Sequence[Scored],
    piece: int,
    ask: Ask,
) -> Iterator[tuple[int, Scores]]:
    wanted: dict[int, list[int]] = {}
    for one in scored:
        for nodes, candidate in zip(one.after, one.candidates, strict=True):
            for node, token in zip(nodes, candidate, strict=True):
                wanted.setdefault(node, []).append(token)
    reading = TreeReading(loaded, tree, wanted)
    waiting = list(scored)
    for start, stop in pairwise([*range(0, len(tree), piece), len(tree)]):
        key = ("score", request.request_id, waiting[0].place, start)
        job = Job("score", key, key, stop - start, PieceWork(reading, start, stop))
        # Its own topic: a newer request never ends in the place of this one's next piece.
        next(ask(replace(request, topic=request.request_id), job))
        while waiting and waiting[0].last_node < stop:
            one = waiting.pop(0)
            yield one.place, _scores(one, reading)


def _scores(one: Scored, reading: TreeReading) -> Scores:
    each = tuple(
        tuple(reading.logprobs[node, token] for node, token in zip(nodes, candidate, strict=True))
        for nodes, candidate in zip(one.after, one.candidates, strict=True)
    )
    return Scores(input_ids=one.candidates, token_logprobs=each, logprobs=tuple(map(sum, each)))
