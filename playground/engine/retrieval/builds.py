"""Builds of collections: one of each session at a time; their states are read while they run."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from uuid import uuid4

from playground.engine.contract.retrieval import BUILD_ENDED, Build, BuildRequest

_KEPT = 1_000  # states; the oldest that have ended leave


@dataclass(eq=False)
class _Entry:
    owner: str
    request_id: str
    state: Build
    begun_at: float = field(default_factory=time.monotonic)


class BuildTable:
    """States of all builds. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    def begin(self, request: BuildRequest, n_chunks: int) -> tuple[str, str]:
        """A build begins.

        Returns:
            Its id, and the request id of the session's build that it replaces, "" if there is none.
        """
        build_id, older = uuid4().hex[:16], ""
        with self._lock:
            for entry in self._entries.values():
                if entry.owner == request.owner and entry.state.status not in BUILD_ENDED:
                    older = entry.request_id
                    self._change(entry, status="stopped")
            state = Build(build_id, "waiting", 0, n_chunks)
            self._entries[build_id] = _Entry(request.owner, request.request_id, state)
            ended = [one for one, entry in self._entries.items() if entry.state.status in BUILD_ENDED]
            for one in ended[: max(0, len(self._entries) - _KEPT)]:
                del self._entries[one]
        return build_id, older

    def update(self, build_id: str, **changes: object) -> bool:
        """Change a state; False for one that has ended, which stays as it is."""
        with self._lock:
            entry = self._entries.get(build_id)
            if entry is None or entry.state.status in BUILD_ENDED:
                return False
            self._change(entry, **changes)
            return True

    def stop(self, build_id: str, owner: str) -> str:
        """Stop a build of this session; gives its request id, "" if there is nothing to stop."""
        with self._lock:
            entry = self._entries.get(build_id)
            if entry is None or entry.owner != owner or entry.state.status in BUILD_ENDED:
                return ""
            self._change(entry, status="stopped")
            return entry.request_id

    def get(self, build_id: str, owner: str) -> Build | None:
        """State of a build of this session, None if it is not known."""
        with self._lock:
            entry = self._entries.get(build_id)
            if entry is None or entry.owner != owner:
                return None
            if entry.state.status not in BUILD_ENDED:
                self._change(entry)
            return entry.state

    def _change(self, entry: _Entry, **changes: object) -> None:
        elapsed_s = time.monotonic() - entry.begun_at
        entry.state = replace(entry.state, elapsed_s=elapsed_s, **changes)  # type: ignore[arg-type]
