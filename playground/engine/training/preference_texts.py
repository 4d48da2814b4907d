"""Preference pairs and prompts as a decoder reads them: a conversation of one question and one answer."""

from __future__ import annotations

from collections.abc import Sequence

from playground.core.preferences.pair import PreferencePair
from playground.engine.contract.policies import PromptExample
from playground.engine.contract.preferences import Ids, PairExample
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.named_tokenizers import NamedTokenizers
from playground.engine.training.texts import ASSISTANT
from playground.errors import AlikeWhenCut, EmptyText, SameAnswers

USER = "user"
SHOWN = 80  # characters of a prompt in a refusal
PROMPT_SHARE = 3  # a pair that is too long keeps this part of what it may have for its prompt's words


class PairCutter:
    """Cuts pairs and prompts into tokens of one model, as `texts.training_text` does.

    Args:
        loaded: The model.
        tokenizers: Chat templates.
        max_tokens: Most tokens of a pair.
    """

    def __init__(self, loaded: LoadedModel, tokenizers: NamedTokenizers, max_tokens: int) -> None:
        self._tokenizer, self._max_tokens = loaded.tokenizer, max_tokens
        self._has_template = "chat_template" in loaded.info.capabilities
        if self._has_template:
            messages = [{"role": role, "content": ""} for role in (USER, ASSISTANT)]
            frames = tokenizers.chat_frames(loaded.info.model_id, messages, answer_follows=False)
            self._before, self._between, end = (
                self._tokenizer.tokenize(one, False, read_special=True).input_ids for one in frames
            )
            self._end = tuple(end[:1]) if end and end[0] in self._tokenizer.eos_ids else ()
        else:
            self._before, self._between = (), ()
            self._end = tuple(sorted(self._tokenizer.eos_ids))[:1]

    def pair(self, pair: PreferencePair) -> PairExample:
        """One pair, cut where it is too long.

        Raises:
            EmptyText, SameAnswers, AlikeWhenCut: Nothing can be learned from it.
        """
        prompt, chosen, rejected = self._parts(pair.prompt, (pair.chosen, pair.rejected))
        n_all = len(prompt) + len(chosen) + len(rejected)
        if n_all > self._max_tokens:
            (prompt,) = self._parts(self._shortened(pair.prompt), ())
            chosen, rejected = _cut(chosen, rejected, self._max_tokens - len(prompt))
        n_left = len(prompt) + len(chosen) + len(rejected)
        if chosen == rejected:
            shown = pair.prompt[:SHOWN]
            raise AlikeWhenCut(prompt=shown) if n_all > n_left else SameAnswers(prompt=shown)
        return PairExample(prompt, chosen, rejected, max(0, n_all - n_left))

    def answer(self, prompt: str, answer: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """A prompt and one answer to it, cut where they are too long, as those of a pair.

        Raises:
            EmptyText: The prompt or the answer has no token.
        """
        if not self._encode(prompt) or not self._encode(answer):
            raise EmptyText
        before, own = self._parts(prompt, (answer,))
        if len(before) + len(own) > self._max_tokens:
            (before,) = self._parts(self._shortened(prompt), ())
        return before, own[: max(1, self._max_tokens - len(before))]

    def prompt(self, text: str) -> PromptExample:
        """One prompt with the frame behind which a model answers, cut as that of a pair that is too long.

        Raises:
            EmptyText: It has no token.
        """
        if not self._encode(text):
            raise EmptyText
        (prompt,) = self._parts(self._shortened(text), ())
        return PromptExample(prompt)

    def _parts(self, prompt: str, answers: Sequence[str]) -> list[Ids]:
        """Tokens of all that stands before an answer, and those of each answer with the mark of its end."""
        asked = self._encode(prompt if self._has_template else f"{prompt}\n")
        before = (*self._before, *asked, *self._between)
        found = [before, *((*self._encode(answer), *self._end) for answer in answers)]
        if not all(found):
            raise EmptyText
        return found

    def _shortened(self, text: str) -> str:
        ids, most = self._encode(text), self._max_tokens // PROMPT_SHARE
        if len(ids) <= most:
            return text
        return b"".join(map(self._tokenizer.token_bytes, ids[:most])).decode("utf-8", "ignore")

    def _encode(self, text: str) -> tuple[int, ...]:
        return self._tokenizer.encode(text, add_special_tokens=False)


def _cut(
    chosen: tuple[int, ...], rejected: tuple[int, ...], room: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Both answers within so many tokens: a short one stays whole, two long ones become equally long."""
    half, shorter = max(1, room // 2), min(len(chosen), len(rejected))
    most = room - shorter if shorter < half else half
    return chosen[:most], rejected[:most]
