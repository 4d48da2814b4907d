r"""The text that a decoder continues to do a job: examples with their answers, and the item asked about.

English: It is late.
Korean: 늦었다.           } as many examples as fit

English: The sun is up.
Korean:                   <- the model goes on here, to the end of the line
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from playground.core.jobs.items import QuestionItem, WritingItem

Writes = WritingItem | QuestionItem
WritingJob = Literal["translation", "summarization", "qa"]
END = "\n"  # an answer is one line
LANGUAGES = {"en": "English", "ko": "Korean"}
WORDS = {
    "en": {"text": "Text", "summary": "Summary in one sentence", "question": "Question", "answer": "Answer"},
    "ko": {"text": "글", "summary": "한 문장 요약", "question": "질문", "answer": "답"},
}


def prompt(item: Writes, shots: Sequence[Writes]) -> str:
    r"""The prompt of an item, behind examples of the same job.

    Example:
        >>> item = WritingItem("en", "held_out", "The sun is up.", "ko", ("해가 떴다.",))
        >>> shot = WritingItem("en", "train", "It is late.", "ko", ("늦었다.",))
        >>> prompt(item, [shot])
        'English: It is late.\nKorean: 늦었다.\n\nEnglish: The sun is up.\nKorean:'
    """
    return "".join(f"{_asked(one)} {answers(one)[0]}\n\n" for one in shots) + _asked(item)


def answers(item: Writes) -> tuple[str, ...]:
    """The right answers of an item."""
    return item.answers if isinstance(item, QuestionItem) else item.references


def source(item: Writes, family: str) -> str:
    """The source that an encoder-decoder reads for a job: T5 wants to be told the job, others do one alone.

    Source:
        Raffel et al. 2020, arXiv:1910.10683, appendix D.
    """
    if isinstance(item, QuestionItem):
        asked = f"question: {item.question} context: {item.context}"
        return asked if family == "t5" else f"{item.question} {item.context}"
    if family != "t5":
        return item.text
    if item.target == item.language:
        return f"summarize: {item.text}"
    return f"translate {LANGUAGES[item.language]} to {LANGUAGES[item.target]}: {item.text}"


def _asked(item: Writes) -> str:
    words = WORDS.get(item.language, WORDS["en"])
    if isinstance(item, QuestionItem):
        return f"{words['text']}: {item.context}\n{words['question']}: {item.question}\n{words['answer']}:"
    if item.target == item.language:
        return f"{words['text']}: {item.text}\n{words['summary']}:"
    return f"{LANGUAGES[item.language]}: {item.text}\n{LANGUAGES[item.target]}:"
