"""Preference pairs: two answers to one prompt, of which one is preferred."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from playground.core.canonical import canonical

MIN_PROMPTS = 2  # one to learn from, one to test on


@dataclass(frozen=True, slots=True)
class PreferencePair:
    """Two answers to a prompt, of which one is preferred.

    Attributes:
        prompt: The text before both.
        chosen, rejected: The preferred answer, and the other one.
        topic: Name of what the two differ in, "" for none.
    """

    prompt: str
    chosen: str
    rejected: str
    topic: str = ""

    @property
    def prompt_key(self) -> str:
        """SHA-256 of the prompt in canonical form (64 hex digits): equal for all pairs that share it."""
        return sha256(canonical(self.prompt).encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def texts(self) -> tuple[str, str, str]:
        """Prompt, chosen and rejected answer in canonical form, as pairs are compared."""
        return canonical(self.prompt), canonical(self.chosen), canonical(self.rejected)

    def turned(self) -> PreferencePair:
        """The pair of somebody who prefers the other answer.

        Example:
            >>> PreferencePair("Hi", "Hello!", "What?").turned().chosen
            'What?'
        """
        return PreferencePair(self.prompt, self.rejected, self.chosen, self.topic)


def jsonl(pairs: Iterable[PreferencePair]) -> bytes:
    r"""Pairs as JSON lines, the form in which trl and datasets read preferences, with topics if any.

    Example:
        >>> jsonl([PreferencePair("가", "나", "다")]).decode()
        '{"prompt": "가", "chosen": "나", "rejected": "다"}\n'
    """
    lines = []
    for one in pairs:
        row = {"prompt": one.prompt, "chosen": one.chosen, "rejected": one.rejected}
        lines.append(json.dumps(row | ({"topic": one.topic} if one.topic else {}), ensure_ascii=False) + "\n")
    return "".join(lines).encode("utf-8", "surrogatepass")


def repeated(pairs: Sequence[PreferencePair]) -> int:
    """Number of pairs that say again what an earlier one says.

    Example:
        >>> one = PreferencePair("Hi", "Hello!", "What?")
        >>> repeated([one, one, one.turned()])
        1
    """
    return len(pairs) - len({one.texts for one in pairs})


def contradictions(pairs: Sequence[PreferencePair]) -> int:
    """Number of different pairs of answers that stand there in both directions: no model can satisfy both.

    Example:
        >>> one = PreferencePair("Hi", "Hello!", "What?")
        >>> contradictions([one, one, one.turned()])
        1
    """
    said = {one.texts for one in pairs}
    return sum((prompt, rejected, chosen) in said for prompt, chosen, rejected in said) // 2


def split(
    pairs: Sequence[PreferencePair], *, fraction: float = 0.25
) -> tuple[tuple[PreferencePair, ...], tuple[PreferencePair, ...]]:
    """Hold out a share of the prompts of each topic, with all their pairs: no prompt is on both sides.

    The SHA-256 of a prompt decides, not its place in the file, so the same pairs are held out everywhere.

    Args:
        pairs: Pairs with at least two different prompts.
        fraction: Share of the prompts of a topic that is held out, rounded; at least one prompt of all is
            held out, and at least one is not.

    Returns:
        Pairs to learn from and pairs held out, both in their order.

    Raises:
        ValueError: All pairs have one prompt.

    Example:
        >>> train, held_out = split([PreferencePair(prompt, "yes", "no") for prompt in "abcdefgh"])
        >>> "".join(one.prompt for one in train), "".join(one.prompt for one in held_out)
        ('abcegh', 'df')
    """
    topics: dict[str, dict[str, None]] = {}
    seen: set[str] = set()
    for one in pairs:
        key = one.prompt_key
        if key not in seen:
            seen.add(key)
            topics.setdefault(one.topic, {})[key] = None
    if len(seen) < MIN_PROMPTS:
        raise ValueError(f"to learn and to test needs pairs with two different prompts, got {len(seen)}")
    aside = {key for keys in topics.values() for key in sorted(keys)[: round(fraction * len(keys))]}
    aside = aside or {min(seen)}
    if aside == seen:
        aside.remove(max(seen))
    train = tuple(one for one in pairs if one.prompt_key not in aside)
    return train, tuple(one for one in pairs if one.prompt_key in aside)
