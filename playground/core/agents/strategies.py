"""Five strategies as pure functions of the record: the same record, the same next move.

    record ──next_move──> Ask(prompt) ──a model──> text ──take──> Turn ──┐
       ▲                                                                 │
       └──────────────────────────── record + (turn,) ───────────────────┘   until End

reasoning   one text, no tool                     plan        a plan first, then its steps, then the answer
act         actions, no thought                   reflexion   ReAct; a failed trial, a lesson, a second trial
react       thought, action, observation, ...

Source:
    Yao et al. 2023, "ReAct"; Wang et al. 2023, "Plan-and-Solve Prompting"; Shinn et al. 2023, "Reflexion".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from playground.core.agents import prompts
from playground.core.agents.actions import (
    ACTION,
    ANSWER,
    MAX_INPUT,
    OBSERVATION,
    THOUGHT,
    Grammar,
    answer_grammar,
    grammar,
    parse,
)
from playground.core.agents.record import Cost, Ending, Part, Record, Setup, Turn, total
from playground.core.agents.tools import World, use

MAX_STEPS = 3  # of a plan
TRIAL_TURNS = 3  # of Reflexion's first trial
N_NEW = 56  # tokens of a turn
N_NEW_ON = 120  # where the model may write on after an observation of its own
_STEP = re.compile(r"\d\.\s*(.+?)(?=\s*\d\.\s|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for text.

    Attributes:
        part: Its purpose.
        prompt: The prompt, word for word; it ends with `lead`.
        lead: Its last word.
        stop: Strings that end the text.
        grammar: Form that the text must have, None for any.
        n_new: Tokens it may have at most.
    """

    part: Part
    prompt: str
    lead: str
    stop: tuple[str, ...]
    grammar: Grammar | None
    n_new: int = N_NEW


@dataclass(frozen=True, slots=True)
class End:
    """The end of a run: why, and with which answer."""

    ending: Ending
    answer: str = ""


def next_move(setup: Setup, turns: Record) -> Ask | End:
    """The next thing to ask of the model, or the end.

    An answer ends a run; otherwise the first of its limits that is reached does.

    Args:
        setup: What is asked, and how.
        turns: Everything that has happened.
    """
    move = _NEXT[setup.strategy](setup, turns)
    if isinstance(move, End):
        return move
    return _limit(setup, turns) or move


def _limit(setup: Setup, turns: Record) -> End | None:
    spent, limits = total(turns), setup.limits
    if len(turns) >= limits.turns:
        return End("turns")
    if spent.n_prompt + spent.n_written >= limits.tokens:
        return End("tokens")
    return End("time") if spent.seconds >= limits.seconds else None


def take(setup: Setup, ask: Ask, written: str, cost: Cost, world: World) -> Turn:
    """Read what the model wrote, carry out its action, and write down the turn; never raises.

    Args:
        setup, ask: What was asked.
        written: The model's text.
        cost: Its tokens and time.
        world: All that tools can see; what it does not allow is not done, whatever was written.
    """
    if ask.part not in ("act", "react", "step"):
        return Turn(ask.part, ask.lead, written, thought=written.strip(), cost=cost)
    read = parse(f"{ask.lead}{written}", setup.form, trusting=not setup.stops)
    turn = Turn(ask.part, ask.lead, written, read.thought, read.action, invented=read.invented, cost=cost)
    if read.action is None:
        return _seen(turn, read.error, read.trouble)
    observed = use(read.action, world)
    return _seen(turn, observed.text, observed.trouble)


def _seen(turn: Turn, observation: str, trouble: str) -> Turn:
    return Turn(
        turn.part, turn.lead, turn.written, turn.thought, turn.action, observation, trouble, turn.invented,
        turn.cost,
    )  # fmt: skip


# ---------------------------------------------------------------- the strategies


def _lead(setup: Setup, *, with_thought: bool) -> str:
    if setup.form == "json":
        return ""
    return THOUGHT if with_thought else ACTION


def _stop(setup: Setup) -> tuple[str, ...]:
    own = (f"\n{OBSERVATION}",) if setup.stops else ()
    return (*own, f"\n{prompts.QUESTION}", "\n\n")


def _ask(
    setup: Setup, part: Part, prompt: str, lead: str, form: Grammar | None, stop: tuple[str, ...] = ("\n",)
) -> Ask:
    is_free = part in ("act", "react") and not (setup.stops or setup.constrained)
    return Ask(part, prompt, lead, stop, form if setup.constrained else None, N_NEW_ON if is_free else N_NEW)


def _answer_of(turn: Turn) -> str | None:
    """The answer with which a turn finished; None where it did not."""
    if turn.action is not None and turn.action.tool == "finish" and not turn.trouble:
        return turn.observation
    return None


def _reasoning(setup: Setup, turns: Record) -> Ask | End:
    if turns:
        _before, sign, answer = turns[0].written.partition(ANSWER)
        answer = answer.strip().split("\n")[0][: 2 * MAX_INPUT]
        return End("finished", answer) if sign and answer else End("no_answer")
    stop = (f"\n{prompts.QUESTION}", "\n\n")
    return _ask(setup, "reason", prompts.reasoned(setup), THOUGHT, answer_grammar(), stop)


def _looping(setup: Setup, turns: Record) -> Ask | End:
    """ReAct, and acting only: until the model finishes."""
    if turns and (answer := _answer_of(turns[-1])) is not None:
        return End("finished", answer)
    return _loop_ask(setup, turns)


def _loop_ask(setup: Setup, turns: Record, reflection: str = "") -> Ask:
    with_thought = setup.strategy != "act"
    lead = _lead(setup, with_thought=with_thought)
    form = grammar(setup.allowed, setup.form, with_thought=with_thought)
    prompt = prompts.looped(setup, turns, lead, reflection)
    return _ask(setup, "react" if with_thought else "act", prompt, lead, form, _stop(setup))


def steps_of(plan: str) -> tuple[str, ...]:
    """The steps of a plan, at most three.

    Example:
        >>> steps_of(" 1. Search the price. 2. Multiply it by 5."), steps_of("no plan")
        (('Search the price.', 'Multiply it by 5.'), ())
    """
    return tuple(one.strip() for one in _STEP.findall(plan) if one.strip())[:MAX_STEPS]


def _planning(setup: Setup, turns: Record) -> Ask | End:
    if not turns:
        step = rf"[^\n.]{{1,{MAX_INPUT}}}\."
        form = Grammar("regex", rf" 1\. {step}( 2\. {step}( 3\. {step})?)?")
        return _ask(setup, "plan", prompts.planned(setup), prompts.PLAN, form)
    steps, done = steps_of(turns[0].written), turns[1:]
    if not steps:
        return End("no_answer")
    known = " ".join(turn.observation for turn in done if turn.part == "step")
    if len(done) < len(steps):
        lead = _lead(setup, with_thought=False)
        prompt = prompts.stepped(setup, known, steps[len(done)], lead)
        return _ask(setup, "step", prompt, lead, grammar(setup.allowed, setup.form, with_thought=False))
    if done[-1].part != "answer":
        form = Grammar("regex", rf" [^\n]{{1,{MAX_INPUT}}}")
        return _ask(setup, "answer", prompts.answered(setup, known), ANSWER, form)
    answer = done[-1].thought
    return End("finished", answer) if answer else End("no_answer")


def is_supported(turns: Record) -> bool:
    """True if a trial finished with an answer that stands in one of its observations.

    This is what the loop can check by itself; whether the answer is right it does not know.
    """
    answer = _answer_of(turns[-1]) if turns else None
    seen = " ".join(turn.observation for turn in turns[:-1] if not turn.trouble).lower()
    return answer is not None and answer.lower() in seen


def _reflecting(setup: Setup, turns: Record) -> Ask | End:
    places = [place for place, turn in enumerate(turns) if turn.part == "reflection"]
    trial = turns[places[0] + 1 :] if places else turns
    reflection = turns[places[0]].thought if places else ""
    answer = _answer_of(trial[-1]) if trial else None
    if answer is not None and (places or is_supported(trial)):
        return End("finished", answer)
    if not places and (answer is not None or len(trial) >= TRIAL_TURNS):
        form = Grammar("regex", rf" [^\n]{{1,{MAX_INPUT * 2}}}")
        return _ask(setup, "reflection", prompts.reflected(setup, trial), prompts.REFLECTION, form)
    return _loop_ask(setup, trial, reflection)


_NEXT: MappingProxyType[str, Callable[[Setup, Record], Ask | End]] = MappingProxyType(
    {
        "reasoning": _reasoning,
        "act": _looping,
        "react": _looping,
        "plan": _planning,
        "reflexion": _reflecting,
    }
)
