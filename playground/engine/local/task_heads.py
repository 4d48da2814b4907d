"""The part of `LocalEngine` that knows task heads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from playground.engine.contract.task_heads import (
    HeadExample,
    HeadSettings,
    LabelledText,
    Prediction,
    PredictRequest,
    TaskHeadInfo,
)
from playground.engine.contract.waiting import OnWait
from playground.engine.local.ask import Ask, Backend
from playground.engine.task_heads.answering import AnswerWork
from playground.engine.task_heads.cutting import Cut, cut, example, require_encoder
from playground.engine.task_heads.trained import SHIPPED, HeadTable, TrainedHead, shipped
from playground.engine.task_heads.vectors import in_chunks
from playground.errors import BadValue, InputError


class LocalTaskHeads:
    """The `TaskHeads` of this process.

    Args:
        backend: Asks the encoders.
        table: The heads.
    """

    def __init__(self, backend: Backend, table: HeadTable) -> None:
        self._backend, self._table = backend, table

    # ---- which there are

    def shipped(self) -> tuple[TaskHeadInfo, ...]:
        """The heads that come with the playground."""
        return tuple(shipped(name).info(name, is_shipped=True) for name in SHIPPED)

    def of(self, owner: str) -> list[TaskHeadInfo]:
        """The heads of a session, oldest first."""
        return [head.info(one) for one, head in self._table.owned.of(owner)]

    def info(self, head_id: str) -> TaskHeadInfo:
        """Facts about a head."""
        return self._table.get(head_id).info(head_id, is_shipped=head_id in SHIPPED)

    def belongs(self, head_id: str, owner: str) -> bool:
        """True if a session may use the head; it may from now on where all others have left."""
        return head_id in SHIPPED or self._table.owned.belongs(head_id, owner)

    def remove(self, head_id: str, owner: str) -> None:
        """Delete a head of this session."""
        self._table.owned.remove(head_id, owner)

    # ---- what they read and answer

    def examples(self, settings: HeadSettings, texts: Sequence[LabelledText]) -> tuple[HeadExample, ...]:
        """Each text as the encoder of a run reads it."""
        limits = self._backend.settings
        if len(texts) > limits.max_head_texts:
            raise BadValue(name="texts", value=len(texts), allowed=f"0-{limits.max_head_texts}")
        loaded = self._backend.models.load(settings.model).result()
        require_encoder(loaded)
        return tuple(example(loaded, settings, one, limits) for one in texts)

    def predict(
        self, request: PredictRequest, on_wait: OnWait | None = None
    ) -> Iterator[tuple[int, Prediction | InputError]]:
        """(place in `texts`, the answer or why that text cannot be read), as they are ready."""
        head = self._table.get(request.model)
        self._check(request, head)
        with self._backend.ask(replace(request, model=head.settings.model), "trace", on_wait) as ask:
            places: dict[Cut, list[int]] = {}
            words = request.words or ((),) * len(request.texts)
            for place, (texts, own) in enumerate(zip(request.texts, words, strict=True)):
                try:
                    places.setdefault(self._cut(ask, head, texts, own), []).append(place)
                except InputError as error:
                    yield place, error
            for chunk in in_chunks(list(places), self._backend.settings.prefill_chunk_tokens):
                work = AnswerWork(head, ask.loaded, chunk)
                key = ("answer", request.model, tuple(chunk))
                answers = ask.compute(work, sum(len(one.input_ids) for one in chunk), key=key)
                for text, answer in zip(chunk, answers, strict=True):
                    yield from ((place, answer) for place in places[text])

    def _cut(
        self, ask: Ask, head: TrainedHead, texts: Sequence[str], words: Sequence[tuple[int, int]]
    ) -> Cut:
        settings = self._backend.settings
        return cut(ask.loaded, head.settings.task, texts, words, settings, settings.max_tokens)

    def _check(self, request: PredictRequest, head: TrainedHead) -> None:
        most = self._backend.settings.max_head_texts
        if not 0 < len(request.texts) <= most:
            raise BadValue(name="texts", value=len(request.texts), allowed=f"1-{most}")
        n_words = len(request.texts) if head.settings.task == "words" else 0
        if len(request.words) != n_words:
            raise BadValue(name="words", value=len(request.words), allowed=str(n_words))
