"""Two models with other pieces on one text: perplexities cannot be compared, bits per byte can."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from playground.charts import court as charts
from playground.core.count_model import CountModel
from playground.core.metrics.perplexity import cost, regrouped
from playground.core.tables import court as frames
from playground.core.tables.court import Judgement
from playground.engine.contract.models import ModelInfo
from playground.paths import site_root
from playground.ui import compute, download, frame, show, warming
from playground.ui.choose import choose_from_list
from playground.ui.evaluation import reading
from playground.ui.evaluation.reading import Reading, Text
from playground.ui.text import _, strong

COUNTS = "counts"
ORDER = 5  # bytes: the best of 1 to 7 on held-out parts of both texts, or near it
SEEN = 40  # bytes in a row that also stand in the counted texts: the model has read them


@dataclass(frozen=True)
class Scored:
    """A text under a model.

    Attributes:
        model: Name of the model.
        pieces: Name of its pieces.
        logprobs: Log-probability of each piece, nats. Shape [piece].
        text: The bytes of all pieces.
    """

    model: str
    pieces: str
    logprobs: NDArray[np.float64]
    text: bytes


def picture(found: Reading) -> str:
    """Draw both models on one text; which one needs fewer bits for it, first or second.

    Args:
        found: The text, read by the first model.
    """
    st.markdown(f"## {_('Can two perplexities be compared?')}")
    context = found.text.context
    others = {
        info.model_id: info
        for info in compute.models()
        if info.kind == "decoder"
        and download.is_on_this_machine(info)
        and info.model_id != context.model.model_id
    }
    names = {COUNTS: _counts_name(), **{one: info.name for one, info in others.items()}}
    which = choose_from_list("ev_second", names, _("Second model")) if others else COUNTS
    first = Scored(context.model.name, _("its tokens"), found.best[1], found.text.scored_bytes)
    second = _counted(found.text) if which == COUNTS else _read(found.text, others[which])
    if second is None:
        return ""
    rows = [_judged(first, "first"), _judged(second, "second")]
    if (large := _in_tokens_of(found.text, second)) is not None:
        rows.append(_judged(large, "second"))
    table = frames.models(rows)
    alt = _("Perplexity by the piece and bits by the byte of both models")
    show.show_chart(_chart(context.language), "ev_models", alt, data=table)
    st.markdown(_told(table))
    if which == COUNTS:
        _say_counts(found.text)
    show.source(context.model, names[which])
    show.under_picture("court_models", frame=table, code=partial(_code, found, which), picture="ev_models")
    return "first" if rows[0].cost.bits_per_byte < rows[1].cost.bits_per_byte else "second"


def _counted(text: Text) -> Scored:
    """The counts, of the bytes that the first model is asked about."""
    read = counts().logprobs(text.context.text.encode())
    asked = text.scored_bytes
    return Scored(_counts_name(), _("bytes"), read[text.n_before : text.n_before + len(asked)], asked)


def _read(text: Text, info: ModelInfo) -> Scored | None:
    """The same text under another model on this machine."""
    ready = warming.model_when_ready(frame.choices()[info.model_id])
    if ready is None:
        return None
    other = reading.read_text(replace(text.context, model=ready))
    if len(other.tokens) < 2:
        return None
    plan = reading.plan(other, other.most_context, other.most_context)
    place = st.empty()
    with place.container():
        found = reading.read(plan, _("The second model reads the text"))
    place.empty()
    return Scored(info.name, _("its tokens"), found.logprobs, other.scored_bytes)


def _in_tokens_of(text: Text, second: Scored) -> Scored | None:
    """The counts once more, in the first model's tokens; None for a model whose pieces are no bytes."""
    sizes = [len(one) for one in text.tokens.token_bytes[1:]]
    if len(second.logprobs) != sum(sizes) or min(sizes) < 1 or len(second.text) != sum(sizes):
        return None
    name = _("the tokens of {model}").format(model=text.context.model.name)
    return replace(second, pieces=name, logprobs=regrouped(second.logprobs, sizes))


def _judged(one: Scored, which: str) -> Judgement:
    return Judgement(one.model, one.pieces, cost(one.logprobs, one.text), which)


def _told(table: pd.DataFrame) -> str:
    first, second = table.iloc[0], table.iloc[1]
    low, high = (first, second) if first["perplexity"] < second["perplexity"] else (second, first)
    good, bad = (first, second) if first["bits_per_byte"] < second["bits_per_byte"] else (second, first)
    told = _(
        "By its own pieces {low} has the lower perplexity, {a:,.1f} against {b:,.1f}. Fewer bits per byte "
        "has {good}, {c:.2f} against {d:.2f}:"
    ).format(
        low=strong(low["model"]), a=low["perplexity"], b=high["perplexity"], good=strong(good["model"]),
        c=good["bits_per_byte"], d=bad["bits_per_byte"],
    )  # fmt: skip
    if low["which"] == good["which"]:
        told += " " + _("here both say the same, and could as well not: the pieces are not of one size.")
    else:
        more = _(
            "the lower perplexity belongs to the model that finds the text less probable. It cuts the text "
            "into {n:,} pieces, the other one into {m:,}."
        )
        told += " " + more.format(n=low["n_pieces"], m=high["n_pieces"])
    if len(table) == 3:
        third = table.iloc[2]
        more = _(
            "The third bar is the second model again, its bytes put together to larger pieces: the same "
            "probability of the text, {bits:.2f} bits per byte as before, and a perplexity of "
            "{perplexity:,.0f} instead of {before:,.1f}."
        )
        told += " " + more.format(
            bits=third["bits_per_byte"], perplexity=third["perplexity"], before=second["perplexity"]
        )
    return told


def _say_counts(text: Text) -> None:
    told = _(
        "The second model only counts: which byte followed the last {n} in two stories that come with the "
        "playground (English and Korean, {size:,} B), smoothed after Witten and Bell."
    )
    said = told.format(n=ORDER - 1, size=len(stories()))
    if _was_read(text.context.text.encode()):
        said += " " + _("It has counted parts of this text, so its number does not test it here.")
    st.caption(said)


def _was_read(text: bytes) -> bool:
    return any(
        text[at : at + SEEN] in stories() for at in range(0, max(1, len(text) - SEEN), SEEN // 2)
    ) and (len(text) >= SEEN)


def _counts_name() -> str:
    return _("Counts of {n} bytes").format(n=ORDER)


@lru_cache
def stories() -> bytes:
    """The texts that the second model has counted, one after another."""
    folder = site_root() / "assets" / "samples"
    return b"".join((folder / f"corpus_{language}.txt").read_bytes() for language in ("en", "ko"))


@lru_cache
def counts() -> CountModel:
    """The second model."""
    return CountModel(stories(), ORDER)


def _code(found: Reading, which: str) -> str:
    text = found.text
    other = None if which == COUNTS else reading.read_text(replace(text.context, model=_info(which)))
    return show.code(
        "court_models", folder=show.model_folder(text.context.model.model_id), text=text.context.text,
        start_ids=text.start_ids, n_tokens=len(text.tokens), n_before=text.n_before,
        n_bytes=len(text.scored_bytes), second_bytes=0 if other is None else len(other.scored_bytes),
        windows=[(one.begin, one.end, one.first) for one in found.best[0]],
        second="" if other is None else show.model_folder(which),
        second_start_ids=[] if other is None else other.start_ids,
        stories=[str(site_root() / "assets/samples" / f"corpus_{name}.txt") for name in ("en", "ko")],
        order=ORDER,
    )  # fmt: skip


def _info(model_id: str) -> ModelInfo:
    return next(info for info in compute.models() if info.model_id == model_id)


@lru_cache
def _chart(language: str) -> dict[str, Any]:
    words = {
        "perplexity": _("Perplexity, by the piece"), "bits_per_byte": _("Bits per byte"), "model": _("Model"),
        "pieces": _("Pieces"), "n_pieces": _("Number of pieces"), "total_bits": _("Bits in all"),
    }  # fmt: skip
    return charts.models(words)
