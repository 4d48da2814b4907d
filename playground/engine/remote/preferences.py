"""Preference pairs and reward models on the replicas: a model lives on that of the session which made it."""

from __future__ import annotations

from collections.abc import Sequence

from playground.core.preferences.pair import PreferencePair
from playground.engine.contract.policies import PromptExample
from playground.engine.contract.preferences import PairExample
from playground.engine.contract.reward_models import RewardHeadInfo, RewardScoreRequest, RewardScores
from playground.engine.contract.waiting import OnWait
from playground.engine.remote.calls import POLL_S, Calls
from playground.engine.remote.homes import Homes
from playground.engine.remote.routes import Routes
from playground.engine.remote.seats import Seats


class RemotePreferences:
    """The `PreferencePart` of the replicas. See `contract.preferences.PreferencePart` for the contract."""

    def __init__(self, routes: Routes, calls: Calls, seats: Seats) -> None:
        self._routes, self._calls, self._seats = routes, calls, seats
        self._homes = Homes(routes, calls, seats, "preferences.info")

    def examples(self, model: str, pairs: Sequence[PreferencePair]) -> tuple[PairExample, ...]:
        """Each pair as a decoder reads it."""
        route = self._routes.model(model)
        found: tuple[PairExample, ...] = self._calls.value(route, "preferences.examples", model, tuple(pairs))
        return found

    def prompts(self, model: str, prompts: Sequence[str]) -> tuple[PromptExample, ...]:
        """Each prompt as a decoder reads it before it answers."""
        route = self._routes.model(model)
        found: tuple[PromptExample, ...] = self._calls.value(
            route, "preferences.prompts", model, tuple(prompts)
        )
        return found

    def heads(self, owner: str) -> list[RewardHeadInfo]:
        """The reward models of a session, oldest first."""
        lists = self._calls.of_all(self._seats.here(POLL_S), "preferences.heads", owner)
        return [info for infos in lists for info in infos]

    def info(self, head_id: str) -> RewardHeadInfo:
        """Facts about a reward model."""
        found: RewardHeadInfo = self._calls.value(self._homes.route(head_id), "preferences.info", head_id)
        return found

    def belongs(self, head_id: str, owner: str) -> bool:
        """True if a session may use the reward model."""
        route = self._homes.route(head_id)
        found: bool = self._calls.value(route, "preferences.belongs", head_id, owner)
        return found

    def remove(self, head_id: str, owner: str) -> None:
        """Delete a reward model of this session."""
        self._calls.of_all(self._seats.here(POLL_S), "preferences.remove", head_id, owner)

    def score(self, request: RewardScoreRequest, on_wait: OnWait | None = None) -> list[RewardScores]:
        """The rewards of answers, token by token, in their order."""
        route = self._homes.route(request.model)
        found: list[RewardScores] = self._calls.answer(route, "preferences.score", request, on_wait)
        return found
