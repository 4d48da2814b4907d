"""A question asked together with pieces of documents: the prompt in its parts, and how it can be spoilt.

    Here is a text:

    The cook is Bram Tuckett. ...                 chunk 1
                                                  chunk 2
    Question about the text: Who is the cook?     query

Of nine wordings measured with SmolLM2-135M on the 35 questions about the handbook, right chunk in the prompt,
this one and one with an example answered most of them (23; "Context: ... Answer briefly." 19, a prompt
without the chat template 11 to 14).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from playground.core.answering import says
from playground.core.documents import Question
from playground.core.few_shot import PromptBlock

Way = Literal["closed", "right", "wrong", "shuffled"]
WAYS: tuple[Way, ...] = get_args(Way)


@dataclass(frozen=True, slots=True)
class Wording:
    """The words around chunks and question, in the language of the question.

    Attributes:
        text: Words before the chunks.
        about_text, question: Words before a question with chunks, and before one without.
        answer: Word after which a model without a chat template goes on.
    """

    text: str
    about_text: str
    question: str
    answer: str


WORDINGS: Mapping[str, Wording] = MappingProxyType(
    {
        "en": Wording("Here is a text:", "Question about the text:", "Question:", "Answer:"),
        "ko": Wording("다음 글을 읽으십시오.", "이 글에 대한 질문:", "질문:", "답:"),
    }
)


def question_blocks(chunks: Sequence[str], question: str, words: Wording) -> tuple[PromptBlock, ...]:
    r"""The message to the model in parts: the chunks, where there are any, then the question.

    Args:
        chunks: Pieces of documents, the best one first; () for a closed book.
        question: The question.
        words: Words around both.

    Example:
        >>> asked = question_blocks(["Ann cooks."], "Who cooks?", WORDINGS["en"])
        >>> "".join(block.text for block in asked)
        'Here is a text:\n\nAnn cooks.\n\nQuestion about the text: Who cooks?'
    """
    parts: list[PromptBlock] = []
    for number, chunk in enumerate(chunks, 1):
        parts.append(PromptBlock("instruction", f"{words.text}\n\n" if number == 1 else "\n\n"))
        parts.append(PromptBlock("chunk", chunk.strip(), number))
    before = f"\n\n{words.about_text} " if chunks else f"{words.question} "
    return (*parts, PromptBlock("instruction", before), PromptBlock("query", question.strip()))


def shuffled(text: str, seed: int) -> str:
    """The words of a text in a random order: everything is there, and nothing is said.

    Example:
        >>> shuffled("Ann cooks for Bob.", 0)
        'for Ann cooks Bob.'
    """
    words = text.split()
    random.Random(seed).shuffle(words)
    return " ".join(words)


def injected(chunk: str, order: str) -> str:
    """A chunk with a sentence at its end that speaks to the model instead of the reader."""
    return f"{chunk.strip()} {order.strip()}"


def shares(n_tokens: Sequence[int], room: int) -> tuple[int, ...]:
    """Tokens each chunk may keep where not all fit: short ones stay whole, long ones get equal shares.

    Args:
        n_tokens: Tokens of each chunk.
        room: Tokens for all of them together; less than none counts as none.

    Example:
        >>> shares([50, 400, 300], 450), shares([50, 100], 450), shares([80], -3)
        ((50, 200, 200), (50, 100), (0,))
    """
    kept = [0] * len(n_tokens)
    left = max(0, room)
    for done, place in enumerate(sorted(range(len(n_tokens)), key=n_tokens.__getitem__)):
        kept[place] = min(n_tokens[place], left // (len(n_tokens) - done))
        left -= kept[place]
    return tuple(kept)


@dataclass(frozen=True, slots=True)
class Picked:
    """Chunks that a question is asked with, by their place in the list that was searched.

    Attributes:
        right: The one that holds the passage, then the best of the others; the best ones where none holds it
            or the passage is not known.
        wrong: The best ones that neither hold the passage nor say the answer; the last ones where the
            passage is not known.
        rank: Rank of the one that holds the passage, from 1; None where there is none.
    """

    right: tuple[int, ...]
    wrong: tuple[int, ...]
    rank: int | None


def pick(ranked: Sequence[str], question: Question | None, n: int) -> Picked:
    """Choose the chunks to ask a question with.

    Args:
        ranked: All chunks, best found first.
        question: The question, where it is known which passage answers it.
        n: Chunks of each kind.

    Example:
        >>> pick(["a", "b", "c"], None, 1)
        Picked(right=(0,), wrong=(2,), rank=None)
    """
    places = range(len(ranked))
    if question is None or not question.answers:
        return Picked(tuple(places[:n]), tuple(reversed(places[-n:])), None)
    holding = [place for place in places if question.held_by(ranked[place])]
    first = holding[:1]
    right = (*first, *(place for place in places if place not in first))[:n]
    wrong = [place for place in places if not says(ranked[place], question.answers)]
    return Picked(right, tuple(wrong[:n]), first[0] + 1 if first else None)
