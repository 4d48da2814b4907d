"""A run as cards, its bill, and the sentence that reads it."""

from __future__ import annotations

from collections.abc import Sequence

from playground.core.agents.record import Record, Run, Setup, Turn, repeats, total
from playground.core.agents.strategies import Ask, next_move
from playground.ui.components.agent_turns import Card, TurnCards
from playground.ui.text import N_, _, ngettext, strong

_PARTS = {
    "reason": N_("Reasoning"), "plan": N_("Plan"), "answer": N_("Answer"), "reflection": N_("Reflection"),
}  # fmt: skip
_TROUBLES = {
    "no_action": N_("there is no action in it"),
    "not_json": N_("it is not JSON"),
    "missing_field": N_("a field is missing"),
    "unclosed": N_("the action does not end"),
    "unknown_tool": N_("an invented tool: nothing is called"),
    "not_allowed": N_("this tool is not allowed: nothing is called"),
    "empty_input": N_("the input is empty"),
    "too_long": N_("the input is too long"),
    "not_arithmetic": N_("the input is not arithmetic"),
    "divides_by_zero": N_("division by zero"),
    "too_large": N_("the number is too large"),
    "not_a_date": N_("the input is not a date"),
    "nothing_found": N_("nothing was found"),
}
_ENDINGS = {
    "finished": N_("The model ended the run with an answer."),
    "no_answer": N_("The run ended without an answer."),
    "turns": N_("Hard end: no more turns."),
    "tokens": N_("Hard end: no more tokens."),
    "time": N_("Hard end: no more time."),
    "window": N_("Hard end: the next prompt no longer fits into the context window."),
}


def cards(setup: Setup, turns: Record, run: Run | None) -> list[TurnCards]:
    """The turns of a run as cards, and its end once it is over.

    Args:
        setup: What was asked, and how.
        turns: The turns so far.
        run: The whole run; None while it goes on.
    """
    found = []
    for number, turn in enumerate(turns, 1):
        move = next_move(setup, turns[: number - 1])
        prompt = move.prompt if isinstance(move, Ask) else ""
        found.append(TurnCards(_told(number, turn), _cards(turn), prompt, turn.written))
    if run is not None:
        end = Card("answer" if run.ending == "finished" else "end", _("End"), run.answer or "–", ending(run))
        found.append(TurnCards("", (end,)))
    return found


def ending(run: Run) -> str:
    """The reason why a run is over, in a sentence."""
    return _(_ENDINGS[run.ending])


def trouble(name: str) -> str:
    """The trouble with an action, in words."""
    return _(_TROUBLES[name])


def _told(number: int, turn: Turn) -> str:
    cost = turn.cost
    return _("Turn {n} · tokens: {new:,} new, {again:,} read again, {written:,} written").format(
        n=number, new=cost.n_new, again=cost.n_again, written=cost.n_written
    )


def _cards(turn: Turn) -> tuple[Card, ...]:
    if turn.part in _PARTS:
        return (Card("thought", _(_PARTS[turn.part]), turn.written.strip()),)
    found = [Card("thought", _("Thought"), turn.thought)] if turn.thought else []
    if turn.action is not None:
        found.append(Card("action", _("Action"), f"{turn.action.tool}[{turn.action.input}]"))
    elif not turn.thought:
        found.append(Card("trouble", _("Written"), turn.written.strip()))
    if turn.invented:
        note = _("written by the model itself: no tool was asked")
        found.append(Card("trouble", _("Invented observation"), turn.invented, note))
    if turn.action is not None and turn.action.tool == "finish" and not turn.trouble:
        return tuple(found)
    if turn.trouble:
        found.append(Card("trouble", _("Observation"), turn.observation, trouble(turn.trouble)))
    else:
        found.append(Card("observation", _("Observation"), turn.observation))
    return tuple(found)


def in_words(run: Run, is_right: bool | None) -> str:
    """A run in a sentence or two, Markdown; "" for one without a turn.

    Args:
        run: The run.
        is_right: Whether its answer is right; None where that is not known.
    """
    cost, n = total(run.turns), len(run.turns)
    if not n:
        return ""  # its end says why
    told = ngettext(
        "In {n} turn the model read {read:,} tokens, {again:,} of them again, and wrote {written:,}.",
        "In {n} turns the model read {read:,} tokens, {again:,} of them again, and wrote {written:,}.",
        n,
    ).format(n=n, read=cost.n_prompt, again=cost.n_again, written=cost.n_written)
    if is_right is not None and run.answer:
        verdict = _("The answer {answer} is right.") if is_right else _("The answer {answer} is wrong.")
        told = f"{verdict.format(answer=strong(run.answer))} {told}"
    n_trouble = sum(bool(turn.trouble) for turn in run.turns)
    if n_trouble:
        told += " " + ngettext(
            "{n} action could not be carried out.", "{n} actions could not be carried out.", n_trouble
        ).format(n=n_trouble)
    if repeated := repeats(run.turns):
        told += " " + ngettext(
            "{n} action was a repetition: a loop.", "{n} actions were repetitions: a loop.", repeated
        ).format(n=repeated)
    return told


def bill_words() -> dict[str, str]:
    """The words of the picture of the bill."""
    return {
        "turn": _("turn"), "tokens": _("tokens"), "so_far": _("all turns so far"),
        "again": _("read again"), "new": _("read for the first time"), "written": _("written"),
        "total": _("so far {n}"),
    }  # fmt: skip


def alt(turns: Sequence[Turn]) -> str:
    """The bill for readers who do not see it."""
    cost = total(tuple(turns))
    return _("Bar chart: tokens of each turn; {again:,} of {read:,} tokens were read again").format(
        again=cost.n_again, read=cost.n_prompt
    )
