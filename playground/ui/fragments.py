"""Parts of a page that rerun alone, and the rest of the page that has to follow them."""

from __future__ import annotations

import streamlit as st


class RestOfPage:
    """The state of a fragment that the rest of its page shows, so that the fragment can have it drawn anew.

    A page makes one in every run of its own and gives it to the fragment, whose reruns have the same one.
    """

    def __init__(self) -> None:
        self._shown: tuple[object, ...] | None = None

    @property
    def is_drawn(self) -> bool:
        """True if this is a rerun of the fragment alone, not the page's own run."""
        return self._shown is not None

    def shows(self, *values: object) -> None:
        """Say what the rest shows of the fragment. For the page, once the fragment is drawn.

        Args:
            values: Compared by `==`.
        """
        self._shown = values

    def follow(self, *values: object) -> None:
        """Rerun the whole page, here and now, if its rest shows something else. For the fragment.

        Args:
            values: As the page would give them to `shows` now.
        """
        if self._shown is not None and self._shown != values:
            st.rerun()
