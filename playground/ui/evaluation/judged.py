"""Questions to a model as a judge, and its verdicts, remembered for all readers of this process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Sequence
from contextlib import closing
from functools import lru_cache
from typing import Literal, NamedTuple

from playground.core.judging import JudgedPair, Verdict, p_first, read_pairs
from playground.engine.contract.models import ModelInfo
from playground.paths import site_root
from playground.ui import compute, stepwise
from playground.ui.progress import Progress
from playground.ui.state import PageContext
from playground.ui.text import _

N_KNOWN = 32
Rival = Literal["worse", "longer"]
# In the language of the question, not of the page: they are part of what is measured.
TEMPLATES = {
    "en": "Question: {question}\n\nAnswer A: {a}\n\nAnswer B: {b}\n\n"
    "Which answer is better? Reply with A or B only.",
    "ko": "질문: {question}\n\n답 A: {a}\n\n답 B: {b}\n\n어느 답이 더 나은가요? A 또는 B로만 답하세요.",
}
ANSWER = {"en": "\n\nAnswer:", "ko": "\n\n대답:"}  # behind it, for a model without a chat template


class Asked(NamedTuple):
    """A shipped pair as it is put to the judge: the worse answer as it is or lengthened, and the order."""

    pair: int
    rival: Rival
    better_first: bool


_known: OrderedDict[tuple[str, str], dict[Asked, float]] = OrderedDict()  # p(the first answer wins)


@lru_cache
def shipped() -> tuple[JudgedPair, ...]:
    """Our own pairs."""
    return read_pairs((site_root() / "assets" / "samples" / "judging.json").read_text("utf-8"))


def known(model: ModelInfo) -> dict[Asked, float]:
    """Answers of this model to all that somebody has asked it."""
    key = model.model_id, model.revision
    found = _known.setdefault(key, {})
    _known.move_to_end(key)
    while len(_known) > N_KNOWN:
        _known.popitem(last=False)
    return found


def asked_of(pairs: Sequence[int], rivals: Sequence[Rival]) -> list[Asked]:
    """Both orders of each pair."""
    return [Asked(pair, rival, first) for rival in rivals for pair in pairs for first in (True, False)]


def verdicts(model: ModelInfo, pairs: Sequence[int], rival: Rival) -> dict[int, Verdict]:
    """The verdicts on those of the pairs that have been asked in both orders."""
    answers = known(model)
    return {
        pair: Verdict(answers[Asked(pair, rival, True)], answers[Asked(pair, rival, False)])
        for pair in pairs
        if Asked(pair, rival, True) in answers and Asked(pair, rival, False) in answers
    }


def measure(context: PageContext, asked: Sequence[Asked]) -> bool:
    """Ask what is not known yet, with a bar; False where a click ended it. What is known so far stays.

    Args:
        context: The judge.
        asked: All questions.
    """
    answers = known(context.model)
    todo = [one for one in asked if one not in answers]
    if not todo:
        return True
    words, total = _("The judge reads"), len(asked)
    n_before = total - len(todo)
    bar = Progress("judge", context.model.model_id, total, words, done=n_before)
    n = 0
    with closing(_scores(context, [_shown(one) for one in todo])) as steps:
        for place, p in steps:
            answers[todo[place]] = p
            n += 1
            bar.draw(n_before + n, _("{done} of {total} verdicts").format(done=n_before + n, total=total))
    return n == len(todo)


def ask(context: PageContext, question: str, answers: tuple[str, str]) -> tuple[float, float] | None:
    """p(the first wins) of both orders of the reader's own answers; None where a click ended it.

    Args:
        context: The judge.
        question: The question.
        answers: The reader's answers A and B.
    """
    language = language_of(question)
    orders = [(language, question, *answers), (language, question, *answers[::-1])]
    with closing(_scores(context, orders)) as steps:
        found = [p for _place, p in steps]
    return (found[0], found[1]) if len(found) == len(orders) else None


def language_of(text: str) -> str:
    """Language of the prompt around a question: Korean where it has Hangul."""
    return "ko" if any("가" <= char <= "힣" for char in text) else "en"


def literal(context: PageContext, language: str, question: str, a: str, b: str) -> str | tuple[int, ...]:
    """The prompt as it is scored: a text, or the token ids of a chat."""
    prompt = template(context.model, language).format(question=question, a=a, b=b)
    if not is_chat(context.model):
        return prompt
    return compute.tokenizers().chat(context.model.model_id, [{"role": "user", "content": prompt}]).input_ids


def template(model: ModelInfo, language: str) -> str:
    """The prompt with places for the question and both answers."""
    return TEMPLATES[language] + ("" if is_chat(model) else ANSWER[language])


def is_chat(model: ModelInfo) -> bool:
    """True if the judge is asked in its chat template."""
    return "chat_template" in model.capabilities


def labels(model: ModelInfo) -> tuple[str, str]:
    """The two verdicts as they are scored."""
    return ("A", "B") if is_chat(model) else (" A", " B")


def _shown(one: Asked) -> tuple[str, str, str, str]:
    pair = shipped()[one.pair]
    answers = (pair.better, pair.worse if one.rival == "worse" else pair.longer)
    a, b = answers if one.better_first else answers[::-1]
    return pair.language, pair.question, a, b


def _scores(context: PageContext, shown: Sequence[tuple[str, str, str, str]]) -> Generator[tuple[int, float]]:
    """(number of the prompt, p(its first answer wins)), as they are known."""
    texts = [literal(context, *one) for one in shown]
    wanted = [labels(context.model)] * len(texts)
    with closing(stepwise.scores(context, texts, wanted, topic="judge")) as steps:
        for place, scores in steps:
            yield place, p_first(scores.logprobs)
