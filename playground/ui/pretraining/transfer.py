"""Transfer: a head on the trained body against one on the random body it began as, on the same few labels."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st

from playground.charts import pretraining as charts
from playground.core.labelled_sets import LabelledSet, read_labelled_set
from playground.core.metrics.intervals import wilson_interval
from playground.core.tables import pretraining as frames
from playground.core.transfer_set import BODIES, JOBS, N_REPEATS, Curve, Job, labelled_texts, points
from playground.errors import PlaygroundError
from playground.paths import site_root
from playground.ui import from_zero, show
from playground.ui.choose import choose
from playground.ui.pretraining import code, shipped
from playground.ui.pretraining.seen import Seen
from playground.ui.state import PageContext
from playground.ui.text import N_, _, plain, sentence

MEASURED = "pre_transfer"  # (model id, job, language) and the curves of its bodies
CHANCE = 0.5
_JOBS = {"backwards": N_("Written backwards?"), "sentiment": N_("Good or bad review?")}
_TOLD = {
    "backwards": N_("Half of the reviews have the letters of each word in reverse order: which ones?"),
    "sentiment": N_("Short reviews: is the writer content?"),
}
Bodies = dict[str, Curve]
"""Body -> number of labels, mean accuracy, held-out texts."""


def panel(context: PageContext, seen: Seen, language: str) -> None:
    """Draw accuracy against the number of labels, and the button that measures a model of this session.

    Args:
        context: From `frame.page`.
        seen: The run of the first pictures.
        language: Language of the text that comes with the playground.
    """
    st.markdown(f"## {_('What does pre-training save when labels are few?')}")
    job: Job = JOBS[
        list(_JOBS).index(choose("pre_job", {one: _(name) for one, name in _JOBS.items()}, _("Job")))
    ]
    kept = st.session_state.get(MEASURED)
    is_mine = kept is not None and kept[0] == (seen.model_id, job, language)
    found: Bodies = kept[1] if kept is not None and is_mine else shipped_bodies(language, job)
    names = {"trained": _("trained body"), "random": _("random body")}
    table = frames.transfer(
        {names[body]: [(n, share * asked, asked) for n, share, asked in found[body]] for body in BODIES}
    )
    alt = _("Accuracy of a head on the trained and on the random body against the number of labels")
    spec = charts.transfer(_words(), tuple(names.values()), chance=CHANCE)
    show.show_chart(spec, "pre_transfer_picture", alt, data=table)
    st.markdown(reading(found))
    told = _("Means of {n} draws of labels, each body with the same ones; bars: 95 % intervals (Wilson).")
    name = seen.name if is_mine else shipped.seen(language).name
    st.caption(f"{_(_TOLD[job])} {told.format(n=N_REPEATS)} {plain(name)}")
    show.under_picture(
        "pre_transfer", frame=table,
        code=lambda: code.transfer(seen if is_mine else shipped.compared(language, "next"), job),
        picture="pre_transfer_picture",
    )  # fmt: skip
    _measure_button(context, seen, language, job)


def _words() -> dict[str, str]:
    return {
        "n_labels": _("Labelled texts the head has seen"),
        "accuracy": _("Accuracy on held-out texts"),
        "low": _("95 % interval, lower end"),
        "high": _("95 % interval, upper end"),
        "n": _("Held-out texts"),
        "series": _("Body"),
        "chance": _("guessing"),
    }


def shipped_bodies(language: str, job: str) -> Bodies:
    """The figures that come with the playground."""
    found = shipped.transfer(language).transfer
    return {body: found[f"{job} {body}"] for body in BODIES}


def reading(found: Bodies) -> str:
    """One sentence: the number of labels at which both differ most, and whether their intervals part."""
    by_n = {n: share for n, share, _asked in found["random"]}
    n, share, asked = max(found["trained"], key=lambda one: abs(one[1] - by_n[one[0]]))
    other = by_n[n]
    told = _(
        "Both differ most with {n} labelled texts: the head on the trained body tells {share:.1%} of {asked} "
        "held-out texts right, the one on the random body {other:.1%}."
    ).format(n=n, share=share, asked=asked, other=other)
    more, less = max(share, other), min(share, other)
    low, high = wilson_interval(more * asked, asked)[0], wilson_interval(less * asked, asked)[1]
    if low > high:
        return f"{told} {_('Their intervals do not touch.')}"
    return f"{told} {_('Their intervals overlap: that may be chance.')}"


def _measure_button(context: PageContext, seen: Seen, language: str, job: Job) -> None:
    if not seen.model_id:
        st.caption(_("To measure your own model, train it and choose it as the run above."))
        return
    if st.button(_("Measure my model"), key="pre_transfer_measure", icon=":material/speed:"):
        try:
            found = measure(context, seen.model_id, language, job)
        except PlaygroundError as error:
            st.error(sentence(error))
            return
        st.session_state[MEASURED] = (seen.model_id, job, language), found
        st.rerun()


def measure(context: PageContext, model_id: str, language: str, job: Job) -> Bodies:
    """Read all texts with both bodies and put heads on them.

    Raises:
        PlaygroundError: As the engine raises it.
    """
    drawn, asked = labelled_texts(_reviews(), language, job)
    texts = [one.text for one in (*drawn, *asked)]
    return {
        body: points(from_zero.body(context, model_id, texts, is_random=body == "random"), drawn, asked)
        for body in BODIES
    }


@lru_cache
def _reviews() -> LabelledSet:
    file = site_root() / "assets" / "samples" / "jobs" / "classification.json"
    return read_labelled_set(file.read_text("utf-8"))
