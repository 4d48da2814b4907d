"""A run from its first prompt to its end, one turn at a time; whoever has a model gives it the texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playground.core.agents.record import Cost, Record, Run, Setup, Turn, n_again
from playground.core.agents.strategies import Ask, End, next_move, take
from playground.core.agents.tools import World


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's text.

    Attributes:
        text: The text.
        prompt_ids, written_ids: Tokens that it read and wrote.
        seconds: Time it took.
    """

    text: str
    prompt_ids: tuple[int, ...]
    written_ids: tuple[int, ...]
    seconds: float


class Loop:
    """A run that is under way.

    Attributes:
        setup: What is asked, and how.
        world: All that its tools can see.
        turns: What has happened so far.
    """

    def __init__(self, setup: Setup, world: World) -> None:
        self.setup, self.world = setup, world
        self.turns: Record = ()
        self._seen: list[tuple[int, ...]] = []
        self._is_full = False

    @property
    def move(self) -> Ask | End:
        """The next thing to ask of the model, or the end."""
        move = next_move(self.setup, self.turns)
        return End("window") if self._is_full and isinstance(move, Ask) else move

    def give(self, reply: Reply | None) -> Turn | None:
        """Take the model's answer to the last move; None where its prompt does not fit into the window.

        Returns:
            The turn, None at the end.
        """
        move = self.move
        if isinstance(move, End):
            return None
        if reply is None:
            self._is_full = True
            return None
        cost = Cost(
            len(reply.prompt_ids),
            n_again(reply.prompt_ids, self._seen),
            len(reply.written_ids),
            reply.seconds,
        )
        turn = take(self.setup, move, reply.text, cost, self.world)
        self._seen.append((*reply.prompt_ids, *reply.written_ids))
        self.turns = (*self.turns, turn)
        return turn

    def run(self) -> Run | None:
        """The whole run; None while it is not over."""
        move = self.move
        if isinstance(move, Ask):
            return None
        return Run(self.setup, self.turns, move.ending, move.answer)


def run(setup: Setup, world: World, write: Callable[[Ask], Reply | None]) -> Run:
    """A whole run.

    Args:
        setup, world: What is asked, how, and all that tools can see.
        write: Asks a model; None where the prompt does not fit.
    """
    loop = Loop(setup, world)
    while isinstance(move := loop.move, Ask):
        loop.give(write(move))
    found = loop.run()
    assert found is not None
    return found
