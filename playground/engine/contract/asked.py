"""The part that all requests have in common: which model, who asks, what for, how long."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class Asked:
    """Base of every request that a caller waits for.

    Attributes:
        model: Catalogue id, or that of an adapter on it.
        owner: The session that asks; closing its tab stops the request.
        topic: Purpose of the request: where an engine lets a newer request of a session take the place of
            an older one, it does so by topic, as one page may need two at once.
        timeout_s: Seconds of silence after which the caller gets `TimedOut`; None for the engine's own limit.
        request_id: For `cancel` only: requests that bear one id share nothing.
    """

    model: str
    _: KW_ONLY
    owner: str = ""
    topic: str = "main"
    timeout_s: float | None = None
    request_id: str = field(default_factory=lambda: uuid4().hex)
