"""The polls of this process's class, and their words in the reader's language."""

from __future__ import annotations

from functools import lru_cache
from string import ascii_uppercase

from playground.core.classroom.polls import Poll, Polls, Tally
from playground.errors import N_
from playground.ui.room import room
from playground.ui.state import settings
from playground.ui.text import _, plain, strong

_QUESTIONS = {
    "next": N_("Which token comes next?"),
    "head": N_("Which head does the model need most for the token that comes next?"),
    "better": N_("Which continuation is better?"),
}


@lru_cache
def polls() -> Polls:
    """The polls of the class; they end with it."""
    made = Polls(settings())
    room().when_it_ends(made.clear)
    return made


def question(poll: Poll) -> str:
    """The question of a poll, as Markdown."""
    if poll.kind == "free":
        return f"**{plain(poll.text)}**"
    return f"**{_(_QUESTIONS[poll.kind])}** {plain(poll.text)} …"


def one_line(option: str) -> str:
    """An option in one line, as it is: line ends are seen."""
    return option.replace("\n", " ⏎ ").strip(" ")


def reading(poll: Poll, tally: Tally) -> str:
    """The sentence that reads a result, as Markdown: the class's choice, its interval, and the model's."""
    if not tally.n:
        return _("Nobody has voted.")
    return " ".join(filter(None, (_class(poll, tally), _agreement(poll, tally))))


def _name(poll: Poll, place: int) -> str:
    if poll.kind == "better":
        return f"**{ascii_uppercase[place]}**"
    return strong(one_line(poll.options[place]))


def _class(poll: Poll, tally: Tally) -> str:
    if len(tally.most) > 1:
        told = _("No favourite among {n} votes: {share:.0%} each for {options}.")
        names = ", ".join(_name(poll, place) for place in tally.most)
        return told.format(n=tally.n, options=names, share=tally.share)
    (most,) = tally.most
    told = _(
        "{count} of {n} chose {option}: {share:.0%}. With so few votes the share in a much larger group like "
        "this one lies between {low:.0%} and {high:.0%} (95 % interval)."
    )
    return told.format(
        count=tally.counts[most], n=tally.n, option=_name(poll, most), share=tally.share, low=tally.low,
        high=tally.high,
    )  # fmt: skip


def _agreement(poll: Poll, tally: Tally) -> str:
    if poll.right is None or tally.agreeing is None:
        return ""
    told = {
        "next": _(
            "The model's first choice of these is {option} with {measure:.1%}; {agreeing:.0%} chose it too."
        ),
        "head": _("Without head {option} the model loses most, {measure:.3f} bits; {agreeing:.0%} chose it."),
        "free": _("Right is {option}; {agreeing:.0%} chose it."),
    }[poll.kind]
    measure = poll.measures[poll.right] if poll.measures else 0.0
    return told.format(option=_name(poll, poll.right), measure=measure, agreeing=tally.agreeing)
