"""Teachers: those who know the teacher's password. Several may; each session gets a token of its own."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from playground.core.passwords import Attempts, is_password
from playground.errors import TooManyAttempts, WrongTeacherPassword

MAX_TEACHERS: Final = 20  # sessions signed in; the one that came first leaves
TRIES_OF_A_SESSION: Final = 5  # in a minute
TRIES_OF_AN_ADDRESS: Final = 20


class Teachers:
    """The sessions that are signed in as teacher. Safe to share between threads.

    Args:
        password: The teacher's password; "" for none, and then nobody is a teacher.
        clock: Clock, seconds.
    """

    def __init__(self, password: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._password, self._clock = password, clock
        self._lock = threading.Lock()
        self._tokens: OrderedDict[str, None] = OrderedDict()
        self._by_session = Attempts(TRIES_OF_A_SESSION)
        self._by_address = Attempts(TRIES_OF_AN_ADDRESS)

    @property
    def has_password(self) -> bool:
        """True if there can be teachers."""
        return bool(self._password)

    def sign_in(self, given: str, session: str, address: str) -> str:
        """A session's token as teacher.

        Args:
            given: The password as typed.
            session: Id of the session.
            address: Its address in the network, "" where it is not known.

        Raises:
            TooManyAttempts: The session, or its address, has sent too many wrong ones.
            WrongTeacherPassword: It is not the teacher's password, or there is none.
        """
        now = self._clock()
        with self._lock:
            if not (self._by_session.allowed(session, now) and self._by_address.allowed(address, now)):
                raise TooManyAttempts
            if not self._password or not is_password(given, self._password):
                self._by_session.note_wrong(session, now)
                self._by_address.note_wrong(address, now)
                raise WrongTeacherPassword
            token = secrets.token_urlsafe(16)
            self._tokens[token] = None
            while len(self._tokens) > MAX_TEACHERS:
                self._tokens.popitem(last=False)
            return token

    def is_teacher(self, token: str) -> bool:
        """True if this is the token of a session that is signed in."""
        with self._lock:
            return token in self._tokens

    def sign_out(self, token: str) -> None:
        """End the session's time as teacher."""
        with self._lock:
            self._tokens.pop(token, None)
