"""Training examples of the objectives beside masking: next token, spans, sentence pairs, replaced tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from playground.core import masked as core
from playground.core import pieces
from playground.core.objectives import masking
from playground.core.objectives.replaced import replace_tokens
from playground.core.objectives.sentence_pairs import mask_translation, next_sentence, sentence_order
from playground.core.objectives.span_corruption import corrupt_spans
from playground.core.tables.masked import ScoredToken
from playground.core.tokens import Tokenization
from playground.engine.contract.traces import Capture
from playground.paths import site_root
from playground.ui import compute, show
from playground.ui.components.example_rows import ExamplePiece, ExampleRow
from playground.ui.masked.examples import (
    Example,
    framed,
    masked_losses,
    masked_row,
    masking_code,
    masking_told,
    plain_positions,
    vocabulary,
)
from playground.ui.masked.view import View
from playground.ui.state import PageContext
from playground.ui.text import _, strong

N_PROPOSED = 50  # tokens that the generator of replaced-token detection draws from


def next_token(decoder: PageContext, text: str) -> Example:
    """Every token's answer is the token after it."""
    tokens = compute.tokenizers().tokenize(decoder.model.model_id, text, add_special_tokens=True)
    labels = pieces.labels(tokens)
    row = [
        ExamplePiece(label, "frame" if special else "plain", following)
        for label, special, following in zip(labels, tokens.special, [*labels[1:], ""], strict=True)
    ]
    losses: list[ScoredToken] = []
    if len(tokens) > 1:
        trace = compute.trace(decoder, tokens.input_ids, Capture(predictions=1), topic="masked_next")
        assert trace.predictions is not None
        bits, ranks = trace.predictions.surprisal_bits.tolist(), trace.predictions.ranks.tolist()
        losses = [
            ScoredToken(
                at + 1,
                labels[at],
                tokens.input_ids[at],
                "",
                2.0 ** -bits[at - 1],
                bits[at - 1],
                ranks[at - 1] + 1,
            )
            for at in range(1, len(tokens))
        ]
    told = _("Every token but the last has an answer: the text itself, one step later.")
    if losses:
        mean = sum(one.surprisal_bits for one in losses) / len(losses)
        told += " " + _("Mean loss {mean:.1f} bits per token.").format(mean=mean)
    code = show.code(
        "surprisal", folder=show.model_folder(decoder.model.model_id), text=text,
        start_ids=list(tokens.input_ids[: tokens.special.index(False)]), with_start=tokens.special[0],
    )  # fmt: skip
    return Example(
        [ExampleRow(_("The model reads; below each token: what it is to say next"), row)], told, code, losses,
        decoder.model,
    )  # fmt: skip


def span_corruption(view: View, text: str, seed: int) -> Example | None:
    """Spans become sentinels, as T5 was trained; None of a text of one token."""
    tokens = compute.tokenizers().tokenize(view.model_id, text, add_special_tokens=False)
    if len(tokens) < 2:
        return None
    ids = np.array(tokens.input_ids, dtype=np.int64)
    made = corrupt_spans(ids, np.random.default_rng(seed))
    label_of = dict(zip(tokens.input_ids, pieces.labels(tokens), strict=True))

    def row(sequence: Sequence[int]) -> list[ExamplePiece]:
        return [
            ExamplePiece(f"<extra_id_{-1 - token}>", "sentinel")
            if token < 0
            else ExamplePiece(label_of[token])
            for token in sequence
        ]

    n_spans = sum(token < 0 for token in made.input_ids)
    told = _(
        "Hidden: {hidden} of {n} tokens, in spans: {spans}. The encoder reads {read} instead of {n}, the "
        "decoder writes {write}: each sentinel and what it stands for. Together they are the text."
    ).format(
        hidden=int(made.hidden.sum()), n=len(ids), spans=n_spans, read=len(made.input_ids),
        write=len(made.target_ids),
    )  # fmt: skip
    rows = [
        ExampleRow(_("The encoder reads"), row(made.input_ids)),
        ExampleRow(_("The decoder is to write"), row(made.target_ids)),
    ]
    return Example(rows, told, show.code("objective_spans", ids=ids.tolist(), seed=seed))


def span_boundary(view: View, text: str, seed: int) -> Example:
    """Spans are hidden, and each token is said from the two tokens around its span."""
    tokens = framed(view, text)
    ids, labels = np.array(tokens.input_ids, dtype=np.int64), pieces.labels(tokens)
    words = [list(word.positions) for word in core.words_of(tokens, core.LETTERS_OR_SIGNS)]
    made, targets = masking.mask_spans(ids, words, vocabulary(view), np.random.default_rng(seed))

    def around(at: int) -> str:
        return labels[at] if 0 <= at < len(labels) else "∅"

    answers = [
        ExamplePiece(labels[one.position], "true", f"{around(one.left)} … {around(one.right)}, {one.offset}")
        for one in targets
    ]
    n_spans = len({one.left for one in targets})
    told = _(
        "Hidden: {k} of {n} tokens, in spans of whole words: {spans}. Each is said twice: at its own place, "
        "and from the two tokens around its span and its number in it, without anything from inside."
    ).format(k=len(targets), n=len(plain_positions(tokens)), spans=n_spans)
    rows = [
        ExampleRow(
            _("The model reads; below each chosen token: what it is to say"), masked_row(view, tokens, made)
        ),
        ExampleRow(_("From the border: the token, and below it what it is said from"), answers),
    ]
    info = compute.tokenizers().info(view.model_id)
    code = show.code(
        "objective_boundary", ids=ids.tolist(), words=words, mask_id=view.mask_id, seed=seed,
        special_ids=sorted(info.special_ids),
        d_vocab=min(info.d_vocab, view.context.model.d_vocab or info.d_vocab),
    )  # fmt: skip
    return Example(rows, told, code)


def replaced_tokens(view: View, text: str, seed: int) -> Example:
    """A generator, here the model that fills, writes into the text; the answer is what is new."""
    tokens = framed(view, text)
    ids, rng = np.array(tokens.input_ids, dtype=np.int64), np.random.default_rng(seed)
    candidates = plain_positions(tokens)
    positions = np.sort(rng.choice(candidates, min(masking.n_predicted(len(candidates)), 16), replace=False))
    hidden = core.with_masks(tokens.input_ids, positions.tolist(), view.mask_id)
    filled = view.fill(hidden, n_top=N_PROPOSED)
    rows_of = [filled.positions.tolist().index(at) for at in positions.tolist()]
    probs = np.exp(filled.top_logprobs.astype(np.float64))
    made = replace_tokens(
        ids, positions, [filled.top_ids[row] for row in rows_of], [probs[row] for row in rows_of], rng
    )
    drawn = set(positions.tolist())
    names = view.names(made.input_ids.tolist())
    shown = []
    for at, label in enumerate(pieces.labels(tokens)):
        if made.replaced[at]:
            shown.append(ExamplePiece(names[at], "false", _("replaced")))
        elif at in drawn:
            shown.append(ExamplePiece(label, "true", _("original")))
        else:
            shown.append(ExamplePiece(label, "frame" if tokens.special[at] else "plain"))
    told = _(
        "Of {n} tokens the generator wrote {k}; {new} of these differ from what stood there. The detector "
        "says of every token whether it is original: so all of them teach, not 15 %."
    ).format(k=len(positions), new=int(made.replaced.sum()), n=len(candidates))
    rows = [
        ExampleRow(_("The detector reads; below each drawn token: the answer. All others: original"), shown)
    ]
    code = show.code(
        "objective_replaced", **view.read_from, ids=ids.tolist(),
        candidates=candidates, seed=seed,
    )  # fmt: skip
    return Example(rows, told, code)


def sentence_pair(
    view: View, text: Sequence[str], others: Sequence[str], seed: int, *, is_order: bool
) -> Example:
    """Two sentences, and whether the second one follows, or whether both stand in their order."""
    rng = np.random.default_rng(seed)
    pair = sentence_order(text, rng) if is_order else next_sentence(text, others, rng)
    rows = []
    for title, sentence in ((_("First"), pair.first), (_("Second"), pair.second)):
        tokens = framed(view, sentence)
        labels = pieces.labels(tokens)
        rows.append(
            ExampleRow(
                title,
                [
                    ExamplePiece(label, "frame" if special else "plain")
                    for label, special in zip(labels, tokens.special, strict=True)
                ],
            )
        )
    yes, no = (_("in order"), _("swapped")) if is_order else (_("is the next one"), _("is from another text"))
    answer = yes if pair.is_true else no
    rows.append(ExampleRow(_("The answer"), [ExamplePiece(answer, "true" if pair.is_true else "false")]))
    told = _("The model reads both as one text and answers with one word: {answer}.").format(
        answer=strong(answer)
    )
    code = show.code(
        "objective_pairs", text=list(text), others=list(others), seed=seed, is_order=is_order
    )  # fmt: skip
    return Example(rows, told, code)


def translation_pair(view: View, seed: int) -> Example:
    """A sentence and its translation as one text, tokens of both hidden."""
    first, second = parallel()[seed % len(parallel())]
    one, other = framed(view, first), _without_lead(framed(view, second))
    special = [*one.special, *other.special]
    made = mask_translation(
        np.array(one.input_ids, dtype=np.int64), np.array(other.input_ids, dtype=np.int64), special,
        vocabulary(view), np.random.default_rng(seed),
    )  # fmt: skip
    labels = [*pieces.labels(one), *pieces.labels(other)]
    losses = masked_losses(view, labels, made.text)
    rows = [
        ExampleRow(
            _("Language 1; below each chosen token: what it is to say"), masked_row(view, one, made.text)
        ),
        ExampleRow(
            _("Language 2, whose positions begin anew"), masked_row(view, other, made.text, start=len(one))
        ),
    ]
    candidates = [at for at, is_frame in enumerate(special) if not is_frame]
    told = masking_told(made.text, len(candidates), losses)
    code = masking_code(view, made.text.ids, [[at] for at in candidates], seed, False)
    return Example(rows, told, code, losses, view.context.model)


@lru_cache
def parallel() -> list[tuple[str, str]]:
    """Our own sentences in English and Korean."""
    pairs = json.loads((site_root() / "assets/samples/parallel.json").read_text("utf-8"))
    return [(first, second) for first, second in pairs]


def _without_lead(tokens: Tokenization) -> Tokenization:
    """The tokens without the frame before the text."""
    lead = tokens.special.index(False)
    return replace(
        tokens,
        input_ids=tokens.input_ids[lead:],
        tokens=tokens.tokens[lead:],
        token_bytes=tokens.token_bytes[lead:],
        offsets=tokens.offsets[lead:],
        special=tokens.special[lead:],
    )
