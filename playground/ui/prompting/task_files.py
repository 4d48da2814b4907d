"""The tasks that come with the page, in the reader's language."""

from __future__ import annotations

import json
from functools import lru_cache

from playground.core.few_shot import Example, PromptTask
from playground.ui.text import N_, _
from playground.ui.translations import localized

NAMES = {
    "sentiment": N_("Sentiment"),
    "topic": N_("Topic"),
    "yes_no": N_("Yes or no"),
    "language": N_("Which language"),
    "capitals": N_("Capital cities"),
    "word_game": N_("A made-up word game"),
    "reverse": N_("Reverse a word"),
    "arithmetic": N_("Arithmetic"),
}


def names() -> dict[str, str]:
    """Task id -> its name in the reader's language, in the order of the list."""
    return {task_id: _(name) for task_id, name in NAMES.items()}


@lru_cache
def task(task_id: str, language: str) -> PromptTask:
    """A task that comes with the page; its examples are ours.

    Args:
        task_id: A key of `NAMES`, or "problems".
        language: Language of the examples, where there are some in it; otherwise they are English.
    """
    read = json.loads(localized(language, "tasks", f"{task_id}.json").read_text("utf-8"))
    examples = tuple(
        Example(one["text"], one["label"], tuple(one.get("others", ()))) for one in read["items"]
    )
    return PromptTask(read["instruction"], read["input"], read["output"], examples)
