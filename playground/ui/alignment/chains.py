"""The model answers, criticises and revises itself: all attacks of a rule in one batch, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from playground.core import constitution as core
from playground.core.constitution import ChatMessage, Constitution
from playground.core.constitution_chains import MAX_TOKENS, STEPS, Chain, with_text
from playground.core.sampling import GREEDY
from playground.ui import stepwise
from playground.ui.prompted import turns_ids
from playground.ui.state import PageContext

LINE_END = ("\n",)  # without a chat template an answer is one line


@dataclass
class ChainSet:
    """The chains of a rule, as far as they are written.

    Attributes:
        model_id: The model that writes.
        rule: The rule.
        language: Language of the sentences that ask for critique and revision.
        chains: One an attack.
        is_whole: True once every step of all of them is written, and the model was asked what it prefers.
    """

    model_id: str
    rule: str
    language: str
    chains: list[Chain]
    is_whole: bool = False


def conversation(words: Constitution, rule: str, chain: Chain, step: str) -> tuple[ChatMessage, ...]:
    """The messages that a step of a chain answers.

    Args:
        words: Sentences that ask for critique and revision.
        rule: The rule.
        chain: The chain so far.
        step: One of `STEPS`.
    """
    if step == "answer":
        return (("user", chain.attack),)
    if step == "critique":
        return core.critique_messages(words, rule, chain.attack, chain.answer)
    return core.revision_messages(words, rule, chain.attack, chain.answer, chain.critique)


def write(context: PageContext, found: ChainSet, draw: Callable[[str], None]) -> None:
    """Write every chain, then ask the model what it prefers; any click stops within one step.

    Args:
        context: From `frame.page`; its model writes.
        found: Chains with their attacks; what is written is put there.
        draw: Called with the name of the step at every token.
    """
    words = core.constitution(found.language)
    asked = replace(context, text="")
    for step in STEPS:
        for at, text in _written(asked, words, found, step):
            found.chains[at] = with_text(found.chains[at], step, text)
            draw(step)
        if not all(getattr(one, step).strip() for one in found.chains):
            found.chains[:] = [_without_empty(one, step) for one in found.chains]
    draw("preference")
    found.is_whole = _prefer(asked, words, found)


def _without_empty(chain: Chain, step: str) -> Chain:
    """The chain with a sign where nothing was written: an empty message would end the conversation."""
    return chain if getattr(chain, step).strip() else with_text(chain, step, "…")


def _written(
    context: PageContext, words: Constitution, found: ChainSet, step: str
) -> Iterator[tuple[int, str]]:
    """Place and text so far of each chain whose step grows, greedily."""
    is_chat = "chat_template" in context.model.capabilities
    settings = [
        {
            "input_ids": turns_ids(found.model_id, conversation(words, found.rule, one, step)),
            "sampling": GREEDY,
            "stop": () if is_chat else LINE_END,
        }
        for one in found.chains
    ]
    texts = [""] * len(found.chains)
    with closing(stepwise.generate_many(context, settings, max_new_tokens=MAX_TOKENS)) as steps:
        for at, token in steps:
            texts[at] += token.text
            yield at, texts[at].strip()


def _prefer(context: PageContext, words: Constitution, found: ChainSet) -> bool:
    """Ask which of both answers follows the rule better, in both orders; True once all are asked."""
    places = [at for at, one in enumerate(found.chains) if one.pair is not None]
    asked: list[tuple[int, ...]] = []
    for at in places:
        one = found.chains[at]
        both = core.choices(words, found.rule, one.attack, one.answer, one.revision)
        asked += [turns_ids(found.model_id, (("user", text),)) for text in both]
    if not asked:
        return True
    known: dict[int, tuple[float, float]] = {}
    candidates: Sequence[tuple[str, ...]] = [core.CHOICES] * len(asked)
    with closing(stepwise.scores(context, asked, candidates, topic="al_choices")) as scored:
        for number, one_score in scored:
            known[number] = (one_score.logprobs[0], one_score.logprobs[1])
    for number, at in enumerate(places):
        if 2 * number + 1 in known and 2 * number in known:
            value = core.prefers_revision(known[2 * number], known[2 * number + 1])
            found.chains[at] = replace(found.chains[at], preference=value)
    return len(known) == len(asked)
