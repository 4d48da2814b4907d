"""Few-shot prompts: how demonstrations become a text, and how labels are read off the model's answer.

instruction   Is the review positive or negative?
demonstration Review: The soup was cold.      } n_shot of them, each with its label
              Sentiment: negative
query         Review: I loved it.
              Sentiment:                      <- log p(" positive" | all this), log p(" negative" | ...)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, zip_longest
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from playground.core.canonical import distinct, is_same

Kind = Literal["instruction", "demonstration", "label", "chunk", "query", "template"]
_KIND_OF_ROLE: dict[str, Kind] = {"system": "instruction", "user": "demonstration", "assistant": "label"}
Format = Literal["labelled", "arrow", "qa", "chat"]
FORMATS: tuple[Format, ...] = get_args(Format)
CONTENT_FREE = ("N/A", "[MASK]", "")  # Zhao et al. 2021, section 5


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its label.

    Attributes:
        text: The text that is asked about.
        label: The right answer.
        others: Wrong answers it is compared with; () where all labels of the task are.
    """

    text: str
    label: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PromptTask:
    """A task that a few-shot prompt puts to a model.

    Attributes:
        instruction: The text that stands first, "" for none.
        input_name, output_name: Words before a text and before its label.
        examples: All examples of the task.
    """

    instruction: str
    input_name: str
    output_name: str
    examples: tuple[Example, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label once, as it is first written, in alphabetical order."""
        return tuple(sorted(distinct(example.label for example in self.examples)))

    def options(self, example: Example) -> tuple[str, ...]:
        """The answers that are compared for one text: its own ones where labels are open, else all labels."""
        return tuple(sorted(distinct((example.label, *example.others)))) if example.others else self.labels

    def right(self, example: Example) -> str:
        """The one of its options that is the example's label, "" where it has none."""
        return next((option for option in self.options(example) if is_same(option, example.label)), "")


@dataclass(frozen=True, slots=True)
class PromptBlock:
    """A stretch of a prompt.

    Attributes:
        kind: The part of the prompt it is.
        text: The text word for word; the texts of all blocks together are the prompt.
        number: Number of the demonstration or chunk, from 1; 0 for the other kinds.
    """

    kind: Kind
    text: str
    number: int = 0


def blocks(task: PromptTask, demos: Sequence[Example], query: str, style: Format) -> tuple[PromptBlock, ...]:
    r"""The prompt, ending where the label of the query begins; for "chat" see `chat_blocks`.

    Example:
        >>> task = PromptTask("Which?", "Word", "Game", ())
        >>> "".join(block.text for block in blocks(task, [Example("cow", "wug")], "cup", "arrow"))
        'Which?\n\ncow -> wug\ncup ->'
    """
    before, between, after = separators(task, style)
    parts = [PromptBlock("instruction", f"{task.instruction}\n\n")] if task.instruction else []
    for number, demo in enumerate(demos, 1):
        parts.append(PromptBlock("demonstration", f"{before}{demo.text}{between}", number))
        parts.append(PromptBlock("label", f" {demo.label}{after}", number))
    return (*parts, PromptBlock("query", f"{before}{query}{between}"))


def separators(task: PromptTask, style: Format) -> tuple[str, str, str]:
    """The text before an example's text, between it and its label, and after the label; "chat" has none."""
    if style == "arrow":
        return "", " ->", "\n"
    if style == "qa":
        return "Q: ", "\nA:", "\n\n"
    return f"{task.input_name}: ", f"\n{task.output_name}:", "\n\n"


def candidates(options: Sequence[str], style: Format) -> tuple[str, ...]:
    r"""The text that is scored for each option: the label as it stands in a demonstration.

    Where one option begins another, each is scored with the text that follows a label in a demonstration,
    otherwise the shorter one could not lose; in "chat" that is a special token, not text, so it is left out.

    Example:
        >>> candidates(["yes", "yes sir"], "arrow")
        (' yes\n', ' yes sir\n')
    """
    if style == "chat":
        return tuple(options)
    after = separators(PromptTask("", "", "", ()), style)[2] if is_nested(options) else ""
    return tuple(f" {option}{after}" for option in options)


def following(task: PromptTask, style: Format, options: Sequence[str]) -> str:
    r"""The text behind a label in a demonstration: the rest of that example, and the start of the next.

    The tokens of a label depend on it: "\n\n" may be one token at the end of a text and two before a letter.

    Args:
        task: The task; its first example stands for the next one.
        style: Format of the examples; behind an answer in a chat is a special token, not text, so "".
        options: Labels that are compared.

    Example:
        >>> task = PromptTask("", "", "", (Example("cow", "yes"),))
        >>> following(task, "qa", ["yes", "no"]), following(task, "arrow", ["yes", "yes sir"])
        ('\n\nQ: cow', 'cow')
    """
    if style == "chat":
        return ""
    before, _between, after = separators(task, style)
    text = task.examples[0].text if task.examples else ""
    return ("" if is_nested(options) else after) + before + text


def is_nested(options: Sequence[str]) -> bool:
    """True if one option is the beginning of another."""
    return any(longer != option and longer.startswith(option) for option in options for longer in options)


def messages(task: PromptTask, demos: Sequence[Example], query: str) -> list[dict[str, str]]:
    """The same as a chat: the instruction from the system, demonstrations as earlier turns."""
    turns = [
        turn
        for demo in demos
        for turn in ({"role": "user", "content": demo.text}, {"role": "assistant", "content": demo.label})
    ]
    system = [{"role": "system", "content": task.instruction}] if task.instruction else []
    return [*system, *turns, {"role": "user", "content": query}]


def chat_blocks(
    rendered: str, frames: Sequence[str], turns: Sequence[Mapping[str, str]]
) -> tuple[PromptBlock, ...]:
    """The blocks of a chat prompt: the contents of the messages, and the template around them.

    Args:
        rendered: The messages in the model's template.
        frames: As in `message_spans`.
        turns: From `messages`.

    Example:
        >>> parts = chat_blocks("<u>cow</u><a>", ["<u>", "</u><a>"], [{"role": "user", "content": "cow"}])
        >>> [block.text for block in parts]
        ['<u>', 'cow', '</u><a>']
    """
    parts, at, number = [], 0, 0
    spans = message_spans(rendered, frames, [message["content"] for message in turns])
    for index, (message, (start, stop)) in enumerate(zip(turns, spans, strict=False)):
        last = index == len(turns) - 1
        number += message["role"] == "user" and not last
        kind: Kind = "query" if last else _KIND_OF_ROLE[message["role"]]
        parts.append(PromptBlock("template", rendered[at:start]))
        parts.append(
            PromptBlock(kind, rendered[start:stop], number if kind in ("demonstration", "label") else 0)
        )
        at = stop
    return tuple(block for block in (*parts, PromptBlock("template", rendered[at:])) if block.text)


def message_spans(text: str, frames: Sequence[str], contents: Sequence[str]) -> list[tuple[int, int]]:
    """Start and end (exclusive) of each message in the text.

    Args:
        text: The whole prompt.
        frames: The text before, between and after the messages: one more than there are messages.
        contents: Their contents. A template may shorten one; then the message is the text between its frames.

    Example:
        >>> message_spans("<u>u<a>", ["<u>", "<a>"], ["u"])
        [(3, 4)]
        >>> message_spans("<u>cow<a>", ["<u>", "<a>"], [" cow "])
        [(3, 6)]
    """
    if "".join(chain(*zip_longest(frames, contents, fillvalue=""))) == text:
        lengths = zip(map(len, frames), map(len, contents), strict=False)
        spans, at = [], 0
        for before, content in lengths:
            spans.append((at + before, at + before + content))
            at += before + content
        return spans
    spans, at = [], 0
    for before_text, after_text in pairwise(frames):
        start = text.find(before_text, at) + len(before_text)
        at = text.find(after_text, start)
        if at < 0:
            break
        spans.append((start, at))
    return spans


# ---------------------------------------------------------------- from scores to labels


def label_probabilities(
    logprobs: Sequence[float], n_tokens: Sequence[int], *, by_length: bool = False
) -> NDArray[np.float64]:
    """Probabilities of the labels, normalised among themselves to sum to 1.

    Args:
        logprobs: log p(label | prompt) of each, nats, summed over its tokens.
        n_tokens: Number of tokens of each.
        by_length: Compare the mean per token, not the sum, so that long labels are not at a disadvantage.

    Returns:
        Shape [label].

    Example:
        >>> label_probabilities(np.log([0.3, 0.1]), [1, 2]).round(2).tolist()
        [0.75, 0.25]

    Source:
        By length: Brown et al. 2020, "Language Models are Few-Shot Learners", arXiv:2005.14165, 2.4.
    """
    scores = np.array(logprobs, dtype=np.float64)
    if by_length:
        scores = scores / np.array(n_tokens)
    weights = np.exp(scores - scores.max())
    return np.asarray(weights / weights.sum())


def calibrated(
    probs: NDArray[np.float64], content_free: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Divide by the probabilities that the model gives for a query without content, and renormalise.

    Args:
        probs: Probabilities of the labels, for the query. Shape [label].
        content_free: The same for queries such as "N/A"; their mean counts. Each of shape [label].

    Returns:
        Shape [label].

    Example:
        >>> calibrated(np.array([0.6, 0.4]), [np.array([0.75, 0.25])]).round(3).tolist()
        [0.333, 0.667]

    Source:
        Zhao et al. 2021, "Calibrate Before Use", arXiv:2102.09690, section 5: W = diag(p_cf)^-1, b = 0.
    """
    weights = probs / np.maximum(np.mean(content_free, axis=0), 1e-12)
    return np.asarray(weights / weights.sum())
