"""Routes: questions by what they ask, whatever has a state by the session that it belongs to."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial

from playground.engine.contract.asked import Asked
from playground.engine.contract.models import AdapterName
from playground.engine.remote.calls import Route
from playground.engine.remote.seats import Seats

_TEXTS = (
    "input_ids",
    "text",
    "texts",
    "source",
    "query",
)  # the first that is given


class Routes:
    """The seat of every call."""

    def __init__(self, seats: Seats) -> None:
        self._seats = seats

    def question(self, *asked: Hashable) -> Route:
        """Equal questions meet one replica and its cache."""
        return partial(self._seats.of_question, asked)

    def request(self, request: Asked) -> Route:
        """The same for a request: its model, adapter and text, whatever is captured of them."""
        given = (getattr(request, name, None) for name in _TEXTS)
        return self.question(request.model, next((one for one in given if one), ""))

    def owner(self, owner: str) -> Route:
        """The replica of a session; of nobody's, that of the empty name."""
        return partial(self._seats.of_owner, owner)

    def model(self, model: str) -> Route:
        """Questions about a model alone: the same replica as that of its base."""
        return self.question(AdapterName.of(model).base_id)
