"""One request of a client while it is answered: the engine, the session, and if anybody still waits."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from playground.engine.contract.models import AdapterName, ModelInfo
from playground.engine.contract.waiting import Waiting
from playground.errors import Cancelled, TimedOut
from playground.v1.refusals import Refused, shown

if TYPE_CHECKING:
    from playground.engine.contract.engine import Engine
    from playground.settings import Settings

HERE: Final = ("waiting", "loading", "ready")  # states of models that can be asked without a download
POLL_S: Final = 0.1
KEPT_VOCABULARIES: Final = 4


class Spellings:
    """The bytes of every token of the models asked last. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, list[bytes]] = OrderedDict()

    def of(self, engine: Engine, model: ModelInfo) -> list[bytes]:
        """The bytes that each token adds to a text, by its id; b"" for marks."""
        base = AdapterName.of(model.model_id).base_id
        with self._lock:
            known = self._known.get(base)
            if known is None or len(known) != model.d_vocab:
                known = engine.tokenizers.bytes_of_tokens(base, model.d_vocab)
                self._known[base] = known
                while len(self._known) > KEPT_VOCABULARIES:
                    self._known.popitem(last=False)
            self._known.move_to_end(base)
            return known


@dataclass(eq=False)
class Asking:
    """A request while it is answered, in a thread of its own; `stop` ends it from the event loop.

    Attributes:
        engine: The engine.
        owner: The session whose key was sent; the engine counts and bounds by it, as on the pages.
        settings: The limits.
        spellings: The bytes of tokens.
        n_tokens: Tokens read and written so far.
    """

    engine: Engine
    owner: str
    settings: Settings
    spellings: Spellings
    n_tokens: int = 0
    request_id: str = field(default_factory=lambda: uuid4().hex)
    _is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def topic(self) -> str:
        """A topic of its own: no request of a notebook takes the place of another one, or of the page's."""
        return f"v1-{self.request_id}"

    def stop(self) -> None:
        """Nobody waits any longer: the rows it has in the engine are freed before the next step."""
        self._is_over.set()
        self.engine.cancel(self.request_id)

    def check(self, _waiting: Waiting | None = None) -> None:
        """Raise if nobody waits any longer; also what the engine calls while it waits.

        Raises:
            Cancelled: The client is gone.
        """
        if self._is_over.is_set():
            raise Cancelled

    def models(self) -> list[ModelInfo]:
        """The models that this session may ask, without a download: the server's, then its own."""
        shared = [info for info in self.engine.models() if info.state in HERE]
        return [*shared, *(one.model for one in self.engine.pretraining.of(self.owner))]

    def adapters(self) -> list[str]:
        """Ids of the adapters of this session."""
        return [info.model_id for info in self.engine.adapters.of(self.owner)]

    def model(self, model_id: str) -> ModelInfo:
        """Facts about a model that is in memory, loaded now if need be.

        Raises:
            Refused: There is none of this name for this session.
            PlaygroundError: It cannot be loaded.
        """
        name = AdapterName.of(model_id)
        is_mine = not name.adapter_id or self.engine.adapters.belongs(model_id, self.owner)
        started, asked = time.monotonic(), False
        while True:
            self.check()
            info = next((one for one in self.models() if one.model_id == name.base_id), None)
            if info is None or not is_mine:
                raise self._unknown(model_id)
            if info.state == "ready":
                return info
            if not asked:
                self.engine.load(name.base_id)
                asked = True
            if time.monotonic() - started > self.settings.request_timeout_s:
                raise TimedOut(seconds=self.settings.request_timeout_s)
            time.sleep(POLL_S)

    def _unknown(self, model_id: str) -> Refused:
        known = [one.model_id for one in self.models()]
        return Refused(
            404, f"There is no model {shown(model_id)} here: choose one of {', '.join(known[:6])}, or ask "
            "GET /v1/models for all.", param="model", code="model_not_found",
        )  # fmt: skip

    def require(self, info: ModelInfo, capability: str, doing: str) -> None:
        """Refuse a model that cannot do it, and name those that can.

        Args:
            info: The model.
            capability: As in `ModelInfo.capabilities`; "vectors" for an encoder.
            doing: In words.
        """
        if _can(info, capability):
            return
        others = [one.model_id for one in self.models() if _can(one, capability)]
        cure = f"choose one of {', '.join(others[:4])}" if others else "none that is here can"
        raise Refused(
            400, f"{info.model_id} cannot {doing}: {cure}.", param="model", code="model_not_suitable"
        )


def _can(info: ModelInfo, capability: str) -> bool:
    if capability == "vectors":
        return info.kind == "encoder"
    return capability in info.capabilities
