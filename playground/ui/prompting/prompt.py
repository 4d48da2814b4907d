"""The prompt a reader has chosen, and the same prompt with other examples, as the model reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from playground.core.demonstrations import Condition, draw_demonstrations, relabelled
from playground.core.few_shot import (
    Example,
    Format,
    PromptBlock,
    PromptTask,
    blocks,
    candidates,
    chat_blocks,
    following,
    messages,
)
from playground.core.tokens import Tokenization
from playground.errors import TextTooLong
from playground.ui import compute, state
from playground.ui.state import PageContext


@dataclass(frozen=True)
class Prompt:
    """The prompt that the reader has chosen.

    Attributes:
        context: From `frame.page`.
        task_id: Id of the task, "own" for an uploaded one.
        task: With the reader's instruction.
        pool, test: Examples of the task: possible demonstrations, and test items.
        style: Format of the examples.
        n_shot: Number of demonstrations.
        seed: Seed of their choice.
        condition: With which labels.
        query: The query; no label where it is the reader's own.
        by_length, is_calibrated: Options for comparing labels.
    """

    context: PageContext
    task_id: str
    task: PromptTask
    pool: tuple[Example, ...]
    test: tuple[Example, ...]
    style: Format
    n_shot: int
    seed: int
    condition: Condition
    query: Example
    by_length: bool
    is_calibrated: bool

    @cached_property
    def demos(self) -> tuple[Example, ...]:
        """The examples of the prompt, in order."""
        return self.demos_of(self.n_shot, self.seed, self.condition)

    def demos_of(self, n_shot: int, draw: int, condition: Condition) -> tuple[Example, ...]:
        """The examples of another prompt of the same task."""
        chosen = draw_demonstrations(self.pool, n_shot, draw)
        return tuple(relabelled(chosen, self.task.labels, condition, draw))

    @property
    def options(self) -> tuple[str, ...]:
        """The answers that are compared for the query."""
        return self.task.options(self.query)

    def blocks(self) -> tuple[PromptBlock, ...]:
        """The prompt, word for word."""
        if self.style != "chat":
            return blocks(self.task, self.demos, self.query.text, self.style)
        said = messages(self.task, self.demos, self.query.text)
        frames = compute.tokenizers().chat_frames(self.context.model.model_id, said)
        return chat_blocks(self.tokens.text, frames, said)

    @cached_property
    def tokens(self) -> Tokenization:
        """The prompt as the model reads it."""
        return self.tokens_of(self.demos)

    def tokens_of(self, demos: Sequence[Example]) -> Tokenization:
        """The same prompt with these examples."""
        if self.style == "chat":
            return self._chat(demos, self.query.text)
        tokenizers, text = compute.tokenizers(), self.literal(demos, self.query.text)
        return tokenizers.tokenize(self.context.model.model_id, text, add_special_tokens=True)

    def literal(self, demos: Sequence[Example], query: str) -> str:
        """The same prompt with these examples and this query, the marks of a chat template spelled out."""
        if self.style == "chat":
            return self._chat(demos, query).text
        return "".join(block.text for block in blocks(self.task, demos, query, self.style))

    def fits(self, demos: Sequence[Example], limit: int) -> bool:
        """True if the same prompt with these examples, and an answer after it, has at most `limit` tokens."""
        longest = max(len(candidate.encode()) for candidate in self.candidates(self.options))
        try:
            return len(self.tokens_of(demos)) + longest <= limit
        except TextTooLong:
            return False

    def text(self, demos: Sequence[Example], query: str) -> str | tuple[int, ...]:
        """The text that is scored for it: special tokens of a chat template are tokens, not text."""
        return self._chat(demos, query).input_ids if self.style == "chat" else self.literal(demos, query)

    def _chat(self, demos: Sequence[Example], query: str) -> Tokenization:
        said = messages(self.task, demos, query)
        return compute.tokenizers().chat(self.context.model.model_id, said)

    @property
    def chance(self) -> float:
        """Accuracy of guessing on the test items."""
        each = [1 / len(self.task.options(one)) for one in self.test]
        return sum(each) / max(1, len(each))

    def candidates(self, options: Sequence[str]) -> tuple[str, ...]:
        """The text that is scored for each of these labels."""
        return candidates(options, self.style)

    def following(self, options: Sequence[str]) -> str:
        """The text that would stand behind each of these labels in a demonstration."""
        return following(self.task, self.style, options)


def window(prompt: Prompt) -> int:
    """Tokens that a prompt may have, its answer included."""
    limit, own = state.settings().max_prompt_tokens, prompt.context.model.n_ctx
    return min(limit, own or limit)
