"""Tokenizes continuations together with the text before them, as they would stand there."""

from __future__ import annotations

from collections.abc import Sequence

from playground.core.tokens import well_formed
from playground.engine.models.tokenizing import TextTokenizer

Ids = tuple[int, ...]


def cut_together(
    tokenizer: TextTokenizer, text: str, candidates: Sequence[str], following: str = ""
) -> tuple[Ids, tuple[Ids, ...]]:
    r"""The tokens of a text, and of each candidate as a continuation of it.

    A candidate's tokens are those of text + candidate + following that come after the tokens of the text and
    begin before `following`: "\n\n" is one token at the end of a text and two before another letter. White
    space at the end of the text goes with the candidates, because " a" is one token and " " then another one.

    Args:
        tokenizer: Cuts.
        text: The text before.
        candidates: Texts that may follow; none is empty.
        following: The text after each of them.

    Returns:
        The text's tokens, and those of each candidate. Where text and candidate share a token, the text's
        tokens end before it for all candidates, so that the scores of candidates can be compared. Where
        nothing would be left of the text, its tokens and the candidate's are cut apart.

    Source:
        EleutherAI's lm-evaluation-harness, `TemplateLM._encode_pair`, which leaves out a shared token.
    """
    text, following = well_formed(text), well_formed(following)
    read = [well_formed(candidate) for candidate in candidates]
    stem = text.rstrip() or text
    stem_ids = tokenizer.encode(stem)
    head, tail = _last_line(tokenizer, stem, stem_ids)
    each: list[Ids] = []
    for candidate in read:
        continued = tail + text[len(stem) :] + candidate
        cut = tokenizer.tokenize(continued + following, add_special_tokens=not head)
        n = sum(start < len(continued) for start, _end in cut.offsets)
        each.append((*head, *cut.input_ids[:n]))
    n_shared = min((_n_alike(stem_ids, ids) for ids in each), default=0)
    if n_shared == 0 or any(len(ids) == n_shared for ids in each):
        return tokenizer.encode(text), tuple(tokenizer.encode(one, add_special_tokens=False) for one in read)
    return stem_ids[:n_shared], tuple(ids[n_shared:] for ids in each)


def cut_targets(tokenizer: TextTokenizer, candidates: Sequence[str], following: str = "") -> tuple[Ids, ...]:
    """The tokens of each candidate as the beginning of a target, without those that end a text.

    Args:
        tokenizer: Cuts.
        candidates: Texts that a target may begin with.
        following: The text after each of them: cut with it; its tokens are left out.
    """
    following, each = well_formed(following), list[Ids]()
    for candidate in map(well_formed, candidates):
        cut = tokenizer.tokenize(candidate + following, add_special_tokens=False)
        each.append(cut.input_ids[: sum(start < len(candidate) for start, _end in cut.offsets)])
    return tuple(each)


def _last_line(tokenizer: TextTokenizer, stem: str, stem_ids: Ids) -> tuple[Ids, str]:
    """The tokens before the last line and that line, where they are cut apart: it alone needs cutting again.

    Only byte-level BPE reads a text from the front in words that much later text leaves alone.
    """
    line = stem[stem.rfind("\n") + 1 :]
    if line == stem or tokenizer.algorithm != "byte-level BPE":
        return (), stem
    ids = tokenizer.encode(line, add_special_tokens=False)
    head = stem_ids[: len(stem_ids) - len(ids)]
    return (head, line) if head and head + ids == stem_ids else ((), stem)


def _n_alike(one: Ids, other: Ids) -> int:
    """Number of tokens that two sequences begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
