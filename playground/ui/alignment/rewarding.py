"""The reward that a reader chooses for answers: a length, a word or an expression counted, a reward model."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from playground.core.rewards import MAX_PATTERN, MAX_WORD, TextReward
from playground.ui.choose import choose, choose_from_list
from playground.ui.text import N_, _, plain
from playground.ui.url import setting

KINDS = {
    "characters": N_("length in characters"),
    "words": N_("length in words"),
    "mentions": N_("count of a word"),
    "pattern": N_("matches of a regular expression"),
}
FIRST_WORD, FIRST_PATTERN = "the", r"[!?]"
HEAD = "head"  # beginning of the option of a reward model


def choose_text_reward(first: TextReward, heads: Mapping[str, str] | None = None) -> TextReward | str:
    """Draw the choice of a reward.

    Args:
        first: Reward at first.
        heads: Id of each reward model -> its name, where one may be chosen.

    Returns:
        A reward of texts, or the id of a reward model.
    """
    names = {kind: _(name) for kind, name in KINDS.items()}
    names = {first.kind: names[first.kind], **names}
    options = {
        f"{HEAD}_{head}": _("reward model: {name}").format(name=name) for head, name in (heads or {}).items()
    }
    kind = choose_from_list("al_reward", names | options, _("Reward of an answer"))
    if kind.startswith(HEAD):
        return kind.removeprefix(f"{HEAD}_")
    wanted = ""
    if kind == "mentions":
        before = first.wanted if first.kind == "mentions" else FIRST_WORD
        wanted = st.text_input(
            _("Word that is counted"), before, max_chars=MAX_WORD, **setting("al_word", before)
        )
    if kind == "pattern":
        before = first.wanted if first.kind == "pattern" else FIRST_PATTERN
        wanted = st.text_input(
            _("Regular expression"), before, max_chars=MAX_PATTERN, **setting("al_pattern", before)
        )
    sign = choose("al_sign", {"more": _("more is better"), "less": _("less is better")}, _("Direction"))
    chosen = TextReward(kind, wanted, 1 if sign == "more" else -1)  # type: ignore[arg-type]
    chosen.check()
    return chosen


def unit_of(reward: TextReward) -> str:
    """Name of a reward on an axis."""
    names = {
        "characters": _("Reward: characters"),
        "words": _("Reward: words"),
        "mentions": _("Reward: “{word}” counted").format(word=reward.wanted.strip()),
        "pattern": _("Reward: matches"),
    }
    return (
        names[reward.kind]
        if reward.sign > 0
        else _("{reward}, the fewer the better").format(reward=names[reward.kind])
    )


def told(reward: TextReward) -> str:
    """A reward in a sentence, Markdown."""
    name = _(KINDS[reward.kind])
    return f"{name} ({plain(reward.wanted)})" if reward.wanted else name
