"""Preference pairs and prompts as a decoder reads them: a conversation of one question and one answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.core.files.training_rows import TrainingRow
from playground.core.preferences.pair import PreferencePair
from playground.engine.contract.policies import PromptExample
from playground.engine.contract.preferences import PairExample
from playground.engine.contract.training import TrainingText
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.named_tokenizers import NamedTokenizers
from playground.engine.training.texts import ASSISTANT, training_text
from playground.errors import AlikeWhenCut, EmptyText, SameAnswers

USER = "user"
UNCUT = 10**9
SHOWN = 80  # characters of a prompt in a refusal
PROMPT_SHARE = 3  # a pair that is too long keeps this part of what it may have for its prompt's words


@dataclass(frozen=True, slots=True)
class PairCutter:
    """Cuts pairs and prompts into tokens of one model.

    Attributes:
        loaded: The model.
        tokenizers: Chat templates.
        max_tokens: Most tokens of a pair.
    """

    loaded: LoadedModel
    tokenizers: NamedTokenizers
    max_tokens: int

    def pair(self, pair: PreferencePair) -> PairExample:
        """One pair, cut where it is too long.

        Raises:
            EmptyText, SameAnswers, AlikeWhenCut: Nothing can be learned from it.
        """
        prompt, chosen, rejected = self._parts(pair.prompt, (pair.chosen, pair.rejected))
        n_all = len(prompt) + len(chosen) + len(rejected)
        if n_all > self.max_tokens:
            shorter = self._shortened(pair.prompt)
            prompt, chosen, rejected = self._parts(shorter, (pair.chosen, pair.rejected))
            chosen, rejected = _cut(chosen, rejected, self.max_tokens - len(prompt))
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
        if len(before) + len(own) > self.max_tokens:
            before, own = self._parts(self._shortened(prompt), (answer,))
        return before, own[: max(1, self.max_tokens - len(before))]

    def prompt(self, text: str) -> PromptExample:
        """One prompt with the frame behind which a model answers, cut as that of a pair that is too long.

        Raises:
            EmptyText: It has no token.
        """
        if not self._encode(text):
            raise EmptyText
        prompt, _answer = self._parts(self._shortened(text), ("A",))
        return PromptExample(prompt)

    def _parts(self, prompt: str, answers: Sequence[str]) -> list[tuple[int, ...]]:
        """Tokens of all that stands before an answer, and those of each answer with the mark of its end."""
        texts = [self._text(prompt, answer) for answer in answers]
        found = []
        for text in texts:
            places = [place for place, is_trained in enumerate(text.is_trained) if is_trained]
            if not places:
                raise EmptyText
            found += [text.input_ids[: places[0]], text.input_ids[places[0] : places[-1] + 1]]
        return [found[0], *found[1::2]]

    def _text(self, prompt: str, answer: str) -> TrainingText:
        loaded = self.loaded
        return training_text(
            TrainingRow(messages=((USER, prompt), (ASSISTANT, answer))), loaded.info.model_id,
            loaded.tokenizer, self.tokenizers, has_template="chat_template" in loaded.info.capabilities,
            max_tokens=UNCUT,
        )  # fmt: skip

    def _shortened(self, text: str) -> str:
        ids, most = self._encode(text), self.max_tokens // PROMPT_SHARE
        if len(ids) <= most:
            return text
        return b"".join(map(self.loaded.tokenizer.token_bytes, ids[:most])).decode("utf-8", "ignore")

    def _encode(self, text: str) -> tuple[int, ...]:
        return self.loaded.tokenizer.encode(text, add_special_tokens=False)


def _cut(
    chosen: tuple[int, ...], rejected: tuple[int, ...], room: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Both answers within so many tokens: a short one stays whole, two long ones become equally long."""
    half, shorter = max(1, room // 2), min(len(chosen), len(rejected))
    most = room - shorter if shorter < half else half
    return chosen[:most], rejected[:most]
