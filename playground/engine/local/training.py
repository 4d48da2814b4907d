"""What `LocalEngine` does for training: the contract's part, over its scheduler and its adapters."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from playground.core.files.training_rows import TrainingRow
from playground.core.lora import LowRank
from playground.engine.adapters import peft_files
from playground.engine.adapters.adapter import Adapter, sum_of
from playground.engine.adapters.layers import linears
from playground.engine.adapters.store import Adapters
from playground.engine.contract.models import AdapterName
from playground.engine.contract.training import (
    ENDED,
    AdapterInfo,
    FinetuneRequest,
    Imported,
    Linear,
    TrainingState,
    TrainingText,
)
from playground.engine.models.named_tokenizers import NamedTokenizers
from playground.engine.scheduling.waiting import POLL_S
from playground.engine.training.runs import Trainings
from playground.engine.training.texts import training_text
from playground.errors import Message, Unsupported
from playground.settings import Settings

if TYPE_CHECKING:
    from playground.engine.models.loaded import LoadedModel


class LocalTraining:
    """The part of `LocalEngine` that trains and lends adapters. See `FinetuneEngine` for the contract."""

    _settings: Settings
    lent: Adapters
    trainings: Trainings
    tokenizers: NamedTokenizers
    _linears: dict[str, tuple[Linear, ...]]
    _timer: threading.Timer | None

    def finetune(self, request: FinetuneRequest) -> Iterator[TrainingState]:
        """Train, giving every new state until the run has ended; closing the iterator cancels it."""
        self.start(request)
        last: TrainingState | None = None
        try:
            while last is None or last.status not in ENDED:
                state = self.trainings.state(request.request_id, request.owner)
                if state is None:
                    return
                if last is None or _news(state) != _news(last):
                    yield state
                last = state
                time.sleep(POLL_S / 4)
        finally:
            self.trainings.cancel(request.request_id)

    def start(self, request: FinetuneRequest) -> None:
        """Queue a run, which goes on while nobody looks; `trainings` tells how far it is."""
        loaded = self._decoder(request.model)
        self.trainings.start(request, loaded)

    def adapters(self, owner: str) -> list[AdapterInfo]:
        """The adapters of a session, oldest first."""
        return self.lent.of(owner)

    def linears(self, model: str) -> tuple[Linear, ...]:
        """The linear layers of a decoder's blocks, in order."""
        loaded = self._decoder(AdapterName.of(model).base_id)
        known = self._linears.get(loaded.info.model_id)
        if known is None:
            known = self._linears[loaded.info.model_id] = tuple(linears(loaded.template).values())
        return known

    def training_texts(self, model: str, rows: Sequence[TrainingRow]) -> tuple[TrainingText, ...]:
        """Each row as the model reads it while it is trained."""
        loaded = self._decoder(AdapterName.of(model).base_id)
        return tuple(
            training_text(
                row, loaded.info.model_id, loaded.tokenizer, self.tokenizers,
                has_template="chat_template" in loaded.info.capabilities,
                max_tokens=min(self._settings.max_training_tokens, loaded.info.n_ctx or 10**9),
            )
            for row in rows
        )  # fmt: skip

    def changes(self, model: str) -> tuple[LowRank, ...]:
        """What an adapter adds to each layer, in order; `model` is its id."""
        return self.lent.changes(model)

    def exported(self, model: str, more: Mapping[str, str]) -> bytes:
        """An adapter as a zip that stock peft loads, with further text files."""
        return peft_files.written(self.lent.get(model), more)

    def imported(self, model: str, name: str, data: bytes, owner: str, *, any_base: bool = False) -> Imported:
        """Take in a zip as peft writes it."""
        loaded = self._decoder(AdapterName.of(model).base_id)
        adapter, ignored = peft_files.read(data, name, loaded, self._settings, any_base=any_base)
        return Imported(self._keep(adapter, owner), ignored)

    def added(self, first: str, second: str, owner: str) -> str:
        """A new adapter that changes what both change, by the sum; gives its model id.

        Raises:
            BadValue: They are not of the same base.
        """
        return self._keep(sum_of(self.lent.get(first), self.lent.get(second)), owner)

    def _keep(self, adapter: Adapter, owner: str) -> str:
        model_id = self.lent.add(adapter, owner)
        if self.lent.has_left(owner):  # meanwhile: it waits for the session's return like all it had
            self._forget_later()
        return model_id

    def welcome(self, owner: str) -> None:
        """A session is back whose connection had been lost."""
        self.lent.welcome(owner)

    def _rest(self, owner: str) -> None:
        """What a session trains and has trained waits for its return, but not for ever."""
        self.lent.release(owner)
        self.trainings.rest_owner(owner)
        if self.lent.of(owner) or self.trainings.of(owner):
            self._forget_later()

    def _forget_later(self) -> None:
        """One timer for all who have left, armed again while it leaves anything."""
        with self.trainings.lock:
            if self._timer is None:
                self._timer = threading.Timer(self._settings.adapter_grace_s + 0.1, self._forget_left)
                self._timer.daemon = True
                self._timer.start()

    def _forget_left(self) -> None:
        for owner in self.lent.forget_left():
            self.trainings.forget_owner(owner)
        self._timer = None
        if self.lent.waits or self.trainings.waits:
            self._forget_later()

    def _decoder(self, model: str) -> LoadedModel:
        loaded = self.lent.load(model).result()
        if loaded.info.kind != "decoder" or loaded.info.adapter:
            raise Unsupported(model_id=loaded.info.name, capability=Message("fine-tuning"))
        return loaded


def _news(state: TrainingState) -> tuple[object, ...]:
    return state.status, state.position, state.step, state.held_out, state.general, state.samples
