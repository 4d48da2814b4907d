"""Pairs to vote on: those that come with the playground, the reader's file, answers the model has written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import streamlit as st

from playground.core.files import preference_rows
from playground.core.files.preference_rows import COLUMNS, PreferenceFile, read_preferences
from playground.core.files.rows import ReadOptions, Sheet
from playground.core.preferences.pair import PreferencePair, contradictions, repeated
from playground.core.preferences.shipped import TOPICS, pairs_on, shipped_pairs
from playground.core.preferences.sides import key_of, mixed
from playground.ui import file_preview
from playground.ui.alignment import written
from playground.ui.choose import choose
from playground.ui.file_preview import ColumnWanted, FileKind
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import _, ngettext, plain
from playground.ui.url import hidden

SHIPPED, OWN, WRITTEN = "shipped", "own", "written"
FILE = "al_file"  # the reader's file once it is used
outlives_reload(FILE)
MAX_BYTES, MAX_ROWS = 4 * 2**20, 200


@dataclass(frozen=True, slots=True)
class Shown:
    """A pair as it stands on the page.

    Which answer stands first is decided by the texts of the pair alone and tells nothing.

    Attributes:
        pair: The pair.
    """

    pair: PreferencePair

    @property
    def is_turned(self) -> bool:
        """True if the answer that is rejected where the pair comes from stands first."""
        text = "\n".join(key_of(self.pair)).encode("utf-8", "surrogatepass")
        is_odd = bool(sha256(text).digest()[0] % 2)
        return is_odd == (self.pair.texts[1] < self.pair.texts[2])

    @property
    def first(self) -> str:
        """The answer on the left."""
        return self.pair.rejected if self.is_turned else self.pair.chosen

    @property
    def second(self) -> str:
        """The answer on the right."""
        return self.pair.chosen if self.is_turned else self.pair.rejected


def sets() -> dict[str, str]:
    """Set of pairs -> its name in the reader's language."""
    return {
        SHIPPED: _("48 shipped pairs"),
        OWN: _("My own pairs"),
        WRITTEN: _("Written by the model"),
    }


def topics() -> dict[str, str]:
    """Topic of shipped pairs -> its name in the reader's language."""
    return {
        "all": _("All three"),
        "polite": _("Polite or rude"),
        "short": _("Short or long"),
        "answer": _("Answered or refused"),
    }


def choose_set() -> tuple[str, str]:
    """Draw the pickers: the set, and the topic of shipped pairs."""
    chosen = choose("al_set", sets(), _("Pairs"))
    topic = choose("al_topic", topics(), _("Topic")) if chosen == SHIPPED else "all"
    return chosen, topic


def hold() -> None:
    """Keep set and topic as they stand in the link, in a panel that does not draw their pickers."""
    for key in ("al_set", "al_topic"):
        hidden(key)


def wanted() -> tuple[str, str]:
    """Set and topic as they stand in the link; `hold` or the pickers come before."""
    chosen, topic = (str(st.session_state.get(key, "")) for key in ("al_set", "al_topic"))
    return chosen if chosen in sets() else SHIPPED, topic if topic in TOPICS else "all"


def pairs_of(context: PageContext, chosen: str, topic: str) -> tuple[PreferencePair, ...]:
    """The pairs of a set; those of the first few prompts are of all topics."""
    if chosen == OWN:
        file: PreferenceFile | None = st.session_state.get(FILE)
        return () if file is None else _once(file.pairs)
    if chosen == WRITTEN:
        return written.pairs()
    language = "ko" if context.language == "ko" else "en"
    return mixed(shipped_pairs(language) if topic not in TOPICS else pairs_on(topic, language))


def every_pair(context: PageContext) -> tuple[PreferencePair, ...]:
    """All pairs that this session may have voted on."""
    own = (pair for chosen in (OWN, WRITTEN) for pair in pairs_of(context, chosen, "all"))
    return (*own, *shipped_pairs("en"), *shipped_pairs("ko"))


def upload() -> None:
    """Draw the field for the reader's file, and what was read of it."""
    file_preview.field(
        FileKind(
            "al_upload",
            _(
                "Pairs: .jsonl or .csv with `prompt`, `chosen`, `rejected`, and perhaps `topic`; up to 4 "
                "MB, 200 rows"
            ),
            preference_rows.SUFFIXES,
            _read,
            counted,
            _take,
            _("Use these pairs"),
            parts=(
                ColumnWanted(_("Column of the topics"), is_optional=True),
                ColumnWanted(_("Column of the prompts")),
                ColumnWanted(_("Column of the preferred answers")),
                ColumnWanted(_("Column of the other answers")),
            ),
            columns=_columns,
            max_rows=MAX_ROWS,
            max_bytes=MAX_BYTES,
        )
    )
    file_preview.offer_sample("preferences.jsonl", key="al_sample")
    file: PreferenceFile | None = st.session_state.get(FILE)
    if file is not None:
        file_preview.say_left_out(file, MAX_ROWS)
        st.caption(counted(file))


def counted(file: PreferenceFile) -> str:
    """A sentence on the rows of a file; Markdown."""
    words = [ngettext("{n} pair", "{n} pairs", len(file.pairs)).format(n=len(file.pairs))]
    if n := contradictions(file.pairs):
        told = ngettext(
            "{n} pair of answers stands there in both directions",
            "{n} pairs of answers stand there in both directions",
            n,
        )
        words.append(told.format(n=n))
    if n := repeated(file.pairs):
        words.append(ngettext("{n} row repeats another", "{n} rows repeat another", n).format(n=n))
    return plain("; ".join(words))


def _read(name: str, data: bytes, options: ReadOptions) -> PreferenceFile:
    """The pairs of a file; the column of topics, if there is one, is asked for first and read last."""
    if options.columns is not None and len(options.columns) > len(COLUMNS):
        topic, *parts = options.columns
        options = replace(options, columns=(*parts, topic))
    return read_preferences(name, data, options, max_bytes=MAX_BYTES, max_rows=MAX_ROWS)


def _columns(table: Sheet) -> tuple[int, ...] | None:
    found = preference_rows.columns(table)
    return None if found is None else (*found[len(COLUMNS) :], *found[: len(COLUMNS)])


def _take(_name: str, file: PreferenceFile) -> None:
    st.session_state[FILE] = file
    st.session_state.pop("al_pair", None)


def _once(pairs: Sequence[PreferencePair]) -> tuple[PreferencePair, ...]:
    """Each pair once, in the direction in which it came first."""
    return tuple({key_of(one): one for one in reversed(pairs)}.values())[::-1]
