"""Three prompts answered on the same problems: what is asked, what is answered so far, and the run itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import streamlit as st

from playground.core.few_shot import Example
from playground.core.sampling import GREEDY, Sampling
from playground.core.tables import thinking as frames
from playground.core.tables.thinking import Transcript
from playground.engine.contract.generation import GenerateStep
from playground.errors import PlaygroundError
from playground.ui import compute, state, stepwise
from playground.ui.progress import Progress
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.throttle import Throttle
from playground.ui.waiting import stop_with

KEY = "pro_thinking"
PLACE = "{question}"
TEMPERATURE = 0.7  # of votes (Wang et al. 2022, section 3.1: 0.5 or 0.7)


@dataclass
class ThinkingRun:
    """The last run of one session.

    Attributes:
        context: Model and language it belongs to.
        prompts: Prompt id -> its text.
        n_votes: Answers to each problem: one greedy answer, or as many drawn ones.
        n_max: Tokens of an answer at most.
        items: The problems.
        written: Answers so far, the incomplete ones too.
        n_tokens: Tokens of the answers; those that a complete one did not need count as written.
        elapsed_ms: Until now.
    """

    context: PageContext
    prompts: Mapping[str, str]
    n_votes: int
    n_max: int
    items: tuple[Example, ...]
    written: list[Transcript] = field(default_factory=list)
    n_tokens: int = 0
    elapsed_ms: float = 0.0

    @property
    def total(self) -> int:
        """Answers there will be."""
        return len(self.prompts) * len(self.items) * self.n_votes

    @property
    def n_done(self) -> int:
        """Answers that are complete."""
        return sum(one.finish is not None for one in self.written)

    @property
    def asked(self) -> tuple[Mapping[str, str], int, int]:
        """The settings that the reader can change."""
        return self.prompts, self.n_votes, self.n_max

    def begin_again(self) -> None:
        """Forget the answers that are not complete; they are written from their beginning."""
        self.written = [one for one in self.written if one.finish is not None]
        self.n_tokens = self.n_done * self.n_max

    def parts(self) -> Iterator[list[Transcript]]:
        """Answers that are still to be written, those together of some problems with all their votes."""
        known = {(one.prompt, one.item, one.seed) for one in self.written if one.finish is not None}
        limits = state.settings()
        n_items = max(1, min(limits.max_continuations, limits.max_decode_rows) // self.n_votes)
        places = range(len(self.items))
        for prompt in self.prompts:
            for start in places[::n_items]:
                some = places[start : start + n_items]
                wanted = [(prompt, item, seed) for item in some for seed in range(self.n_votes)]
                if part := [Transcript(*one) for one in wanted if one not in known]:
                    yield part

    def request(self, one: Transcript) -> dict[str, Any]:
        """Fields of `GenerateRequest`: a chat's message where the model knows chats, otherwise the text."""
        text = self.prompts[one.prompt].replace(PLACE, self.items[one.item].text)
        how = {"sampling": Sampling(TEMPERATURE) if self.n_votes > 1 else GREEDY, "seed": one.seed}
        model = self.context.model
        if "chat_template" not in model.capabilities:
            return {"text": text, **how}
        chat = compute.tokenizers().chat(model.model_id, [{"role": "user", "content": text}])
        return {"input_ids": chat.input_ids, **how}

    def add(self, one: Transcript, step: GenerateStep) -> None:
        """Append a token to an answer."""
        if step.index == 0:
            self.written.append(one)
        one.text += step.text
        one.finish = step.finish_reason
        self.n_tokens += 1 if step.finish_reason is None else self.n_max - step.index

    def table(self) -> pd.DataFrame:
        """The accuracies so far."""
        return frames.accuracies(self.written, self.items, self.n_votes)


def answer(run: ThinkingRun, line: Any, draw: Callable[..., object]) -> None:  # noqa: ANN401  (Streamlit's container)
    """Answer what is missing; any click of the reader stops it within one step, what is answered stays.

    Args:
        run: The run; it goes into the session with its first token, so that a prompt which is refused
            leaves the last results.
        line: Element for the progress.
        draw: Draws a table of accuracies.
    """
    run.begin_again()
    pace, begun_at, before_ms = Throttle(), time.monotonic(), run.elapsed_ms
    with line.container():
        progress = _ThinkingProgress(run, draw)
        for part in run.parts():
            with closing(_steps(run, part)) as steps:
                for row, step in steps:
                    run.add(part[row], step)
                    st.session_state[KEY] = run
                    run.elapsed_ms = before_ms + 1_000 * (time.monotonic() - begun_at)
                    pace(progress.draw)
            if any(one.finish is None for one in part):  # a click that waits for the end of this run
                break
    st.rerun()


class _ThinkingProgress:
    """Progress of the answers, with the number of right ones so far."""

    def __init__(self, run: ThinkingRun, draw: Callable[..., object]) -> None:
        self._run, self._draw, self._n_drawn = run, draw, 0
        total = run.total * run.n_max
        model_id, done = run.context.model.model_id, run.n_tokens
        self._bar = Progress("thinking", model_id, total, _("The model writes"), done=done)

    def draw(self) -> None:
        run = self._run
        told = _("{done} of {total} answers").format(done=run.n_done, total=run.total)
        self._bar.draw(run.n_tokens, told)
        if run.n_done > self._n_drawn:
            self._draw(run.table())
        self._n_drawn = run.n_done


def _steps(run: ThinkingRun, part: list[Transcript]) -> Generator[tuple[int, GenerateStep]]:
    try:
        settings = [run.request(one) for one in part]
    except PlaygroundError as error:
        stop_with(error)
    return stepwise.generate_many(run.context, settings, max_new_tokens=run.n_max)
