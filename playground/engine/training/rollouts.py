"""Answers that the policies of a bank write to prompts, and what they and the reference think of them.

All slots write at once, a token at a time, over one key-value cache; row r of a forward belongs to slot
r // (rows a slot). Each slot draws from its own random stream, one number for every token that an answer may
have, so that what it writes does not depend on who writes beside it.

    u [answer, token] of the slot  ->  token at u of the way through its cumulative probabilities
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.cache_utils import DynamicCache

from playground.engine.contract.training import TrainingText
from playground.engine.decoding.slots import SlotCache
from playground.engine.forward.head import logits_of
from playground.engine.forward.traces import pad
from playground.engine.models.loaded import LoadedModel, template_over
from playground.engine.models.tokenizing import TextTokenizer
from playground.engine.training.packing import packed
from playground.engine.training.yield_points import yield_between

Array = NDArray[np.float64]
CHUNK = 64  # tokens whose distributions over the vocabulary are held at once


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """Answers as they were drawn, prompt by prompt.

    Attributes:
        prompts: Prompt of each answer.
        answers: Token ids of each, the mark of the end included where it was drawn.
        logprobs: Log-probability of every token by the policy that drew it, nats; answers one after another.
            Shape [token].
        states: The residual stream that predicted each token, after the final norm. Shape [token, d_model].
    """

    prompts: tuple[tuple[int, ...], ...]
    answers: tuple[tuple[int, ...], ...]
    logprobs: torch.Tensor
    states: torch.Tensor

    @property
    def lengths(self) -> list[int]:
        """Tokens of each answer."""
        return [len(one) for one in self.answers]

    def texts(self) -> list[TrainingText]:
        """Each prompt with its answer, whose tokens count."""
        return [
            TrainingText((*prompt, *answer), (False,) * len(prompt) + (True,) * len(answer))
            for prompt, answer in zip(self.prompts, self.answers, strict=True)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """The distance of a policy from the reference at every token of answers. All of shape [token].

    Attributes:
        reference: Log-probability of the token by the reference, nats.
        kl: KL divergence of the policy's whole distribution from the reference's, nats.
        entropy: Entropy of the policy's distribution, nats.
    """

    reference: torch.Tensor
    kl: torch.Tensor
    entropy: torch.Tensor


@dataclass
class _Row:
    """One answer that is being written."""

    slot: int
    prompt: tuple[int, ...]
    uniform: torch.Tensor  # shape [token]
    temperature: float
    answer: list[int] = field(default_factory=list)
    logprobs: list[torch.Tensor] = field(default_factory=list)
    states: list[torch.Tensor] = field(default_factory=list)
    is_whole: bool = False


def write_answers(
    loaded: LoadedModel,
    tree: Any,  # noqa: ANN401  (transformers is untyped)
    prompts: Sequence[Sequence[tuple[int, ...]]],
    uniform: Sequence[torch.Tensor],
    temperatures: Sequence[float],
) -> list[Written]:
    """Have every slot answer its prompts.

    Args:
        loaded: The base.
        tree: The base's tensors with the slots' changes; its rows are those of the slots, one after another.
        prompts: Prompt of every answer of each slot.
        uniform: Uniform random numbers of each slot. Each of shape [answer, token].
        temperatures: Temperature of the draw of each slot.
    """
    n_rows = max(map(len, prompts))
    rows = [
        # a slot with fewer answers is filled up with its first, which nobody reads
        _Row(slot, own[at if at < len(own) else 0], drawn[at if at < len(own) else 0], temperature)
        for slot, (own, drawn, temperature) in enumerate(zip(prompts, uniform, temperatures, strict=True))
        for at in range(n_rows)
    ]
    cache, states = _read(loaded, tree, rows)
    while True:
        _draw(loaded, tree, rows, states)
        if all(row.is_whole for row in rows):
            break
        step = cache.prepare_step(loaded.device)
        newest = torch.tensor([[row.answer[-1]] for row in rows], device=loaded.device)
        output = tree.base_model(input_ids=newest, past_key_values=cache, use_cache=True, **step)
        cache.advance()
        states = output.last_hidden_state[:, -1]
    return [_written(rows[slot * n_rows : slot * n_rows + len(own)]) for slot, own in enumerate(prompts)]


def _read(
    loaded: LoadedModel,
    tree: Any,  # noqa: ANN401
    rows: Sequence[_Row],
) -> tuple[SlotCache, torch.Tensor]:
    """Read each slot's different prompts once, in as many rows a slot.

    Returns:
        The cache with a row for each answer, and the state that predicts its first token, of shape
        [row, d_model].
    """
    own: dict[int, list[tuple[int, ...]]] = {}
    for row in rows:
        known = own.setdefault(row.slot, [])
        if row.prompt not in known:
            known.append(row.prompt)
    most = max(map(len, own.values()))
    each = [(slot, prompt) for slot, some in own.items() for prompt in (some + some[:1] * most)[:most]]
    ids, mask = pad([prompt for _slot, prompt in each], loaded.device)
    filled = DynamicCache(config=loaded.model.config)
    output = tree.base_model(input_ids=ids, attention_mask=mask, past_key_values=filled, use_cache=True)
    places = [each.index((row.slot, row.prompt)) for row in rows]
    lengths = [len(row.prompt) for row in rows]
    cache = SlotCache(loaded.info.n_layer)
    cache.join(filled, places, lengths)
    last = torch.tensor(lengths, device=loaded.device) - 1
    return cache, output.last_hidden_state[torch.tensor(places, device=loaded.device), last]


def _draw(loaded: LoadedModel, tree: Any, rows: Sequence[_Row], states: torch.Tensor) -> None:  # noqa: ANN401
    """Draw the next token of every answer that is not whole."""
    temperatures = torch.tensor([row.temperature for row in rows], device=loaded.device)
    logprobs = torch.log_softmax(logits_of(tree, states) / temperatures[:, None], -1)
    cumulative = logprobs.double().exp_().cumsum_(-1)
    drawn = torch.stack([row.uniform[0 if row.is_whole else len(row.answer)] for row in rows])
    wanted = drawn.double().to(loaded.device)[:, None] * cumulative[:, -1:]
    tokens = torch.searchsorted(cumulative, wanted, right=True).clamp_(max=cumulative.shape[-1] - 1)
    found, given = tokens[:, 0].tolist(), logprobs.gather(-1, tokens)[:, 0]
    for place, (row, token) in enumerate(zip(rows, found, strict=True)):
        if not row.is_whole:
            row.answer.append(token)
            row.logprobs.append(given[place])
            row.states.append(states[place])
            row.is_whole = token in loaded.tokenizer.eos_ids or len(row.answer) == len(row.uniform)


def _written(rows: Sequence[_Row]) -> Written:
    return Written(
        tuple(row.prompt for row in rows),
        tuple(tuple(row.answer) for row in rows),
        torch.stack([one for row in rows for one in row.logprobs]),
        torch.stack([one for row in rows for one in row.states]),
    )


class ReferenceModel:
    """The base without what the slots change. Only the engine's thread calls it.

    Args:
        loaded: The base.
        give_way: Called between two layers: others may use the engine there.
    """

    def __init__(self, loaded: LoadedModel, give_way: Callable[[], None]) -> None:
        self._loaded, self._give_way = loaded, give_way
        self._tree: Any = template_over(loaded.template)
        yield_between(replace(loaded, model=self._tree), give_way)

    @torch.no_grad()
    def compare(self, written: Written, temperature: float) -> Compared:
        """Read the answers of a policy.

        Args:
            written: The answers.
            temperature: Both distributions are those at this temperature.
        """
        batch = packed([written.texts()])
        ids, positions, visible, nodes, labels = (
            torch.from_numpy(part).to(self._loaded.device)
            for part in (batch.input_ids, batch.position_ids, batch.visible, batch.nodes, batch.labels)
        )
        output = self._tree.base_model(
            input_ids=ids, position_ids=positions, attention_mask=visible, use_cache=False
        )
        states = output.last_hidden_state[0, nodes]
        chunks = zip(*(torch.split(part, CHUNK) for part in (written.states, states, labels)), strict=True)
        found = [self._compared(mine, theirs, tokens, temperature) for mine, theirs, tokens in chunks]
        return Compared(*(torch.cat(part) for part in zip(*found, strict=True)))

    def _compared(
        self, mine: torch.Tensor, theirs: torch.Tensor, tokens: torch.Tensor, temperature: float
    ) -> tuple[torch.Tensor, ...]:
        """As in `Compared`, of some tokens; the states of both predict them. Shapes [token, d_model]."""
        self._give_way()
        p, q = (torch.log_softmax(logits_of(self._tree, one) / temperature, -1) for one in (mine, theirs))
        weights = p.exp()
        kl = (weights * (p - q)).sum(-1).clamp_(min=0)  # rounding alone makes it negative
        return q.gather(-1, tokens[:, None])[:, 0], kl, -(weights * p).sum(-1)


def text_of(tokenizer: TextTokenizer, token_ids: Sequence[int]) -> str:
    """The text of an answer, without its marks; nothing of a character that it only begins.

    Args:
        tokenizer: The model's.
        token_ids: Its tokens.
    """
    return b"".join(map(tokenizer.token_bytes, token_ids)).decode("utf-8", "ignore")
