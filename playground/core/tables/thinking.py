"""Prompts compared on the same problems, as tidy tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from playground.core.few_shot import Example
from playground.core.metrics.intervals import wilson_interval
from playground.core.voting import canonical_number, last_number, majority

TRANSCRIPTS = (
    "prompt", "question", "seed", "transcript", "cut_off", "read", "votes", "answer", "right_answer", "right",
)  # fmt: skip
ACCURACIES = ("prompt", "n_right", "n", "accuracy", "low", "high")


@dataclass(slots=True)
class Transcript:
    """A model's text on one problem, as far as it is written.

    Attributes:
        prompt: Id of the prompt.
        item: Number of the problem, from 0.
        seed: Seed of the draw.
        text: The text so far.
        finish: Reason for the end (`GenerateStep.finish_reason`), None before.
    """

    prompt: str
    item: int
    seed: int
    text: str = ""
    finish: str | None = None


def transcripts(written: Iterable[Transcript], items: Sequence[Example], n_votes: int) -> pd.DataFrame:
    """Transcripts of the problems whose votes are all in, one row each, in the order they were written.

    Args:
        written: Complete and incomplete ones.
        items: The problems; their labels are numbers.
        n_votes: Transcripts of each problem under each prompt.

    Returns:
        prompt, question, seed, transcript, cut_off (True if a limit ended it), read (the number in it, ""
        without one), votes ("2/3": how many of the problem's transcripts give the same number), answer (the
        majority's), right_answer, right (True if the answer is the right one).
    """
    rows = []
    for voters in _decided(written, n_votes):
        read = [last_number(transcript.text) for transcript in voters]
        answer, item = majority(read), items[voters[0].item]
        right_answer = canonical_number(item.label)
        for transcript, number in zip(voters, read, strict=True):
            n_same = read.count(number) if number is not None else 0
            rows.append(
                (
                    transcript.prompt, item.text, transcript.seed, transcript.text,
                    transcript.finish != "end_of_text", number or "", f"{n_same}/{n_votes}", answer or "",
                    right_answer, answer == right_answer,
                )
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(TRANSCRIPTS))


def accuracies(written: Iterable[Transcript], items: Sequence[Example], n_votes: int) -> pd.DataFrame:
    """Accuracy of each prompt that has an answer, one row each.

    Args:
        written, items, n_votes: As in `transcripts`.

    Returns:
        prompt, n_right, n (problems whose votes are all in), accuracy, low, high (Wilson's 95 % interval).
    """
    rows = [
        (prompt, sum(right), len(right), sum(right) / len(right), *wilson_interval(sum(right), len(right)))
        for prompt, right in each_right(written, items, n_votes).items()
    ]
    return pd.DataFrame(rows, columns=list(ACCURACIES))


def each_right(
    written: Iterable[Transcript], items: Sequence[Example], n_votes: int
) -> dict[str, list[bool]]:
    """Prompt -> True for each problem that was answered right, in their order, of those that are decided.

    Args:
        written, items, n_votes: As in `transcripts`.
    """
    by_prompt: dict[str, dict[int, bool]] = {}
    for voters in _decided(written, n_votes):
        item = voters[0].item
        right = majority(last_number(transcript.text) for transcript in voters) == canonical_number(
            items[item].label
        )
        by_prompt.setdefault(voters[0].prompt, {})[item] = right
    return {prompt: [right[item] for item in sorted(right)] for prompt, right in by_prompt.items()}


def _decided(written: Iterable[Transcript], n_votes: int) -> Iterator[list[Transcript]]:
    """The transcripts of each problem under each prompt, where all are complete."""
    groups: dict[tuple[str, int], list[Transcript]] = {}
    for transcript in written:
        if transcript.finish is not None:
            groups.setdefault((transcript.prompt, transcript.item), []).append(transcript)
    return (group for group in groups.values() if len(group) == n_votes)
