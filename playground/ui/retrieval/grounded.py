"""A question with chunks as the answering model reads it: in its chat template, cut to its window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.core import pieces
from playground.core.few_shot import PromptBlock, message_spans
from playground.core.grounding import Wording, question_blocks, shares
from playground.core.tokens import Tokenization
from playground.ui import compute, state
from playground.ui.components.prompt_blocks import PromptToken
from playground.ui.state import PageContext

N_NEW = 24  # tokens of an answer: all answers of our documents are shorter


@dataclass(frozen=True, slots=True)
class Grounded:
    """A prompt.

    Attributes:
        blocks: Its parts, the template's among them; joined they are the text.
        tokens: The prompt as the model reads it.
        n_left_out: Tokens of the chunks that were cut off, because the window is too short.
    """

    blocks: tuple[PromptBlock, ...]
    tokens: Tokenization
    n_left_out: int = 0

    def tokens_of_blocks(self) -> list[list[PromptToken]]:
        """Tokens of each block: those that begin in it."""
        ends = np.cumsum([len(block.text) for block in self.blocks])
        each: list[list[PromptToken]] = [[] for _block in self.blocks]
        labels = pieces.labels(self.tokens)
        for label, token_id, (start, _stop) in zip(
            labels, self.tokens.input_ids, self.tokens.offsets, strict=True
        ):
            place = min(int(np.searchsorted(ends, start, side="right")), len(self.blocks) - 1)
            each[place].append(PromptToken(label, token_id))
        return each


def grounded(
    context: PageContext, question: str, chunks: Sequence[str], words: Wording, n_new: int = N_NEW
) -> Grounded:
    """The prompt that asks a question with chunks; of chunks that are too long, the beginnings.

    Args:
        context: Page context with the model that answers.
        question: The question.
        chunks: The chunks, () for a closed book.
        words: Words around them.
        n_new: Tokens that have to fit behind the prompt.
    """
    limit = state.settings().max_prompt_chars // 2
    chunks = [chunk.strip()[: limit // max(1, len(chunks))] for chunk in chunks]
    made = _made(context, question, chunks, words)
    room = window(context, n_new) - len(made.tokens)
    if room >= 0 or not chunks:
        return made
    model_id = context.model.model_id
    cuts = [compute.tokenizers().tokenize(model_id, one, add_special_tokens=False) for one in chunks]
    n_all = sum(map(len, cuts))
    n_left = n_all
    while room < 0 < n_left:  # a chunk's last token may join what follows: rarely more than once
        kept = shares([len(cut) for cut in cuts], n_left + room)
        n_left = sum(kept)
        shorter = [cut.text[: cut.offsets[n - 1][1]] if n else "" for cut, n in zip(cuts, kept, strict=True)]
        made = _made(context, question, shorter, words)
        room = window(context, n_new) - len(made.tokens)
    return Grounded(made.blocks, made.tokens, n_all - n_left)


def window(context: PageContext, n_new: int = N_NEW) -> int:
    """Tokens that a prompt may have, so that so many still fit behind it."""
    limit, own = state.settings().max_tokens, context.model.n_ctx
    return min(limit, own or limit) - n_new


def _made(context: PageContext, question: str, chunks: Sequence[str], words: Wording) -> Grounded:
    said, model_id = question_blocks(chunks, question, words), context.model.model_id
    text = "".join(block.text for block in said)
    tokenizers = compute.tokenizers()
    if "chat_template" not in context.model.capabilities:
        whole = (*said, PromptBlock("instruction", f"\n{words.answer}"))
        text = "".join(block.text for block in whole)
        return Grounded(whole, tokenizers.tokenize(model_id, text, add_special_tokens=True))
    message = [{"role": "user", "content": text}]
    tokens = tokenizers.chat(model_id, message)
    ((start, stop),) = message_spans(tokens.text, tokenizers.chat_frames(model_id, message), [text])
    around = (PromptBlock("template", tokens.text[:start]), PromptBlock("template", tokens.text[stop:]))
    if stop - start != len(text):  # a template that trims its messages
        said = (PromptBlock("query", tokens.text[start:stop]),)
    blocks = (around[0], *said, around[1])
    return Grounded(tuple(block for block in blocks if block.text), tokens)
