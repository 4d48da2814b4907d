"""The listener's guard: half a request is not waited for, and no address takes all connections.

Counts and clocks concern HTTP only: a websocket's data never pass through here.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from playground.core.addresses import address_group
from playground.settings import Settings

SHARE_OF_ONE_ADDRESS: Final = 0.75  # a class behind one router is one address
BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)


class Connections:
    """Every open connection of the server, with limits on their number and on the time of an HTTP request.

    Args:
        at_once: Connections at the same time.
        settings: `request_head_s`, `request_s`, and the proxies that speak for many addresses.
    """

    def __init__(self, at_once: int, settings: Settings) -> None:
        self._at_once = at_once
        self._an_address = math.ceil(SHARE_OF_ONE_ADDRESS * at_once)
        self._head_s, self._request_s = settings.request_head_s, settings.request_s
        self._proxies = [ipaddress.ip_network(proxy) for proxy in settings.trusted_proxies]
        self._open: dict[asyncio.BaseTransport, str] = {}  # -> whose
        self._http: set[WatchedHttp] = set()
        self._sweeping = False

    def protocol(self, **arguments: Any) -> WatchedHttp:  # noqa: ANN401 - what uvicorn gives a protocol
        """The protocol that uvicorn makes for each connection."""
        return WatchedHttp(self, **arguments)

    def admit(self, http: WatchedHttp) -> bool:
        """Watch this new connection if there is room for it; returns True if there is."""
        self._open = {transport: whose for transport, whose in self._open.items() if _is_open(transport)}
        if len(self._open) >= self._at_once:
            self._close_an_idle_one()
        host = str(http.client[0]) if http.client else ""
        whose = "" if self._is_proxy(host) else address_group(host)
        if len(self._open) >= self._at_once or (
            whose and Counter(self._open.values())[whose] >= self._an_address
        ):
            return False
        self._open[http.transport] = whose
        self._http.add(http)
        if not self._sweeping:
            self._sweeping = True
            http.loop.call_later(self._pause_s, self._sweep, http.loop)
        return True

    def forget(self, http: WatchedHttp) -> None:
        """Watch a connection no longer: it has ended, or become a websocket, which counts by its session."""
        self._http.discard(http)

    @property
    def _pause_s(self) -> float:
        return min(5.0, self._head_s / 4)

    def _is_proxy(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)

    def _close_an_idle_one(self) -> None:
        """A browser keeps connections for later; one that is closed is opened anew unseen."""
        idle = next((http for http in self._http if http.is_idle), None)
        if idle is not None:
            self._end(idle)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = time.monotonic()
        for http in [http for http in self._http if http.is_overdue(now, self._head_s, self._request_s)]:
            self._end(http)
        self._sweeping = bool(self._http)
        if self._sweeping:
            loop.call_later(self._pause_s, self._sweep, loop)

    def _end(self, http: WatchedHttp) -> None:
        self._http.discard(http)
        self._open.pop(http.transport, None)
        http.transport.abort()


class WatchedHttp(H11Protocol):
    """uvicorn's HTTP protocol that tells `Connections` how far its request is."""

    def __init__(self, connections: Connections, **arguments: Any) -> None:  # noqa: ANN401
        super().__init__(**arguments)
        self._connections = connections
        self._n_bytes = 0
        self._stage: Sequence[object] = ()
        self._request: object = None
        self._stage_since = self._request_since = time.monotonic()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A browser has connected."""
        super().connection_made(transport)
        if not self._connections.admit(self):
            transport.write(BUSY)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        self._connections.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes of a request have come."""
        self._n_bytes += len(data)
        super().data_received(data)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """From here on it is a websocket, and another protocol's."""
        self._connections.forget(self)
        super().handle_websocket_upgrade(event)

    @property
    def is_idle(self) -> bool:
        """True if it has had its answer and asks nothing."""
        return self.cycle is not None and self.cycle.response_complete and self.conn.their_state is h11.IDLE

    def is_overdue(self, now: float, head_s: float, request_s: float) -> bool:
        """True if its request takes too long, as far as could be seen since the last call.

        Args:
            now: Seconds of a monotonic clock.
            head_s: Seconds for the head of a request, and between two parts of its body.
            request_s: Seconds for all of it and its answer.
        """
        theirs = self.conn.their_state
        stage = (self.cycle, theirs, self._n_bytes if theirs is h11.SEND_BODY else 0)
        if stage != self._stage:
            self._stage, self._stage_since = stage, now
        if self.cycle is not self._request or theirs is h11.IDLE:
            self._request, self._request_since = self.cycle, now
        waits = theirs in (h11.IDLE, h11.SEND_BODY)
        return (waits and now - self._stage_since > head_s) or now - self._request_since > request_s


def _is_open(transport: asyncio.BaseTransport) -> bool:
    return bool(transport.get_extra_info("socket").fileno() >= 0)
