"""log p(candidate | text) of many texts: a beginning that several share is read once.

All texts, each with its candidates, are one prefix tree. It is read from the front, one piece per turn, so
that others get theirs in between; a node looks at its own way only, so every number is that of a forward over
its text alone.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import torch
from transformers.cache_utils import DynamicCache

from playground.core.byte_cache import ByteCache
from playground.core.prefix_tree import PrefixTree
from playground.engine.contract.scores import Scores
from playground.engine.forward.head import logits_of
from playground.engine.models.finite import check_finite
from playground.engine.models.loaded import LoadedModel
from playground.engine.scheduling.jobs import More
from playground.settings import Settings

SMALL = 2  # pieces: however many trees of so few are begun, they keep little
Ids = tuple[int, ...]
Text = tuple[Ids, tuple[Ids, ...]]  # and its candidates
LogProbs = dict[tuple[int, int], float]  # (node, token after it) -> nats


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
        tree: The tree to read.
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
        logits = logits_of(model, states)
        check_finite(self._loaded, logits)
        logprobs = torch.log_softmax(logits, dim=-1)
        found = LogProbs()
        for row, node in zip(logprobs, nodes, strict=True):
            tokens = self._wanted[node]
            values = row[torch.tensor(tokens, device=device)].tolist()
            found |= {(node, token): value for token, value in zip(tokens, values, strict=True)}
        return found


class ScoringWork:
    """Payload of the job that scores texts of one tree: one piece per turn, keys and values kept in between.

    Whoever asks for the same meanwhile joins the job. What it gives is the list of scores itself, which grows
    at its end: also who joins late finds all of them.

    Args:
        loaded: A decoder.
        texts: Token ids of each text and of its candidates.
        keys: Key of each text in the cache.
        cache: Cache of scores.
        piece: Nodes a turn.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        texts: Sequence[Text],
        keys: Sequence[Hashable],
        cache: ByteCache[Any],
        piece: int,
    ) -> None:
        self._keys, self._cache, self._piece = keys, cache, piece
        self._known = {key: scores for key in keys if (scores := cache.get(key)) is not None}
        unknown = [text for key, text in zip(keys, texts, strict=True) if key not in self._known]
        self.tree, scored = _tree(unknown)
        self._scored, self._logprobs = iter(scored), LogProbs()
        self._next = next(self._scored, None)
        self._reading = TreeReading(loaded, self.tree, _wanted(scored))
        self._n_read = 0
        self.found: list[Scores] = []

    @property
    def n_forwards(self) -> int:
        """Number of forward passes of the next turn."""
        return int(self._n_read < len(self.tree))

    @property
    def n_tokens(self) -> int:
        """Nodes that the next turn reads."""
        return min(self._piece, len(self.tree) - self._n_read)

    def run(self) -> More | list[Scores]:
        """Read the next piece; give the scores of all texts that are known by then."""
        if not self._n_read and None not in (known := [self._cache.get(key) for key in self._keys]):
            return [scores for scores in known if scores is not None]  # somebody else was quicker
        stop = self._n_read + self.n_tokens
        if stop > self._n_read:
            self._logprobs |= self._reading.read(self._n_read, stop)
            self._n_read = stop
        for key in self._keys[len(self.found) :]:
            scores = self._known.get(key) or self._computed()
            if scores is None:
                break
            self._cache.put(key, scores)
            self.found.append(scores)
        return self.found if self._n_read == len(self.tree) else More(self.found, self.n_tokens)

    def _computed(self) -> Scores | None:
        """Scores of the next text that was not in the cache, once its last node has been read."""
        one = self._next
        if one is None or one.last_node >= self._n_read:
            return None
        self._next = next(self._scored, None)
        return _scores(one, self._logprobs)


def score_key(loaded: LoadedModel, text: Text) -> Hashable:
    """Key of a text and its candidates in the cache: short, however long they are."""
    ids, candidates = text
    said = sha256(b"|".join(array("q", one).tobytes() for one in (ids, *candidates))).digest()
    return ("score", loaded.info.model_id, loaded.info.revision, loaded.info.dtype, said)


def most_nodes(loaded: LoadedModel, settings: Settings) -> int:
    """Most nodes that a tree may have: those whose keys and values have room."""
    info = loaded.info
    a_token = 2 * info.n_layer * max(1, info.n_kv_head) * max(1, info.d_head) * loaded.dtype.itemsize
    return min(settings.max_tree_tokens, settings.max_tree_bytes // max(1, a_token))


def groups(texts: Sequence[Text], most: int) -> Iterator[list[Text]]:
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


def _wanted(scored: Sequence[Scored]) -> dict[int, list[int]]:
    """Node -> the tokens whose log-probability after it is wanted."""
    wanted: dict[int, list[int]] = {}
    for one in scored:
        for nodes, candidate in zip(one.after, one.candidates, strict=True):
            for node, token in zip(nodes, candidate, strict=True):
                wanted.setdefault(node, []).append(token)
    return wanted


def _scores(one: Scored, known: LogProbs) -> Scores:
    each = tuple(
        tuple(known[node, token] for node, token in zip(nodes, candidate, strict=True))
        for nodes, candidate in zip(one.after, one.candidates, strict=True)
    )
    return Scores(input_ids=one.candidates, token_logprobs=each, logprobs=tuple(map(sum, each)))
