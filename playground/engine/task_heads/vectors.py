"""The vectors that a task head reads, and what it makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeVar

from torch import Tensor
from torch.nn.functional import cross_entropy, linear, mse_loss, normalize

from playground.engine.contract.task_heads import HeadTask
from playground.engine.forward.traces import pad
from playground.engine.models.loaded import LoadedModel


class ReadTogether(Protocol):
    """A text, or a pair, as token ids."""

    @property
    def input_ids(self) -> tuple[int, ...]:
        """Token ids with their frame."""

    @property
    def segments(self) -> tuple[int, ...]:
        """Part of the pair of each token, or ()."""


Read = TypeVar("Read", bound=ReadTogether)


def in_chunks(texts: Sequence[Read], max_tokens: int) -> Iterator[list[Read]]:
    """Texts of similar length together, at most `max_tokens` with the padding; a longer one goes alone."""
    chunk: list[Read] = []
    for text in sorted(texts, key=lambda one: len(one.input_ids)):
        if chunk and len(text.input_ids) * (len(chunk) + 1) > max_tokens:
            yield chunk
            chunk = []
        chunk.append(text)
    if chunk:
        yield chunk


def last_states(loaded: LoadedModel, texts: Sequence[ReadTogether]) -> list[Tensor]:
    """The last layer's states of each text, from one forward pass. Each [token, d_model], float32.

    Gradients flow where the model's weights have some and they are enabled.
    """
    ids, mask = pad([one.input_ids for one in texts], loaded.device)
    arguments: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
    if any(one.segments for one in texts):
        segments, _mask = pad([one.segments or (0,) * len(one.input_ids) for one in texts], loaded.device)
        arguments["token_type_ids"] = segments
    states: Tensor = loaded.model.base_model(**arguments).last_hidden_state
    return [own[: len(one.input_ids)].float() for own, one in zip(states, texts, strict=True)]


def text_vector(states: Tensor) -> Tensor:
    """The mean of the states [token, d_model] over all tokens, frame included, of length 1. [1, d_model]."""
    return normalize(states.mean(0, keepdim=True), dim=-1)


def word_vectors(states: Tensor, places: Sequence[int]) -> Tensor:
    """The states [token, d_model] at some places, each of length 1. Shape [place, d_model]."""
    return normalize(states[list(places)], dim=-1)


def outputs(vectors: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The head's outputs: logits of the labels, or the number. Shape [answer, output].

    Args:
        vectors: Shape [answer, d_model].
        weight, bias: Shapes [output, d_model] and [output].
    """
    return linear(vectors, weight, bias)


def losses(task: HeadTask, made: Tensor, targets: Tensor) -> Tensor:
    """The loss of each answer: cross entropy in nats, or the squared error. Shape [answer].

    Args:
        task: The head's task.
        made: Outputs. Shape [answer, output].
        targets: Numbers of the right labels, or the numbers asked for. Shape [answer].
    """
    if task == "number":
        return mse_loss(made[:, 0], targets, reduction="none")
    return cross_entropy(made, targets.long(), reduction="none")
