"""log p(candidate | text) of many texts: what they begin with alike is read once.

All texts, each with its candidates, are one prefix tree. It is read from the front, a piece a job, so that
others get their turn in between; a node looks at its own way only, so every number is that of a forward over
its text alone.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import torch
from transformers.cache_utils import DynamicCache

from playground.core.prefix_tree import PrefixTree
from playground.engine.base import OnWait
from playground.engine.cache import ByteCache
from playground.engine.finite import check_finite
from playground.engine.scheduler import Job
from playground.engine.scores import ScoreRequest, Scores
from playground.engine.turns import Turns
from playground.settings import Settings

if TYPE_CHECKING:
    from playground.engine.loading import LoadedModel

SMALL = 2  # pieces: a tree of so many needs no turn
Ids = tuple[int, ...]
Text = tuple[Ids, tuple[Ids, ...]]  # and its candidates
LogProbs = dict[tuple[int, int], float]  # (node, token after it) -> nats
Ask = Callable[[ScoreRequest, Job], Iterator[object]]


@dataclass(frozen=True)
class Scored:
    """One text with its candidates, all of them token ids, and the node after which each token comes."""

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
        self._loaded, self._tree, self._wanted = loaded, tree, wanted
        self._cache: Any = None

    def read(self, start: int, stop: int) -> LogProbs:
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
            return {}
        states = output.last_hidden_state[0, torch.tensor(nodes, device=device) - start]
        logits = model.get_output_embeddings()(states).float()
        check_finite(self._loaded, logits)
        logprobs = torch.log_softmax(logits, dim=-1)
        found = LogProbs()
        for row, node in zip(logprobs, nodes, strict=True):
            tokens = self._wanted[node]
            values = row[torch.tensor(tokens, device=device)].tolist()
            found |= {(node, token): value for token, value in zip(tokens, values, strict=True)}
        return found


@dataclass(frozen=True)
class PieceWork:
    """Payload of the job of one piece."""

    reading: TreeReading
    start: int
    stop: int
    n_forwards: int = 1

    def run(self) -> LogProbs:
        """Read it."""
        return self.reading.read(self.start, self.stop)


@dataclass(frozen=True)
class Scorer:
    """What scoring needs besides a request.

    Attributes:
        settings: How large a tree may grow, how long a piece is.
        cache: Where scores are found and left.
        turns: Only so many large trees keep keys and values at the same time.
        same: Who asks what somebody else is computing waits, and then finds it.
    """

    settings: Settings
    cache: ByteCache[Any]
    turns: Turns
    same: Turns

    def score(
        self,
        request: ScoreRequest,
        loaded: LoadedModel,
        texts: Sequence[Text],
        ask: Ask,
        on_wait: OnWait | None,
    ) -> Iterator[tuple[int, Scores]]:
        """Give every text the scores of its candidates; see `ScoreEngine.score`.

        Args:
            request: Who asks.
            loaded: A decoder.
            texts: Token ids of each text and of its candidates.
            ask: Queues a job and waits for what it gives.
            on_wait: Told while somebody else has the turn.
        """
        timeout_s = request.timeout_s or self.settings.request_timeout_s
        piece, places = self.settings.prefill_chunk_tokens, count()
        for together in _groups(texts, _most(loaded, self.settings)):
            keys = [_key(loaded, text) for text in together]
            with self.same.turn(timeout_s, on_wait, tuple(keys)):
                known = {key: scores for key in keys if (scores := self.cache.get(key)) is not None}
                tree, scored = _tree([t for k, t in zip(keys, together, strict=True) if k not in known])
                with self.turns.turn(timeout_s, on_wait) if len(tree) > SMALL * piece else nullcontext():
                    made = _read(request, loaded, tree, scored, piece, ask)
                    for key in keys:
                        scores = known.get(key) or next(made)
                        self.cache.put(key, scores)
                        yield next(places), scores


def _key(loaded: LoadedModel, text: Text) -> Hashable:
    """Of a text and its candidates in the cache: short, however long they are."""
    ids, candidates = text
    said = sha256(b"|".join(array("q", one).tobytes() for one in (ids, *candidates))).digest()
    return ("score", loaded.info.model_id, loaded.info.revision, loaded.info.dtype, said)


def _most(loaded: LoadedModel, settings: Settings) -> int:
    """Nodes of a tree whose keys and values have room."""
    info = loaded.info
    a_token = 2 * info.n_layer * max(1, info.n_kv_head) * max(1, info.d_head) * loaded.dtype.itemsize
    return min(settings.max_tree_tokens, settings.max_tree_bytes // max(1, a_token))


def _groups(texts: Sequence[Text], most: int) -> Iterator[list[Text]]:
    """Texts in their order, as many together as a tree may hold; a larger text stands alone."""
    tree, group = PrefixTree(), list[Text]()
    for ids, candidates in texts:
        n_more = tree.n_new(ids) + sum(len(candidate) - 1 for candidate in candidates)
        if group and len(tree) + n_more > most:
            yield group
            tree, group = PrefixTree(), []
        for candidate in candidates:
            tree.add([*ids, *candidate[:-1]])
        group.append((ids, candidates))
    if group:
        yield group


def _tree(texts: Sequence[Text]) -> tuple[PrefixTree, list[Scored]]:
    tree, scored = PrefixTree(), list[Scored]()
    for ids, candidates in texts:
        ways = [tree.add([*ids, *candidate[:-1]])[len(ids) - 1 :] for candidate in candidates]
        scored.append(Scored(candidates, tuple(map(tuple, ways))))
    return tree, scored


def _read(
    request: ScoreRequest,
    loaded: LoadedModel,
    tree: PrefixTree,
    scored: Sequence[Scored],
    piece: int,
    ask: Ask,
) -> Iterator[Scores]:
    wanted: dict[int, list[int]] = {}
    for one in scored:
        for nodes, candidate in zip(one.after, one.candidates, strict=True):
            for node, token in zip(nodes, candidate, strict=True):
                wanted.setdefault(node, []).append(token)
    reading, known = TreeReading(loaded, tree, wanted), LogProbs()
    waiting = list(scored)
    for start, stop in pairwise([*range(0, len(tree), piece), len(tree)]):
        key = ("score", request.request_id, uuid4().hex)
        job = Job("score", key, key, stop - start, PieceWork(reading, start, stop))
        # Its own topic: a newer request never ends in the place of this one's next piece.
        found = next(ask(replace(request, topic=request.request_id), job))
        assert isinstance(found, dict)
        known |= found
        while waiting and waiting[0].last_node < stop:
            yield _scores(waiting.pop(0), known)


def _scores(one: Scored, known: LogProbs) -> Scores:
    each = tuple(
        tuple(known[node, token] for node, token in zip(nodes, candidate, strict=True))
        for nodes, candidate in zip(one.after, one.candidates, strict=True)
    )
    return Scores(input_ids=one.candidates, token_logprobs=each, logprobs=tuple(map(sum, each)))
