"""Transfer: a head on the trained body against one on the random body it began as, on the same few labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.charts import pretraining as charts
from playground.core import transfer
from playground.core.metrics.intervals import wilson_interval
from playground.core.tables import pretraining as frames
from playground.core.transfer_set import LabelledText, labelled_texts
from playground.errors import PlaygroundError
from playground.ui import from_zero, show
from playground.ui.pretraining import code, shipped, texts
from playground.ui.pretraining.seen import Seen
from playground.ui.state import PageContext
from playground.ui.text import _, plain, sentence

Points = tuple[tuple[int, float, int], ...]
N_LABELS = (2, 4, 8, 16, 32, 64)
N_REPEATS = 10
MEASURED = "pre_transfer"


@dataclass(frozen=True, eq=False)
class Bodies:
    """Accuracy of a head on both bodies.

    Attributes:
        trained, random: Number of labels, mean accuracy over the draws, held-out texts.
    """

    trained: Points
    random: Points


def panel(context: PageContext, seen: Seen, language: str) -> None:
    """Draw accuracy against the number of labels, and the button that measures a model of this session.

    Args:
        context: From `frame.page`.
        seen: The run of the first pictures.
        language: Language of the text that comes with the playground.
    """
    st.markdown(f"## {_('What does pre-training save when labels are few?')}")
    kept: dict[str, Bodies] = st.session_state.get(MEASURED, {})
    measured = kept.get(seen.model_id)
    found = measured or shipped_bodies(language)
    names = {_("trained body"): found.trained, _("random body"): found.random}
    table = frames.transfer({name: [(n, share * asked, asked) for n, share, asked in points]
                             for name, points in names.items()})  # fmt: skip
    words = {
        "n_labels": _("Labelled texts the head has seen"), "accuracy": _("Accuracy on held-out texts"),
        "low": _("95 % interval, lower end"), "high": _("95 % interval, upper end"),
        "n": _("Held-out texts"), "series": _("Body"), "chance": _("guessing"),
    }  # fmt: skip
    alt = _("Accuracy of a head on the trained and on the random body against the number of labels")
    spec = charts.transfer(words, tuple(names), chance=0.5)
    show.show_chart(spec, "pre_transfer_picture", alt, data=table)
    st.markdown(reading(found))
    told = _(
        "The job: tell the text's own sentences from the same ones with their words in another order. "
        "Means of {n} draws of labels; bars: 95 % intervals (Wilson)."
    )
    st.caption(told.format(n=N_REPEATS))
    st.caption(plain(seen.name if measured else shipped.seen(language).name))
    show.under_picture(
        "pre_transfer", frame=table, code=lambda: code.transfer(seen, language), picture="pre_transfer_picture"
    )
    _measure_button(context, seen, language)


def shipped_bodies(language: str) -> Bodies:
    """The figures that come with the playground."""
    found = shipped.history(language).transfer
    return Bodies(found["trained"], found["random"])


def reading(found: Bodies) -> str:
    """One sentence: the number of labels at which both differ most, and whether their intervals part."""
    by_n = {n: (share, asked) for n, share, asked in found.random}
    n, share, asked = max(found.trained, key=lambda one: one[1] - by_n[one[0]][0])
    other = by_n[n][0]
    told = _(
        "With {n} labels the head on the trained body tells {share:.1%} of {asked} held-out texts right, the "
        "one on the random body {other:.1%}."
    ).format(n=n, share=share, asked=asked, other=other)
    low, high = wilson_interval(share * asked, asked)[0], wilson_interval(other * asked, asked)[1]
    if low > high:
        return f"{told} {_('Their intervals do not touch.')}"
    return f"{told} {_('Their intervals overlap: that may be chance.')}"


def _measure_button(context: PageContext, seen: Seen, language: str) -> None:
    if not seen.model_id:
        st.caption(_("To measure your own model, train it and choose it as the run above."))
        return
    if st.button(_("Measure my model"), key="pre_transfer_measure", icon=":material/speed:"):
        try:
            found = measure(context, seen.model_id, language)
        except PlaygroundError as error:
            st.error(sentence(error))
            return
        st.session_state[MEASURED] = {seen.model_id: found}
        st.rerun()


def measure(context: PageContext, model_id: str, language: str) -> Bodies:
    """Read all texts with both bodies and put heads on them.

    Raises:
        PlaygroundError: As the engine raises it.
    """
    drawn, asked = labelled_texts(texts.shipped(language))
    both = [one.text for one in (*drawn, *asked)]
    curves: Mapping[bool, Points] = {
        is_random: _curve(
            from_zero.body(context, model_id, both, is_random=is_random), drawn, asked
        )
        for is_random in (False, True)
    }
    return Bodies(curves[False], curves[True])


def _curve(
    vectors: NDArray[np.float32], drawn: tuple[LabelledText, ...], asked: tuple[LabelledText, ...]
) -> Points:
    labels, right = [one.label for one in drawn], [one.label for one in asked]
    numbers = [n for n in N_LABELS if n <= len(drawn)]
    found = transfer.curve(
        vectors[: len(drawn)], labels, vectors[len(drawn) :], right, numbers, n_repeats=N_REPEATS
    )
    return tuple((one.n_labels, one.mean, len(asked)) for one in found)
