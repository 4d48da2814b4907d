"""The code that gives the numbers of the page on prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.core.few_shot import CONTENT_FREE, Example, separators
from playground.ui import show
from playground.ui.prompting.prompt import Prompt


def few_shot(prompt: Prompt, many: Sequence[Sequence[Example]]) -> str:
    """The script that asks the query under each of these lists of examples."""
    queries = CONTENT_FREE if prompt.is_calibrated else ()
    return show.code(
        "few_shot",
        folder=show.model_folder(prompt.context.model.model_id),
        prompts=[prompt.literal(demos, prompt.query.text) for demos in many],
        labels=list(prompt.candidates(prompt.options)),
        following=prompt.following(prompt.options),
        content_free=[[prompt.literal(demos, query) for query in queries] for demos in many],
        by_length=prompt.by_length,
        is_chat=prompt.style == "chat",
    )


def accuracies(prompt: Prompt, points: Mapping[object, Sequence[Example]]) -> str:
    """The script that answers all test items under each of these lists of examples.

    Args:
        prompt: Everything else about the prompts.
        points: Name -> examples.
    """
    task = prompt.task
    own = None if prompt.style == "chat" else separators(task, prompt.style)
    return show.code(
        "shots",
        folder=show.model_folder(prompt.context.model.model_id),
        instruction=f"{task.instruction}\n\n" if task.instruction else "",
        marks=own,
        next_text=task.examples[0].text,
        points={name: [(one.text, one.label) for one in demos] for name, demos in points.items()},
        test=[(one.text, task.right(one), list(task.options(one))) for one in prompt.test],
        content_free=list(CONTENT_FREE) if prompt.is_calibrated else [],
        by_length=prompt.by_length,
    )
