"""Texts of a model for many prompts with one beginning: it is read once, then all are written side by side.

The page reads every prompt anew; that would take an hour for some hundred runs. A test writes runs again with
the engine of the page.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llguidance
import llguidance.hf
import llguidance.numpy as masks
import numpy as np
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from playground.core.agents.actions import Grammar
from playground.core.agents.loop import Reply
from playground.core.agents.record import n_again
from playground.core.agents.strategies import Ask

_HEAD = '%llguidance {"no_forcing": true}\n'
_AS_PRINTED = {"item_separator": ", ", "key_separator": ": ", "whitespace_flexible": False}


class Writer:
    """A model that writes greedily.

    Args:
        folder: The model's folder.
        window: Tokens that it reads at most.
    """

    def __init__(self, folder: Path, window: int) -> None:
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        own = {self._model.config.eos_token_id, self._model.generation_config.eos_token_id}
        added = self._tokenizer.added_tokens_decoder
        self._ends = {one for one in own if one is not None} | {
            place for place, token in added.items() if token.content == "<|endoftext|>"
        }
        self._window = window
        self._rules = llguidance.hf.from_tokenizer(
            self._tokenizer, n_vocab=self._model.config.vocab_size, eos_token=sorted(self._ends)
        )

    def ids(self, prompt: str) -> list[int]:
        """Token ids of a prompt."""
        found: list[int] = self._tokenizer(prompt, split_special_tokens=True).input_ids
        return found

    def replies(self, asks: Sequence[Ask]) -> list[Reply | None]:
        """The text for each request; None where a prompt does not fit into the window."""
        prompts = [self.ids(ask.prompt) for ask in asks]
        fitting = [n for n, ask in enumerate(asks) if len(prompts[n]) + ask.n_new <= self._window]
        found: list[Reply | None] = [None] * len(asks)
        if not fitting:
            return found
        begun_at = time.monotonic()
        written = self._write([prompts[n] for n in fitting], [asks[n] for n in fitting])
        seconds = (time.monotonic() - begun_at) / len(fitting)
        for n, tokens in zip(fitting, written, strict=True):
            text = self._until(self._text(tokens), asks[n].stop)
            found[n] = Reply(text, tuple(prompts[n]), tuple(tokens), seconds)
        return found

    @torch.no_grad()
    def _write(self, prompts: Sequence[list[int]], asks: Sequence[Ask]) -> list[list[int]]:
        shared = min(n_again(prompts[0], [ids]) for ids in prompts)
        shared = min(shared, min(map(len, prompts)) - 1)
        cache = DynamicCache(config=self._model.config)
        if shared:
            self._model(torch.tensor([prompts[0][:shared]]), past_key_values=cache, use_cache=True)
            cache.batch_repeat_interleave(len(prompts))
        given, seen = self._padded([ids[shared:] for ids in prompts])
        seen = torch.cat([seen.new_ones(len(prompts), shared), seen], 1)
        matchers = [self._matcher(ask.grammar) for ask in asks]
        written: list[list[int]] = [[] for _one in prompts]
        is_open = [True] * len(prompts)
        while any(is_open):
            places = (seen.cumsum(1) - 1).clamp(min=0)[:, -given.shape[1] :]
            read = self._model(
                given, attention_mask=seen, position_ids=places, past_key_values=cache, use_cache=True
            )
            chosen = self._chosen(read.logits[:, -1], matchers, is_open)
            for row, token in enumerate(chosen):
                if is_open[row]:
                    written[row].append(token)
                    is_open[row] = self._goes_on(written[row], asks[row], matchers[row])
            given = torch.tensor([[token] for token in chosen])
            seen = torch.cat([seen, seen.new_ones(len(prompts), 1)], 1)
        return written

    @staticmethod
    def _padded(rests: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
        """Ids with zeros before them, and 1 where a token is. Shapes [row, longest]."""
        most = max(map(len, rests))
        ids = torch.tensor([[0] * (most - len(rest)) + rest for rest in rests])
        seen = torch.tensor([[0] * (most - len(rest)) + [1] * len(rest) for rest in rests])
        return ids, seen

    def _chosen(self, logits: Tensor, matchers: Sequence[Any], is_open: Sequence[bool]) -> list[int]:
        """The most probable allowed token of each row. Logits [row, d_vocab]."""
        for row, matcher in enumerate(matchers):
            if matcher is not None and is_open[row]:
                mask = masks.allocate_token_bitmask(1, logits.shape[1])
                masks.fill_next_token_bitmask(matcher, mask)
                kept = np.unpackbits(mask.view(np.uint8), bitorder="little")[: logits.shape[1]]
                logits[row, torch.from_numpy(kept == 0)] = -torch.inf
        return [int(token) for token in logits.argmax(-1)]

    def _goes_on(self, tokens: list[int], ask: Ask, matcher: Any) -> bool:  # noqa: ANN401 (the library's)
        if tokens[-1] in self._ends or len(tokens) >= ask.n_new:
            return False
        if any(one in self._text(tokens) for one in ask.stop):
            return False
        if matcher is None:
            return True
        matcher.consume_token(tokens[-1])
        return not matcher.is_stopped()

    def _matcher(self, form: Grammar | None) -> Any:  # noqa: ANN401 (the library's)
        if form is None:
            return None
        if form.kind == "regex":
            rules = f"{_HEAD}start: /{form.source}/"
        else:
            rules = f"{_HEAD}start: %json {json.dumps(json.loads(form.source) | {'x-guidance': _AS_PRINTED})}"
        return llguidance.LLMatcher(self._rules, rules)

    def _text(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True)
        return text

    @staticmethod
    def _until(text: str, stop: Sequence[str]) -> str:
        """The text before the stop string that begins first."""
        return text[: min((text.find(one) for one in stop if one in text), default=len(text))]
