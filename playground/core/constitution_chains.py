"""Attack, answer, critique and revision in a row: of a session, and those that come with the playground."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Final

from playground.core.canonical import is_same
from playground.core.constitution import pair_of
from playground.core.preferences.pair import PreferencePair
from playground.paths import site_root

FOLDER: Final = "constitution"
FILE: Final = "en.json"
STEPS: Final = ("answer", "critique", "revision")
MOST_ATTACKS: Final = 8
MAX_ATTACK: Final = 200  # characters
MAX_TOKENS: Final = 40  # of each step


@dataclass(frozen=True, slots=True)
class Chain:
    """One attack on a rule, and what a model made of it.

    Attributes:
        attack: The question.
        answer, critique, revision: What the model wrote, "" before.
        preference: Log-odds by which the same model prefers the revision to the answer, nats; None where it
            was not asked.
    """

    attack: str
    answer: str = ""
    critique: str = ""
    revision: str = ""
    preference: float | None = None

    @property
    def pair(self) -> PreferencePair | None:
        """The pair that it gives; None where the revision says the same, or one of them nothing."""
        return pair_of(self.attack, self.answer, self.revision, FOLDER)


@dataclass(frozen=True, slots=True)
class ShippedChains:
    """Chains that were written once by our script.

    Attributes:
        model, revision: Catalogue id and revision of the model.
        chains: Rule -> its chains.
    """

    model: str
    revision: str
    chains: dict[str, tuple[Chain, ...]]


@dataclass(frozen=True, slots=True)
class ChainCounts:
    """Chains counted.

    Attributes:
        n: Chains with a revision.
        n_same: Those whose revision says the same as the answer, or one of both nothing.
        n_preferred: Those that give a pair whose revision the model itself prefers.
        n_asked: Those that give a pair and whose model was asked.
    """

    n: int
    n_same: int
    n_preferred: int
    n_asked: int


def counted(chains: Sequence[Chain]) -> ChainCounts:
    """Chains counted.

    Example:
        >>> counted([Chain("Hey!", "What?", "Rude.", "Hello.", 0.5), Chain("Hey!", "Hi.", "Good.", "Hi.")])
        ChainCounts(n=2, n_same=1, n_preferred=1, n_asked=1)
    """
    asked = [one.preference for one in chains if one.pair is not None and one.preference is not None]
    n_same = sum(one.pair is None for one in chains)
    return ChainCounts(len(chains), n_same, sum(value > 0 for value in asked), len(asked))


def attacks_of(text: str) -> tuple[str, ...]:
    """Attacks out of a field, one a line: without empty and repeated ones, each cut, at most eight.

    Example:
        >>> attacks_of("Hey!\\n\\n  Hey! \\nHo!")
        ('Hey!', 'Ho!')
    """
    found: list[str] = []
    for line in text.splitlines():
        tidy = " ".join(line.split())[:MAX_ATTACK]
        if tidy and not any(is_same(tidy, other) for other in found):
            found.append(tidy)
    return tuple(found[:MOST_ATTACKS])


def written(found: ShippedChains) -> str:
    """As a file."""
    raw = {
        "model": found.model, "revision": found.revision,
        "chains": {rule: [asdict(one) for one in chains] for rule, chains in found.chains.items()},
    }  # fmt: skip
    return json.dumps(raw, ensure_ascii=False, indent=1) + "\n"


def read(text: str) -> ShippedChains:
    """The chains of such a file."""
    raw = json.loads(text)
    chains = {rule: tuple(Chain(**one) for one in rows) for rule, rows in raw["chains"].items()}
    return ShippedChains(raw["model"], raw["revision"], chains)


@lru_cache
def shipped() -> ShippedChains:
    """The chains that come with the playground, on its English rules (`playground.trained.constitution`)."""
    return read((site_root() / "assets" / "trained" / FOLDER / FILE).read_text("utf-8"))


def with_text(chain: Chain, step: str, text: str) -> Chain:
    """The chain with what was written in a step.

    Example:
        >>> with_text(Chain("Hey!"), "answer", "What?").answer
        'What?'
    """
    return replace(chain, **{step: text})  # type: ignore[arg-type]
