"""Answers of the class's model: several in one batch, each once for all readers who ask the same."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence
from contextlib import closing
from dataclasses import dataclass

from playground.core.byte_cache import ByteCache
from playground.core.sampling import GREEDY
from playground.engine.contract.generation import FinishReason, GenerateStep
from playground.ui import state, stepwise
from playground.ui.retrieval.grounded import N_NEW, Grounded
from playground.ui.state import PageContext


@dataclass(frozen=True, slots=True)
class Written:
    """An answer.

    Attributes:
        text: The answer so far.
        n_tokens: Tokens of it.
        finish: Reason of its end; None while it is being written.
    """

    text: str = ""
    n_tokens: int = 0
    finish: FinishReason | None = None

    @property
    def size_bytes(self) -> int:
        """Bytes it keeps alive, the key in the cache included, roughly."""
        return 500 + len(self.text)

    def plus(self, step: GenerateStep) -> Written:
        """The answer with one more token."""
        return Written(self.text + step.text, self.n_tokens + 1, step.finish_reason)


_known: ByteCache[Written] = ByteCache(4 * 2**20)


def known(context: PageContext, prompt: Grounded) -> Written | None:
    """The whole answer, if anybody has asked the same."""
    return _known.get(_key(context, prompt))


def write(context: PageContext, prompts: Sequence[Grounded]) -> Generator[tuple[int, Written]]:
    """(place of the prompt, its answer so far): what is known at once, the rest token by token.

    Ends at a click of the reader; what is complete stays known. Greedy: the most probable token each time.

    Args:
        context: Page context with the model that answers.
        prompts: The prompts.
    """
    rest = []
    for place, prompt in enumerate(prompts):
        if (answer := known(context, prompt)) is not None:
            yield place, answer
        else:
            rest.append(place)
    together = min(state.settings().max_continuations, state.settings().max_decode_rows)
    for first in range(0, len(rest), together):
        some = rest[first : first + together]
        answers = [Written() for _place in some]
        with closing(_steps(context, [prompts[place] for place in some])) as steps:
            for row, step in steps:
                answers[row] = answers[row].plus(step)
                if step.finish_reason is not None:
                    _known.put(_key(context, prompts[some[row]]), answers[row])
                yield some[row], answers[row]
        if any(one.finish is None for one in answers):  # a click waits for the end of this run
            return


def _steps(context: PageContext, prompts: Sequence[Grounded]) -> Generator[tuple[int, GenerateStep]]:
    stop = () if "chat_template" in context.model.capabilities else ("\n",)
    settings = [
        {"input_ids": prompt.tokens.input_ids, "sampling": GREEDY, "stop": stop} for prompt in prompts
    ]
    return stepwise.generate_many(context, settings, max_new_tokens=N_NEW)


def _key(context: PageContext, prompt: Grounded) -> Hashable:
    model = context.model
    return model.model_id, model.revision, model.adapter, model.dtype, prompt.tokens.input_ids
