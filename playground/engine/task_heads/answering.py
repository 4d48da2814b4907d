"""The job of texts that a task head is asked about: one forward pass of the encoder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from playground.engine.contract.task_heads import Prediction
from playground.engine.models.finite import check_finite
from playground.engine.models.loaded import LoadedModel
from playground.engine.task_heads.cutting import Cut
from playground.engine.task_heads.trained import TrainedHead


@dataclass(frozen=True)
class AnswerWork:
    """Payload of the job of one chunk of texts; its result is a list of predictions.

    Attributes:
        head: The head.
        loaded: Its encoder as it was before the training.
        texts: At least one.
    """

    head: TrainedHead
    loaded: LoadedModel
    texts: Sequence[Cut]
    n_forwards: int = 1

    def run(self) -> list[Prediction]:
        """Answers to all texts, in their order."""
        begun = time.perf_counter()
        answers = self.head.answers(self.loaded, self.texts)
        for text, answer in zip(self.texts, answers, strict=True):
            known = [place is not None for place in text.places]
            check_finite(self.loaded, answer[known] if known else answer)
        seconds = (time.perf_counter() - begun) / len(self.texts)
        return [Prediction(answer.numpy(), seconds) for answer in answers]
