"""A bound on what uploads hold before they are read: for a session, and for all.

A field drops its file once it is read (`ui.uploads`); this is for what is sent without ever being read.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
    from streamlit.runtime.uploaded_file_manager import UploadedFileRec


_RECORD_BYTES = 1_024  # of a file beside its content: many empty ones count too


def bound(store: MemoryUploadedFileManager, *, session_bytes: int, all_bytes: int) -> None:
    """Let a store hold no more than this: a session's oldest file goes first, then the largest holder's.

    Args:
        store: Streamlit's; changed in place, since the upload route already knows it.
        session_bytes: Limit of one session.
        all_bytes: Limit of all sessions together.
    """
    add, lock = store.add_file, threading.Lock()

    def add_within(session_id: str, file: UploadedFileRec) -> None:
        n_bytes = len(file.data) + _RECORD_BYTES
        with lock:
            while (held := _held(store)).get(session_id, 0) > max(0, session_bytes - n_bytes):
                _drop_oldest(store, session_id)
            while sum(held.values()) > max(0, all_bytes - n_bytes):
                _drop_oldest(store, max(held, key=held.__getitem__))
                held = _held(store)
            add(session_id, file)

    store.add_file = add_within  # type: ignore[method-assign]


def _held(store: MemoryUploadedFileManager) -> dict[str, int]:
    """Session -> bytes of its files."""
    return {
        session_id: sum(len(file.data) + _RECORD_BYTES for file in list(files.values()))
        for session_id, files in list(store.file_storage.items())
    }


def _drop_oldest(store: MemoryUploadedFileManager, session_id: str) -> None:
    oldest = next(iter(list(store.file_storage.get(session_id, {}))), None)
    if oldest is not None:  # a page may have read it meanwhile
        store.remove_file(session_id, oldest)
