"""The first picture: bits per byte against the steps, under the lines of models that only count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from playground.charts import pretraining as charts
from playground.core import forming
from playground.core.pretraining import bits
from playground.core.tables import pretraining as frames
from playground.ui import show
from playground.ui.pretraining import code
from playground.ui.pretraining.seen import Seen
from playground.ui.text import _, plain

if TYPE_CHECKING:
    import pandas as pd


def draw(shown: Sequence[Seen], key: str, n_steps: int) -> None:
    """Draw the losses of runs, the count models of the first one's text behind them.

    Args:
        shown: The runs.
        key: Key of the picture.
        n_steps: Last step of the axis.
    """
    counted = lines_of(shown)
    spec = charts.losses(_words(counted), tuple(one.name for one in shown), n_steps=n_steps)
    alt = _("Bits per byte in training and held-out against the steps, with the lines of count models")
    show.show_chart(spec, key, alt, data=table(shown))
    st.caption(_("Thin line: training, each batch. Thick line with points: held-out text."))


def lines_of(shown: Sequence[Seen]) -> Mapping[int, float]:
    """The count models of the first run that can be held against them."""
    return next((one.counted for one in shown if one.counted), {})


def table(shown: Sequence[Seen]) -> pd.DataFrame:
    """Rows of the picture."""
    return frames.curves({one.name: (one.train, one.held_out) for one in shown}, lines_of(shown))


def picture(seen: Seen) -> None:
    """Draw one run, the sentence that reads it, and what stands under a picture."""
    draw([seen], "pre_losses_picture", seen.settings.n_steps)
    st.markdown(reading(seen))
    provenance(seen)
    show.under_picture(
        "pretraining", frame=lambda: table([seen]), code=lambda: code.training(seen),
        picture="pre_losses_picture",
    )  # fmt: skip


def _words(counted: Mapping[int, float]) -> Mapping[str, str]:
    told = {
        1: _("unigram counts: {bits:.2f}"),
        2: _("bigram counts: {bits:.2f}"),
        3: _("trigram counts: {bits:.2f}"),
    }
    return {
        "step": _("Training step"),
        "bits": _("Loss (bits per byte)"),
        "series": _("Training run"),
        "data": _("Data"),
        "train": _("training"),
        "held_out": _("held-out"),
        "order_0": _("all 256 bytes equally probable: 8 bits"),
        **{f"order_{n}": text.format(bits=counted.get(n, 0.0)) for n, text in told.items()},
    }


def reading(seen: Seen) -> str:
    """One sentence: how the last held-out loss lies to the lines, and when it passed the lowest of them."""
    last = seen.last_bits
    if last is None:
        return _("The first measurement comes in a moment; step 0 is random numbers.")
    step = seen.held_out[-1][0]
    if seen.settings.objective != "next":
        told = _(
            "After step {step} a hidden byte of the held-out text costs {last:.2f} bits; at step 0 it was "
            "{first:.2f}. Count models answer another question: they do not see what comes after."
        )
        return told.format(step=step, last=last, first=bits(seen.held_out[0][1]))
    beaten = [order for order, line in seen.counted.items() if last < line]
    if not beaten:
        told = _(
            "After step {step} a byte of the held-out text costs {last:.2f} bits. Counting bytes alone "
            "costs {line:.2f}: the model does not yet know more than that."
        )
        return told.format(step=step, last=last, line=seen.counted[1])
    order = max(beaten)
    points = [(at, bits(loss)) for at, loss in seen.held_out]
    told = _(
        "After step {step} a byte of the held-out text costs {last:.2f} bits, {less:.2f} less than {counts} "
        "({line:.2f}); below that line since step {since}."
    )
    words = told.format(
        step=step, last=last, less=seen.counted[order] - last, counts=count_name(order),
        line=seen.counted[order], since=forming.first_below(points, seen.counted[order]),
    )  # fmt: skip
    return f"{words} {_gap(seen, last)}".strip()


def _gap(seen: Seen, last: float) -> str:
    """A second sentence where the model knows its own text better than any other."""
    tail = [loss for _step, loss in seen.train[-10:]]
    if not tail:
        return ""
    training = bits(sum(tail) / len(tail))
    if last - training < 0.05:
        return ""
    told = _(
        "On the text that it reads a byte costs {training:.2f} (mean of the last {n}), {gap:.2f} less than "
        "on text that it has never read."
    )
    return told.format(training=training, n=len(tail), gap=last - training)


def count_name(order: int) -> str:
    """A count model in a sentence."""
    return {
        1: _("counts of single bytes"),
        2: _("counts of pairs of bytes"),
        3: _("counts of three bytes in a row"),
    }[order]


def provenance(seen: Seen) -> None:
    """Draw the small line that says which run gave a picture's numbers."""
    own = seen.settings
    words = [
        seen.name,
        _("bytes of text: {n:,}").format(n=len(seen.read.text.encode())),
        *([_("{n:,} parameters").format(n=seen.n_parameters)] if seen.n_parameters else []),
        _("layers: {n}, width: {d}").format(n=own.n_layers, d=own.d_model),
        _("seed {seed}").format(seed=own.seed),
        *([_("{n:.0f} s").format(n=seen.seconds)] if seen.seconds else []),
        _("comes with the playground") if seen.is_shipped else _("trained in this session"),
    ]
    st.caption(plain(" · ".join(words)))
