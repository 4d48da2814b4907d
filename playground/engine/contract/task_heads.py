"""The part of the engine contract about task heads: an encoder and a linear layer that does a job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from playground.core.labelled_sets import fingerprint
from playground.engine.contract.asked import Asked
from playground.engine.contract.training import Observation, RunSettings, TrainingRequest
from playground.engine.contract.waiting import OnWait
from playground.errors import InputError

HeadTask = Literal["label", "number", "words"]
TASKS: tuple[HeadTask, ...] = ("label", "number", "words")
FROZEN, WHOLE = "head", "encoder"  # names of the two kinds of training
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class HeadSettings(RunSettings):
    """Settings of a run that trains a task head; there is no dropout anywhere.

    A head is a linear layer on vectors of length 1: on the mean of the last layer's states over all tokens of
    a text, or of two read together; for words, on the last state of the first token of each. Its weights
    start at 0. While it is trained the vectors are stretched by √d_model, so that one learning rate fits all
    encoders.

    Attributes:
        objective: "head" trains the linear layer alone on vectors that are read once; "encoder" trains the
            encoder's layers with it. Its table of embeddings stays frozen: most of a multilingual encoder's
            numbers lie there, and few texts would change few of its rows.
        task: A label of a text, a number of a text (squared error), a label of every word.
        labels: The labels, in the order of the outputs; () for a number.
        inverse_penalty: C of logistic regression: a head alone is trained to the least of
            Σ loss + ‖W‖² / 2C, W the weights on vectors of length 1, the bias left out. With three labels or
            more this is `LogisticRegression(C=C)` of scikit-learn, with two its `C=2 * C`, as it then has
            one row of weights for both; for a number it is `Ridge(alpha=1 / (2 * C))`. An encoder that is
            trained whole has no penalty.
    """

    n_steps: int = 200
    learning_rate: float = 1e-2
    batch_size: int = 500
    keep_best: bool = False
    objective: str = FROZEN
    task: HeadTask = "label"
    labels: tuple[str, ...] = ()
    inverse_penalty: float = 5.0


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text, or two that are judged together, with the right answer.

    Attributes:
        texts: One or two.
        answer: A label, a number, or a label of each word.
        words: First character of each word of the only text, and the one behind its last, in their order.
    """

    texts: tuple[str, ...]
    answer: str | float | tuple[str, ...]
    words: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class HeadExample:
    """A labelled text as an encoder reads it.

    Attributes:
        texts: As they were given.
        input_ids: Token ids, with the frame that the model's tokenizer puts around one text or a pair.
        segments: Part of the pair that each token belongs to, where the model has embeddings for that.
        places: Token whose state stands for a word, for each word that counts; () for the mean of all.
        targets: Number of the right label at each place, or of the text; or the number that is asked for.
    """

    texts: tuple[str, ...]
    input_ids: tuple[int, ...]
    targets: tuple[float, ...]
    segments: tuple[int, ...] = ()
    places: tuple[int, ...] = ()

    @property
    def n_tokens(self) -> int:
        """Tokens that are read."""
        return len(self.input_ids)

    @property
    def n_trained(self) -> int:
        """Answers that count in the loss."""
        return len(self.targets)

    @property
    def fingerprint(self) -> str:
        """Fingerprint of its texts, as that of a `LabelledItem`."""
        return fingerprint(self.texts)


@dataclass(frozen=True, slots=True)
class HeadRequest(TrainingRequest):
    """A run that trains a task head; no held-out text may be among those it learns from."""

    settings: HeadSettings
    train: tuple[HeadExample, ...]
    held_out: tuple[HeadExample, ...]
    general: tuple[HeadExample, ...] = ()


@dataclass(frozen=True, slots=True)
class HeadObservation(Observation):
    """Answers to the held-out texts at a milestone.

    Attributes:
        counts: Held-out answers by right label (row) and told label (column); () for numbers.
    """

    counts: tuple[tuple[int, ...], ...]

    @property
    def accuracy(self) -> float:
        """Share of right answers, NaN where none was asked."""
        n = sum(map(sum, self.counts))
        return sum(row[place] for place, row in enumerate(self.counts)) / n if n else float("nan")


@dataclass(frozen=True, slots=True)
class TaskHeadInfo:
    """A trained task head that can be asked.

    Attributes:
        head_id: Id by which the engine uses it.
        settings: Settings of its run; `model` is its encoder.
        step: Steps it was trained.
        run: Number of its run in the session, 0 for one that comes with the playground.
        n_parameters, size_bytes: Trained numbers, and memory they take.
        is_shipped: True if it comes with the playground; such a one belongs to nobody and stays.
        figures: Name -> number measured on held-out texts when it was made; of shipped ones only.
        trained_on: Fingerprints of the texts it has learned from; of shipped ones only.
    """

    head_id: str
    settings: HeadSettings
    step: int
    run: int
    n_parameters: int
    size_bytes: int
    is_shipped: bool = False
    figures: tuple[tuple[str, float], ...] = ()
    trained_on: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PredictRequest(Asked):
    """A question to a task head.

    Attributes:
        model: Id of the head.
        texts: One or two texts each; at most `max_head_texts`.
        words: Words of each text, for a head that labels words, as in `LabelledText`; else ().
    """

    texts: tuple[tuple[str, ...], ...] = ()
    words: tuple[tuple[Span, ...], ...] = ()
    topic: str = field(default="predict", kw_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """A task head's answer to one text.

    Attributes:
        values: Probability of each label; one row for a text, a row for every word. A word without a token
            of its own shares its neighbour's; one that the tokenizer leaves out has NaN. For a number: that
            number. Shape [1 or word, label], [1, 1] for a number.
        seconds: Time of the forward pass that it shared with others, divided by their number.
    """

    values: NDArray[np.float32]
    seconds: float


class TaskHeads(Protocol):
    """The part of an engine that knows task heads. They are trained by `training.runs`."""

    def shipped(self) -> tuple[TaskHeadInfo, ...]:
        """The heads that come with the playground."""
        ...

    def of(self, owner: str) -> list[TaskHeadInfo]:
        """The heads of a session, oldest first."""
        ...

    def info(self, head_id: str) -> TaskHeadInfo:
        """Facts about a head.

        Raises:
            HeadGone: It is no longer here, or never was.
        """
        ...

    def belongs(self, head_id: str, owner: str) -> bool:
        """True if a session may use the head; it may from now on where all others have left."""
        ...

    def remove(self, head_id: str, owner: str) -> None:
        """Delete a head of this session."""
        ...

    def examples(self, settings: HeadSettings, texts: Sequence[LabelledText]) -> tuple[HeadExample, ...]:
        """Each text as the encoder of a run reads it, behind the words that its makers put before a text.

        Two texts are joined as the model's tokenizer joins a pair; where it has no form for pairs, by a line
        break. Of a word the first token counts; one whose first token is another word's does not count.

        Raises:
            EmptyText, TooManyTokens: A text without a token, or too long: nothing is cut off.
            BadValue: A label that is none of the labels, or words that are not in the text.
            Unsupported: The model is no encoder.
        """
        ...

    def predict(
        self, request: PredictRequest, on_wait: OnWait | None = None
    ) -> Iterator[tuple[int, Prediction | InputError]]:
        """(place in `texts`, the answer or why that text cannot be read), as they are ready.

        Raises:
            HeadGone, InputError, ModelError, BusyError.
        """
        ...
