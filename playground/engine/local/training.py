"""The part of `LocalEngine` that trains."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

from playground.core.files.training_rows import TrainingRow
from playground.engine.adapters.layers import linears
from playground.engine.adapters.store import AdapterTable
from playground.engine.contract.adapters import Linear
from playground.engine.contract.models import AdapterName
from playground.engine.contract.training import TrainingText
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.named_tokenizers import NamedTokenizers
from playground.engine.models.owned import Owned
from playground.engine.pretraining.trained import PretrainedTable
from playground.engine.recurrent.trained import NetworkTable
from playground.engine.scheduling.scheduler import Scheduler
from playground.engine.task_heads.trained import HeadTable
from playground.engine.training.objectives import objectives
from playground.engine.training.runs import RunTable
from playground.engine.training.samples import write
from playground.engine.training.texts import training_text
from playground.engine.training.trainer import Trainer
from playground.settings import Settings


class LocalTraining:
    """The `Training` of this process.

    Attributes:
        runs: All runs.
        trainer: Trains them, on the engine's thread.

    Args:
        settings: The limits.
        adapters: Source of the bases, and store of trained adapters.
        networks: Store of networks that were trained from nothing.
        heads: Store of task heads.
        pretrained: Store of models that were trained from zero.
        tokenizers: Chat templates.
        scheduler: Is woken when there is work; writes the samples.
        kept: Further things that sessions made and that end with them.
    """

    def __init__(
        self,
        settings: Settings,
        adapters: AdapterTable,
        networks: NetworkTable,
        heads: HeadTable,
        pretrained: PretrainedTable,
        tokenizers: NamedTokenizers,
        scheduler: Scheduler,
        kept: Sequence[Owned[Any]],
    ) -> None:
        self._settings, self._adapters = settings, adapters
        self._kept: tuple[Owned[Any], ...] = (
            networks.owned, heads.owned, heads.rewards.owned, pretrained.owned, *kept,
        )  # fmt: skip
        self._tokenizers, self._departures, self._scheduler = tokenizers, adapters.departures, scheduler
        known = objectives(settings, adapters, networks, heads, pretrained, partial(write, scheduler))
        self.runs = RunTable(settings, known, self._departures.has_left, scheduler.wake)
        self.trainer = Trainer(settings, self.runs)
        self._linears: dict[str, tuple[Linear, ...]] = {}
        self._timer: threading.Timer | None = None
        self._timer_lock = threading.Lock()

    def linears(self, model: str) -> tuple[Linear, ...]:
        """The linear layers of a decoder's blocks, in order."""
        loaded = self._base_of(model)
        known = self._linears.get(loaded.info.model_id)
        if known is None:
            known = self._linears[loaded.info.model_id] = tuple(linears(loaded.template).values())
        return known

    def texts(self, model: str, rows: Sequence[TrainingRow]) -> tuple[TrainingText, ...]:
        """Each row as the model reads it while it is trained."""
        loaded = self._base_of(model)
        return tuple(
            training_text(
                row, loaded.info.model_id, loaded.tokenizer, self._tokenizers,
                has_template="chat_template" in loaded.info.capabilities,
                max_tokens=min(self._settings.max_training_tokens, loaded.info.n_ctx or 10**9),
            )
            for row in rows
        )  # fmt: skip

    def _base_of(self, model: str) -> LoadedModel:
        return self._adapters.decoder(AdapterName.of(model).base_id)

    # ---- sessions that leave

    def owner_left(self, owner: str) -> None:
        """Pause the runs of a session that has left, and keep them and what it has trained for a while."""
        self._departures.left(owner)
        for name in self.runs.pause_owner(owner):
            self._scheduler.leave_owner(name)
        if self._adapters.of(owner) or any(one.of(owner) for one in self._kept) or self.runs.of(owner):
            self.forget_later()

    def owner_back(self, owner: str) -> None:
        """A session is back whose connection had been lost."""
        self._departures.back(owner)

    def forget_later(self) -> None:
        """Set the one timer for all who have left; it is set again while it leaves anything."""
        with self._timer_lock:
            if self._timer is None:
                self._timer = threading.Timer(self._settings.adapter_grace_s + 0.1, self._forget_left)
                self._timer.daemon = True
                self._timer.start()

    def _forget_left(self) -> None:
        try:
            for owner in self._departures.long_gone():
                self.runs.forget_owner(owner)
            self._adapters.forget_left()
            for one in self._kept:
                one.forget_left()
        finally:  # also after an error: otherwise nothing would be forgotten any more
            with self._timer_lock:
                self._timer = None
        if self._adapters.has_orphans or any(one.has_orphans for one in self._kept) or self.runs.has_orphans:
            self.forget_later()

    def close(self) -> None:
        """Forget the timer."""
        with self._timer_lock:
            if self._timer is not None:
                self._timer.cancel()
