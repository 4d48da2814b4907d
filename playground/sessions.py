"""Sessions of the server: the messages one may send, their number, and their life without a connection.

Streamlit lets any session empty the caches of all, and keeps 128 closed ones, each with three open files.
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime import Runtime
from streamlit.runtime.session_manager import SessionInfo, SessionStorage

from playground.errors import SetUpError
from playground.settings import Settings

if TYPE_CHECKING:
    from streamlit.runtime.app_session import AppSession
    from streamlit.runtime.session_manager import SessionClient

_SessionInfos = list[SessionInfo]

# Everything else a browser can send reaches beyond its own session: clear_cache empties the caches of all,
# load_git_info starts git, debug_shutdown_runtime ends the server, install_skills writes files into the app's
# folder and dismiss_skills_nudge into the user's.
OWN_MESSAGES: Final = frozenset(
    {"rerun_script", "stop_script", "file_urls_request", "app_heartbeat", "backend_operation_request"}
)
OWN_OPERATIONS: Final = frozenset({"deferred_file", "dataframe_chunk"})
MAX_FILE_NAMES: Final = 100  # of one request for places to upload to

_HALF: Final = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")  # U+D800 to U+DFFF

AFTER: Final = "after."  # before the id of the session that a tab had before it was loaded anew
BEFORE: Final = "before_reload"  # key of a session's state: the state of that session

MAX_FILES: Final = 65_536
RESERVED_FILES: Final = 64  # libraries, weights, the event loop, the listener
FILES_A_SESSION: Final = 3  # its script's event loop


def concerns_own_session(message: BackMsg) -> bool:
    """True if a browser's message asks something of its own session only."""
    kind = message.WhichOneof("type")
    if kind == "backend_operation_request":
        return message.backend_operation_request.WhichOneof("payload") in OWN_OPERATIONS
    if kind == "file_urls_request":
        return len(message.file_urls_request.file_names) <= MAX_FILE_NAMES
    return kind in OWN_MESSAGES


def repaired(message: bytes) -> bytes:
    r"""A browser's message with U+FFFD where half a character stood, which is not text in UTF-8.

    JavaScript may hold half of a surrogate pair, and Streamlit's browser side writes it as it is. Python then
    cannot read the message, Streamlit ends the connection, and the page goes on showing the sentence before.
    Half a character and U+FFFD have three bytes each, so that no length in the message changes.

    Example:
        >>> asked = BackMsg(file_urls_request={"file_names": ["a???"]}).SerializeToString()
        >>> sent = asked.replace(b"???", b"\xed\xa0\xbd")
        >>> BackMsg.FromString(repaired(sent)).file_urls_request.file_names
        ['a\ufffd']
    """
    if not _HALF.search(message):
        return message
    try:
        BackMsg.FromString(message)
    except DecodeError:
        return _HALF.sub("\ufffd".encode(), message)
    return message  # the bytes belong to a number


def drop_foreign_messages() -> None:
    """Make this process's Streamlit drop every message that reaches beyond its session.

    Both ways of starting call it: our server when it makes the runtime, and the entry script, for `streamlit
    run`, at each of its runs; a second call changes nothing.
    """
    if not Runtime.exists() or "handle_backmsg" in vars(Runtime.instance()):
        return
    runtime = Runtime.instance()
    handle = runtime.handle_backmsg

    def handle_own(session_id: str, msg: BackMsg, *, client: SessionClient | None = None) -> None:
        if concerns_own_session(msg):
            handle(session_id, msg, client=client)

    runtime.handle_backmsg = handle_own  # type: ignore[method-assign]


def carry_over(runtime: Runtime, sessions: Sessions) -> None:
    """Let a tab that is loaded anew go on with the state of its session before.

    Its browser side names that session as `after.<id>` (tab.js). The id is the secret that the tab alone was
    told, and only a session that nobody is connected to is handed over, once.
    """
    connect = runtime.connect_session

    def connect_after(
        client: SessionClient,
        user_info: dict[str, Any],
        existing_session_id: str | None = None,
        session_id_override: str | None = None,
    ) -> str:
        name = existing_session_id or ""
        if not name.startswith(AFTER):
            return connect(client, user_info, existing_session_id, session_id_override)
        session_id = connect(client, user_info, None, session_id_override)
        info = runtime._session_mgr.get_session_info(session_id)
        if info is not None:
            sessions.hand_over(name.removeprefix(AFTER), info.session)
        return session_id

    runtime.connect_session = connect_after  # type: ignore[method-assign]


class Sessions(SessionStorage):
    """Places for readers, and the sessions that lost their connection and may come back.

    A newcomer takes a free place, otherwise that of the session that has slept longest. A session that is
    awake keeps its place. Used on the server's event loop only.

    Args:
        places: Sessions, awake and asleep together.
        grace_s: Seconds a session may sleep.
    """

    def __init__(self, places: int, grace_s: float) -> None:
        self._places, self._grace_s = places, grace_s
        self._awake: Counter[object] = Counter()  # session id, or a mark of a newcomer's -> connections
        self._asleep = OrderedDict[str, tuple[float, SessionInfo]]()  # id -> when it is forgotten
        self._gone_on = OrderedDict[str, str]()  # id -> id of the session that went on with it

    @property
    def places(self) -> int:
        """Number of readers there is room for."""
        return self._places

    @property
    def full(self) -> bool:
        """True if a newcomer would have to wait."""
        return len(self._awake) >= self._places

    def enter(self, known_as: str | None, runtime: Runtime) -> object | None:
        """Take a place; the place to give to `leave`, or None when there is none.

        Args:
            known_as: The id of the session the browser had, if it says that it had one.
            runtime: Streamlit's runtime, which knows the sessions that are awake.
        """
        self._forget_expired()
        place: object = known_as if known_as and self._is_known(known_as, runtime) else object()
        if place is not known_as:
            if self.full:
                return None
            while self._asleep and len(self._awake) + len(self._asleep) >= self._places:
                self._forget(next(iter(self._asleep)))
        self._awake[place] += 1
        return place

    def leave(self, place: object) -> None:
        """A connection has ended."""
        self._awake[place] -= 1
        if not self._awake[place]:
            del self._awake[place]

    def get(self, session_id: str) -> SessionInfo | None:
        """The sleeping session, unless its time is over."""
        self._forget_expired()
        kept = self._asleep.get(session_id)
        return kept[1] if kept else None

    def save(self, session_info: SessionInfo) -> None:
        """Let a session sleep."""
        self._forget_expired()
        while len(self._asleep) >= self._places:
            self._forget(next(iter(self._asleep)))
        self._asleep[session_info.session.id] = (time.monotonic() + self._grace_s, session_info)

    def delete(self, session_id: str) -> None:
        """Remove a session that is awake again, or ended."""
        del self._asleep[session_id]

    def list(self) -> _SessionInfos:
        """Every sleeping session."""
        self._forget_expired()
        return [info for _ends_at, info in self._asleep.values()]

    def hand_over(self, name: str, to: AppSession) -> None:
        """End the sleeping session of this name; its state is in the other's, under `BEFORE`.

        A tab that is loaded twice at once names a session that has already gone on as another one.
        """
        self._forget_expired()
        for _step in range(len(self._gone_on)):
            name = self._gone_on.get(name, name)
        if name not in self._asleep:
            return
        before = self._asleep[name][1].session.session_state
        if BEFORE in before:  # it has not run yet
            before = before[BEFORE]
        to.session_state[BEFORE] = before
        self._forget(name)
        self._gone_on[name] = to.id
        while len(self._gone_on) > self._places:
            self._gone_on.popitem(last=False)

    def _is_known(self, session_id: str, runtime: Runtime) -> bool:
        return session_id in self._asleep or runtime.is_active_session(session_id)

    def _forget_expired(self) -> None:
        now = time.monotonic()
        while self._asleep and next(iter(self._asleep.values()))[0] <= now:
            self._forget(next(iter(self._asleep)))

    def _forget(self, session_id: str) -> None:
        _ends_at, info = self._asleep.pop(session_id)
        info.session.shutdown()  # closes its files at once


@dataclass(frozen=True, slots=True)
class Capacity:
    """Sessions and connections that this process has open files for.

    Attributes:
        sessions: Readers, also those that lost their connection.
        connections: Connections at the same time, also those that ask for a file.
    """

    sessions: int
    connections: int

    @classmethod
    def of(cls, settings: Settings, files: int) -> Capacity:
        """The capacity that the settings allow and `files` open files can hold.

        Raises:
            SetUpError: There are too few open files.

        Example:
            >>> Capacity.of(Settings(), 256), Capacity.of(Settings(), 65_536)
            (Capacity(sessions=32, connections=96), Capacity(sessions=150, connections=1000))
        """
        spare = files - RESERVED_FILES
        sessions = min(settings.max_sessions, spare // (2 * FILES_A_SESSION))
        if sessions < 1:
            raise SetUpError(
                reason=f"Only {files} files may be open at the same time.", cure="Allow more: ulimit -n 1024"
            )
        return cls(sessions, min(settings.max_connections, spare - FILES_A_SESSION * sessions))


def raise_file_limit() -> int:
    """Let this process open as many files as the system allows; returns their number."""
    if sys.platform == "win32":
        return MAX_FILES  # there is no such limit
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    for wanted in (most, 10_240):  # macOS says "no limit" and means 10,240
        if soft != resource.RLIM_INFINITY and soft < wanted <= most:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            except (ValueError, OSError):
                continue
            return wanted
    return MAX_FILES if soft == resource.RLIM_INFINITY else min(soft, MAX_FILES)
