"""Training examples of masking, as rows of tokens, and what they cost the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from playground.core import masked as core
from playground.core import pieces
from playground.core.objectives import masking
from playground.core.objectives.masking import KEPT, MASKED, RANDOM, MaskedText, Vocabulary
from playground.core.tables.masked import ScoredToken
from playground.core.tokens import Tokenization
from playground.engine.contract.filling import FillRequest
from playground.engine.contract.models import ModelInfo
from playground.ui import compute, show, state
from playground.ui.components.example_rows import ExamplePiece, ExampleRow, Kind
from playground.ui.masked.view import View
from playground.ui.text import _, ngettext

FATE_KINDS: dict[int, Kind] = {MASKED: "mask", RANDOM: "random", KEPT: "kept"}


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """An example of an objective.

    Attributes:
        rows: Rows of tokens.
        told: A sentence that reads them.
        code: The script that makes the same example.
        losses: Surprisal of what a model is to answer; empty where none can be asked.
        asked: The model that was asked; None where none can be.
    """

    rows: list[ExampleRow]
    told: str
    code: str
    losses: list[ScoredToken] = field(default_factory=list)
    asked: ModelInfo | None = None


def vocabulary(view: View) -> Vocabulary:
    """The tokens that a masking may write: all but special ones."""
    info = compute.tokenizers().info(view.model_id)
    n = min(info.d_vocab, view.context.model.d_vocab or info.d_vocab)
    may_be_written = np.ones(n, dtype=bool)
    may_be_written[[token_id for token_id in info.special_ids if token_id < n]] = False
    return Vocabulary(view.mask_id, np.flatnonzero(may_be_written))


def framed(view: View, text: str) -> Tokenization:
    """A text as the model that fills reads it."""
    return compute.tokenizers().tokenize(view.model_id, text, add_special_tokens=True)


def plain_positions(tokens: Tokenization) -> list[int]:
    """Positions of the tokens of the text, without its frame."""
    return [at for at, special in enumerate(tokens.special) if not special]


def masked_row(view: View, tokens: Tokenization, made: MaskedText, *, start: int = 0) -> list[ExamplePiece]:
    """Tokens of a masked text, each chosen one over what is to be said there.

    Args:
        view: The view of the page.
        tokens: The text, or a part of it.
        made: The masked text.
        start: Position of the first token of the part.
    """
    labels = pieces.labels(tokens)
    found = []
    for at, label in enumerate(labels):
        fate = int(made.fates[start + at])
        if fate == masking.UNTOUCHED:
            found.append(ExamplePiece(label, "frame" if tokens.special[at] else "plain"))
            continue
        shown = label
        if fate == MASKED:
            shown = view.mask_label
        elif fate == RANDOM:
            (shown,) = view.names([int(made.input_ids[start + at])])
        found.append(ExamplePiece(shown, FATE_KINDS[fate], label))
    return found


def masked_losses(view: View, labels: Sequence[str], made: MaskedText) -> list[ScoredToken]:
    """Surprisal of every chosen token, read off the corrupted text; none of a text that is too long."""
    positions, limits = made.positions.tolist(), state.settings()
    most = min(limits.max_tokens, view.context.model.n_ctx or limits.max_tokens)
    wanted = tuple(dict.fromkeys(made.ids[positions].tolist()))
    too_many = len(positions) > limits.max_tokens_all_heads or len(wanted) > limits.max_candidates
    if not positions or too_many or len(made.ids) > most:
        return []
    input_ids = tuple(made.input_ids.tolist())
    request = FillRequest(view.model_id, "", input_ids, 1, token_ids=wanted, positions=tuple(positions))
    filled = compute.fill(view.context, request)
    found = []
    for row, at in enumerate(positions):
        column = wanted.index(int(made.ids[at]))
        logprob = float(filled.token_logprobs[row, column])
        found.append(
            ScoredToken(
                at + 1, labels[at], int(made.ids[at]), FATE_KINDS[int(made.fates[at])],
                float(np.exp(logprob)), -logprob / float(np.log(2)), int(filled.token_ranks[row, column]) + 1,
            )
        )  # fmt: skip
    return found


def masking_example(view: View, text: str, seed: int, *, whole_words: bool) -> Example:
    """Masked language modelling on one text, by tokens or by whole words."""
    tokens = framed(view, text)
    ids, rng = np.array(tokens.input_ids, dtype=np.int64), np.random.default_rng(seed)
    candidates = plain_positions(tokens)
    words = [list(word.positions) for word in core.words_of(tokens, core.LETTERS_OR_SIGNS)]
    if whole_words:
        made = masking.mask_words(ids, words, vocabulary(view), rng)
    else:
        made = masking.mask_tokens(ids, candidates, vocabulary(view), rng)
    losses = masked_losses(view, pieces.labels(tokens), made)
    rows = [
        ExampleRow(
            _("The model reads; below each chosen token: what it is to say"), masked_row(view, tokens, made)
        )
    ]
    told = masking_told(made, len(candidates), losses)
    code = masking_code(
        view, ids, [[at] for at in candidates] if not whole_words else words, seed, whole_words
    )
    return Example(rows, told, code, losses, view.context.model)


def masking_told(made: MaskedText, n: int, losses: Sequence[ScoredToken]) -> str:
    """A sentence on the chosen tokens: their number, their fates, and what they cost the model."""
    by_fate = [int((made.fates == fate).sum()) for fate in (MASKED, RANDOM, KEPT)]
    told = ngettext(
        "Of {n} tokens {k} is to be said: {masked} masked, {random} replaced, {kept} left as it was.",
        "Of {n} tokens {k} are to be said: {masked} masked, {random} replaced, {kept} left as they were.",
        len(made.positions),
    ).format(n=n, k=len(made.positions), masked=by_fate[0], random=by_fate[1], kept=by_fate[2])
    if not losses:
        return told
    names = {"mask": _("masked"), "random": _("replaced"), "kept": _("left as they were")}
    means = []
    for kind, name in names.items():
        bits = [one.surprisal_bits for one in losses if one.kind == kind]
        if bits:
            means.append(f"{name} {sum(bits) / len(bits):.1f}")
    more = _("Mean loss in bits per token: {means}.")
    return f"{told} {more.format(means=', '.join(means))}"


def masking_code(
    view: View, ids: NDArray[np.int64], words: list[list[int]], seed: int, whole_words: bool
) -> str:
    """The script that chooses the same tokens and gives the same losses."""
    info = compute.tokenizers().info(view.model_id)
    return show.code(
        "objective_masking", **view.read_from, ids=ids.tolist(), words=words,
        whole_words=whole_words, seed=seed, special_ids=sorted(info.special_ids),
        d_vocab=min(info.d_vocab, view.context.model.d_vocab or info.d_vocab),
    )  # fmt: skip
