"""A run as every picture of the page shows it, shipped or the reader's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from playground.core import forming
from playground.core.pretraining import bits, count_bits, parts
from playground.core.tables.pretraining import Points
from playground.engine.contract.pretraining import PretrainingObservation, PretrainingSettings
from playground.engine.contract.training import Sample


@dataclass(frozen=True)
class Read:
    """All that a run was given to read.

    Attributes:
        text: Text it learns from, a tenth of it held out.
        other: Text whose loss is told beside, "" for none.
        prompts: Beginnings that are continued.
        tokens: Tokens of the sentence whose attention is told, as they are shown.
        mapped: Bytes whose embeddings are told.
    """

    text: str
    other: str
    prompts: tuple[str, ...]
    tokens: tuple[str, ...]
    mapped: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Seen:
    """A run.

    Attributes:
        run_id: Id in the link.
        name: Name in lists and legends.
        settings: Its settings.
        read: What it was given to read.
        train, held_out, general: (step, loss), nats per byte that counts.
        samples: Continuations of the prompts.
        observed: Attention and embeddings at milestones.
        model_id: Its model, "" while there is none.
        n_parameters: Its trained numbers, 0 where that is not known yet.
        seconds: Time it took, 0 where that is not known.
        is_shipped: True if it comes with the playground.
    """

    run_id: str
    name: str
    settings: PretrainingSettings
    read: Read
    train: Points
    held_out: Points
    general: Points = ()
    samples: Sequence[Sample] = ()
    observed: Sequence[PretrainingObservation] = ()
    model_id: str = ""
    n_parameters: int = 0
    seconds: float = 0.0
    is_shipped: bool = False

    @cached_property
    def counted(self) -> dict[int, float]:
        """Order of each count model that its loss can be held against -> held-out bits per byte.

        A hidden byte is told from both sides: no count model here is asked the same, so there is none.
        """
        if self.settings.objective != "next":
            return {}
        cut = parts(self.read.text)
        return count_bits(cut.train, cut.held_out)

    @property
    def last_bits(self) -> float | None:
        """Held-out bits per byte at the last measurement, None before the first."""
        return bits(self.held_out[-1][1]) if self.held_out else None

    @cached_property
    def words_written(self) -> list[tuple[int, int, int]]:
        """(step, written words that are words of what it learned from, written words) of each milestone."""
        known = forming.words_of(parts(self.read.text).train.decode("utf-8", "ignore"))
        counts: dict[int, tuple[int, int]] = {}
        for one in self.samples:
            if one.status == "open" or one.prompt >= len(self.read.prompts):
                continue
            n_real, n = forming.real_words(self.read.prompts[one.prompt], one.text, known)
            before = counts.get(one.step, (0, 0))
            counts[one.step] = before[0] + n_real, before[1] + n
        return [(step, *both) for step, both in sorted(counts.items())]
