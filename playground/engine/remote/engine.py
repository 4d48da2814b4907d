"""RayEngine: the `Engine` whose models, queues and caches are those of several replicas."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from playground.core.trace import Trace
from playground.engine.contract.beams import BeamsRequest, BeamStep
from playground.engine.contract.engine import EngineStats
from playground.engine.contract.filling import Filled, FillRequest
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest, GenerateStep
from playground.engine.contract.limits import check_settings
from playground.engine.contract.models import ModelInfo, State
from playground.engine.contract.scores import ScoreRequest, Scores
from playground.engine.contract.traces import TraceManyRequest, TraceRequest
from playground.engine.contract.waiting import OnWait
from playground.engine.remote.adapters import RemoteAdapters
from playground.engine.remote.calls import Calls
from playground.engine.remote.cluster import Cluster
from playground.engine.remote.inside import RemoteInside
from playground.engine.remote.memory import RemoteMemory
from playground.engine.remote.messages import News
from playground.engine.remote.networks import RemoteNetworks
from playground.engine.remote.preferences import RemotePreferences
from playground.engine.remote.pretraining import RemotePretraining
from playground.engine.remote.quantization import RemoteQuantization
from playground.engine.remote.retrieval import RemoteRetrieval
from playground.engine.remote.routes import Routes
from playground.engine.remote.seats import Seat, Seats
from playground.engine.remote.task_heads import RemoteTaskHeads
from playground.engine.remote.tokenizers import RemoteTokenizers
from playground.engine.remote.training import RemoteTraining
from playground.engine.remote.vectors import RemoteVectors
from playground.engine.remote.writing import generated
from playground.errors import BadValue, ReplicaLost
from playground.settings import Settings

START_S, CHECK_S = 300.0, 5.0
KEPT_S = 0.5  # for which what is known of the models is told again
_FAR: tuple[State, ...] = (
    "absent",
    "failed",
    "remote",
    "waiting",
    "loading",
    "ready",
)  # the further, the later


class RayEngine:
    """The `Engine` of several replicas. See `playground.engine.contract.engine.Engine` for the contract.

    Args:
        settings: The limits, and the number of replicas.

    Raises:
        MissingExtra: Ray is not installed.
        SetUpError: No replica could be started.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cluster = Cluster(settings)
        self._seats = Seats(self._cluster.seats, self._told)
        routes, calls = Routes(self._seats), Calls(settings, self._bring)
        self._routes, self._calls = routes, calls
        self.inside = RemoteInside(routes, calls)
        self.vectors = RemoteVectors(routes, calls)
        self.memory = RemoteMemory(routes, calls)
        self.tokenizers = RemoteTokenizers(routes, calls)
        self.adapters = RemoteAdapters(settings, routes, calls, self._seats, self._cluster.put)
        self.training = RemoteTraining(routes, calls, self._seats, self.adapters)
        self.networks = RemoteNetworks(routes, calls, self._seats)
        self.pretraining = RemotePretraining(routes, calls, self._seats)
        self.task_heads = RemoteTaskHeads(routes, calls, self._seats)
        self.preferences = RemotePreferences(routes, calls, self._seats)
        self.retrieval = RemoteRetrieval(routes, calls, self._seats)
        self.quantization = RemoteQuantization(routes, calls)
        self._models: tuple[float, list[ModelInfo]] = (0.0, [])
        self._models_lock = threading.Lock()
        self._wait_for_the_first()

    def _wait_for_the_first(self) -> None:
        end = time.monotonic() + START_S
        while True:
            try:
                self._seats.here(CHECK_S)
                return
            except ReplicaLost:
                self._cluster.check()
                if time.monotonic() > end:
                    raise

    def _told(self, seat: Seat, news: News) -> None:
        self.adapters.hear(seat, news)
        self.training.runs.hear(seat, news)

    def _bring(self, model: str, seat: Seat) -> bool:
        return self.pretraining.bring(model, seat) or self.adapters.bring(model, seat)

    def models(self) -> list[ModelInfo]:
        """The catalogue, in display order; of each model the state of the replica that has come furthest."""
        until, known = self._models
        if time.monotonic() < until:
            return list(known)
        by_id: dict[str, ModelInfo] = {}
        for infos in self._of_all("models"):
            for info in infos:
                other = by_id.get(info.model_id)
                if other is None or _FAR.index(info.state) > _FAR.index(other.state):
                    by_id[info.model_id] = info
        found = list(by_id.values())
        is_quiet = all(one.state not in ("waiting", "loading") for one in found)
        self._models = (time.monotonic() + KEPT_S if is_quiet else 0.0, found)
        return list(found)

    def load(self, model: str) -> None:
        """Start loading (or downloading) a model on the replica that is asked about it first."""
        self._models = (0.0, [])
        self._calls.value(self._routes.model(model), "load", model, model=model)

    def stop_download(self, model: str) -> None:
        """Stop the download of a model, wherever it is."""
        self._of_all("stop_download", model)

    def trace(self, request: TraceRequest, on_wait: OnWait | None = None) -> Trace:
        """One forward pass with everything captured that was asked for."""
        found: Trace = self._calls.answer(
            self._routes.request(request), "trace", request, on_wait, kind="trace"
        )
        return found

    def trace_many(self, request: TraceManyRequest, on_wait: OnWait | None = None) -> list[Trace]:
        """Several forward passes, where the first of them would be computed."""
        limit = self._settings.max_traces_together
        if not 0 < len(request.requests) <= limit:
            raise BadValue(name="requests", value=len(request.requests), allowed=f"1-{limit}")
        route = self._routes.request(request.requests[0])
        found: list[Trace] = self._calls.answer(route, "trace_many", request, on_wait, kind="trace")
        return found

    def score(self, request: ScoreRequest, on_wait: OnWait | None = None) -> Iterator[tuple[int, Scores]]:
        """(which text, log p(candidate | text) of its candidates), as they are known."""
        return self._calls.items(self._routes.request(request), "score", request, on_wait)

    def fill(self, request: FillRequest, on_wait: OnWait | None = None) -> Filled:
        """The distribution over the vocabulary at every mask of a text."""
        found: Filled = self._calls.answer(
            self._routes.request(request), "fill", request, on_wait, kind="trace"
        )
        return found

    def fill_each(self, request: FillRequest, on_wait: OnWait | None = None) -> Iterator[Filled]:
        """The same of every token of a text, each masked alone, some places at a time."""
        return self._calls.items(self._routes.request(request), "fill_each", request, on_wait)

    def generate(self, request: GenerateRequest, on_wait: OnWait | None = None) -> Iterator[GenerateStep]:
        """Steps as they are computed; they go on from what was written where a replica dies."""
        check_settings(request, self._settings)
        many = GenerateManyRequest(
            request.model, (request,), owner=request.owner, topic=request.topic,
            timeout_s=request.timeout_s, request_id=request.request_id,
        )  # fmt: skip
        for _which, step in generated(self._calls, self._route_of_text(request), many, on_wait):
            yield step

    def generate_many(
        self, request: GenerateManyRequest, on_wait: OnWait | None = None
    ) -> Iterator[tuple[int, GenerateStep]]:
        """(which continuation, its next step), as they are computed."""
        limit = self._settings.max_continuations
        if not 0 < len(request.requests) <= limit:
            raise BadValue(name="requests", value=len(request.requests), allowed=f"1-{limit}")
        for one in request.requests:
            check_settings(one, self._settings)
        yield from generated(self._calls, self._route_of_text(request), request, on_wait)

    def _route_of_text(self, request: GenerateRequest | GenerateManyRequest) -> Any:  # noqa: ANN401
        if request.owner:
            return self._routes.owner(request.owner)
        first = request.requests[0] if isinstance(request, GenerateManyRequest) else request
        return self._routes.request(replace(first, model=request.model))

    def beams(self, request: BeamsRequest, on_wait: OnWait | None = None) -> Iterator[BeamStep]:
        """Every step of a beam search."""
        return self._calls.items(self._routes.request(request), "beams", request, on_wait)

    def cancel(self, request_id: str) -> None:
        """Stop a request; its caller gets `Cancelled`."""
        self._calls.cancel(request_id)

    def cancel_owner(self, owner: str) -> None:
        """Stop everything a session asked for; its runs and adapters wait a while for it to come back."""
        self._calls.cancel_owner(owner)
        self._of_all("cancel_owner", owner)
        self.adapters.owner_left(owner)

    def owner_back(self, owner: str) -> None:
        """A session is back whose connection had been lost."""
        self._of_all("owner_back", owner)
        self.adapters.owner_back(owner)

    def stats(self) -> EngineStats:
        """Counters and gauges, of all replicas together."""
        found: Sequence[EngineStats] = self._of_all("stats")
        return EngineStats(
            **{one.name: sum(getattr(stats, one.name) for stats in found) for one in fields(EngineStats)}
        )

    def _of_all(self, method: str, *args: Any) -> list[Any]:  # noqa: ANN401
        """The answers of all replicas that are there."""
        return self._calls.of_all(self._seats.here(START_S), method, *args)

    def close(self) -> None:
        """Leave the replicas; waiting callers get `Cancelled`. A head of our own ends with them."""
        self._calls.close()
        self._cluster.close()
