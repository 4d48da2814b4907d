"""Try this, checked against the model's values."""

from __future__ import annotations

import numpy as np

from playground.ui.prompting import which
from playground.ui.prompting.asking import Answer
from playground.ui.prompting.prompt import Prompt
from playground.ui.try_this import Task


def make(prompt: Prompt, answer: Answer | None) -> list[Task]:
    """The three tasks of the page.

    Args:
        prompt: The prompt on the page.
        answer: The model's answer to it, None where there is none.
    """
    places = [str(place) for place in range(1, max(1, len(prompt.demos)) + 1)]
    return [
        Task("turn", "goal", lambda: answer is not None and is_turned(answer)),
        Task("tokens", "number", lambda: tokens_each(prompt, answer), tolerance=0.5),
        Task("most", "choice", lambda: most(prompt, answer), places),
    ]


def is_turned(answer: Answer) -> bool:
    """True if the examples have made the model answer something else."""
    return bool(np.argmax(answer.shots) != np.argmax(answer.none))


def tokens_each(prompt: Prompt, answer: Answer | None) -> float:
    """Tokens of an example of the prompt, on average."""
    demos = prompt.demos
    if answer is None or not demos:
        return 0.0
    return (len(prompt.tokens) - len(prompt.tokens_of(()))) / len(demos)


def most(prompt: Prompt, answer: Answer | None) -> str:
    """Place of the example whose absence changes the answer most."""
    if answer is None or not prompt.demos:
        return "1"
    table = which.left_out(prompt, answer)
    return str(table["left_out"].iloc[int(table["change"].abs().argmax())])
