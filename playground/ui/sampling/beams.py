"""Beam search beside greedy and sampled text: the tree it walks, and why the most probable text is dull."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from playground.charts import beams as charts
from playground.core.sampling import GREEDY, Sampling
from playground.core.tables import beams as frames
from playground.core.tables.continuations import WrittenText
from playground.core.tables.sampling import zero_unsigned
from playground.core.trace import Trace
from playground.engine.contract.beams import BeamStep
from playground.ui import compute, show, state, stepwise
from playground.ui.number import number_field
from playground.ui.panels import Later
from playground.ui.sampling.settings import written_labels
from playground.ui.state import PageContext
from playground.ui.text import _, plain, share, strong

KEY = "sam_beams"


@dataclass
class Search:
    """The last search of one session.

    Attributes:
        context: Model and text it belongs to.
        n_beams, length_penalty, n_max: Settings of the search.
        drawn: Settings of the sampled text beside it.
        steps: Steps of the search.
        tokens: Token id -> its readable form, of all candidates.
        others: A greedy and a sampled continuation of the same text.
        cut: Texts that were cut at the length.
        elapsed_ms: Milliseconds it took.
    """

    context: PageContext
    n_beams: int
    length_penalty: float
    n_max: int
    drawn: Sampling
    steps: list[BeamStep] = field(default_factory=list)
    tokens: dict[int, str] = field(default_factory=dict)
    others: dict[str, WrittenText] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    elapsed_ms: float = 0.0

    @property
    def asked(self) -> dict[str, object]:
        """Name of each setting -> its value."""
        return {
            _("Beams"): self.n_beams, _("Length penalty"): self.length_penalty,
            _("Tokens at most"): self.n_max, **asdict(self.drawn),
        }  # fmt: skip

    @property
    def n_places(self) -> int:
        """Number of candidates drawn of each step: twice the beams, and all that are kept."""
        kept = [
            place for step in self.steps for place, one in enumerate(step.candidates, 1) if one.fate == "kept"
        ]
        return max([2 * self.n_beams, *kept])

    def tree(self) -> pd.DataFrame:
        """As far as it has grown."""
        ended = self.steps[-1].hypotheses if self.steps else ()
        return frames.tree([one.candidates for one in self.steps], self.tokens, ended[0] if ended else None)

    def add(self, step: BeamStep) -> None:
        """Append one step."""
        ids = np.array([one.token_id for one in step.candidates])
        self.tokens |= dict(zip(ids.tolist(), compute.token_texts(self.context, ids), strict=True))
        self.steps.append(step)


def panel(context: PageContext, chosen: Sampling, trace: Trace) -> Later | None:
    """Draw the controls and what was found last.

    Args:
        context: From `frame.page`.
        chosen: The settings above, for the sampled text beside.
        trace: Trace of the text, for the provenance.

    Returns:
        What searches, to be called once the page is drawn; None when nothing is asked.
    """
    st.markdown(f"## {_('Which continuation is the most probable one?')}")
    limits = state.settings()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n_beams = number_field(_("Beams"), 2, limits.max_beams, 4, key="sam_n_beams", width=130)
        penalty = number_field(_("Length penalty"), -2.0, 3.0, 1.0, 0.5, key="sam_length_penalty", width=150)
        n_max = number_field(
            _("Tokens at most"), 2, min(24, limits.max_new_tokens), 12, key="sam_beam_tokens", width=150,
        )  # fmt: skip
        start = st.button(
            _("Start the search"), type="primary", key="sam_search", icon=":material/account_tree:"
        )
        st.button(_("Stop"), key="sam_search_stop", icon=":material/stop:", disabled=not start)
    drawn = chosen if chosen.temperature > 0 else replace(chosen, temperature=1.0)
    now = Search(context, int(n_beams), float(penalty), int(n_max), drawn)
    if start:
        st.session_state[KEY] = now
    search: Search | None = st.session_state.get(KEY)
    mine = (context.model.model_id, context.text)
    if search is None or (search.context.model.model_id, search.context.text) != mine:
        st.caption(
            _("At every step the search keeps the few most probable texts, whatever their next token.")
        )
        return None
    show.other_settings(search.asked, now.asked)
    line, picture = st.empty(), _tree_picture(context.language, search.n_max, search.n_places)
    alt = _("Every candidate of every step, joined to the text it goes on from")
    with st.container(key="sam_beam_tree"):
        chart = st.empty()
        draw = partial(chart.vega_lite_chart, spec=picture, alt=alt)
        draw(search.tree())
    if start:
        return partial(_search, search, line, draw)
    _draw(search, trace)
    return None


def _search(search: Search, line: Any, draw: Callable[..., object]) -> None:  # noqa: ANN401
    """Search, then write the texts beside; any click of the reader stops it within one step."""
    begun_at = time.monotonic()
    with line.container():
        steps = stepwise.beams(
            search.context, n_beams=search.n_beams, length_penalty=search.length_penalty,
            max_new_tokens=search.n_max,
        )  # fmt: skip
        with closing(steps):
            for step in steps:
                search.add(step)
                search.elapsed_ms = 1_000 * (time.monotonic() - begun_at)
                draw(search.tree())
        if not search.steps or not search.steps[-1].done:
            st.rerun()
        settings = {"greedy": GREEDY, "sampled": search.drawn}
        texts = {kind: WrittenText(one.temperature, 0) for kind, one in settings.items()}
        written = stepwise.generate_many(
            search.context,
            [{"sampling": one, "seed": 0} for one in settings.values()],
            max_new_tokens=search.n_max,
        )
        cut, n_done = set(), 0
        with closing(written):
            for row, made in written:
                n_done += made.finish_reason is not None
                kind, one = list(texts.items())[row]
                if made.finish_reason == "length":
                    cut.add(kind)
                one.token_ids.append(made.token_id)
                one.logprobs.append(made.logprob)
                one.text += made.text
    search.cut, search.others = cut, texts if n_done == len(texts) else {}
    st.rerun()


def _draw(search: Search, trace: Trace) -> None:
    found = search.steps[-1].hypotheses if search.steps else ()
    if not found or not search.others:
        st.caption(_("Stopped."))
        return
    table = _texts(search)
    st.markdown(f"{_reading(table)} {_ranking(table, search.length_penalty)}")
    _draw_texts(table)
    words = _words(search.context.language)
    best = found[0]
    each = {
        "beam": [search.steps[step].candidates[place].token_logprob for step, place in enumerate(best.path)],
        **{kind: one.logprobs for kind, one in search.others.items()},
    }
    model_id = search.context.model.model_id
    names = {
        "beam": written_labels(model_id, best.token_ids),
        **{kind: written_labels(model_id, one.token_ids) for kind, one in search.others.items()},
    }
    st.markdown(f"## {_('How probable is each token of the texts?')}")
    lines = frames.probabilities(each, names)
    alt = _("How probable the model finds each token of the three texts")
    show.show_chart(charts.token_probabilities(words), "sam_beam_lines", alt, data=lines)
    st.caption(_steadiness(lines))
    show.provenance(replace(trace, elapsed_ms=search.elapsed_ms, cached=False))
    code = show.code(
        "beams", folder=show.model_folder(model_id), text=search.context.text, n_beams=search.n_beams,
        length_penalty=search.length_penalty, n_tokens=search.n_max,
    )  # fmt: skip
    show.under_picture("beams", frame=search.tree, code=code, picture="sam_beam_tree")


def _texts(search: Search) -> pd.DataFrame:
    """The texts of the search, best first, then greedy and sampled."""
    tokenizers, model_id = compute.tokenizers(), search.context.model.model_id
    found = [
        (
            f"beam {place}",
            tokenizers.text_of(model_id, one.token_ids),
            one.token_ids,
            one.is_cut,
            one.logprob,
        )
        for place, one in enumerate(search.steps[-1].hypotheses, 1)
    ]
    others = [
        (kind, one.text, one.token_ids, kind in search.cut, sum(one.logprobs))
        for kind, one in search.others.items()
    ]
    return frames.texts([*found, *others], search.length_penalty)


def _reading(table: pd.DataFrame) -> str:
    """One computed sentence."""
    rows = table.set_index("kind")
    best, greedy, sampled = (rows.loc[kind] for kind in ("beam 1", "greedy", "sampled"))
    told = _(
        "The best beam, {text}, has log-probability {best:.2f}, greedy {greedy:.2f}, the sampled text "
        "{sampled:.2f}: {bits:.2f}, {greedy_bits:.2f} and {sampled_bits:.2f} bits of surprisal per token."
    )
    text = " ".join(str(best["text"]).split())  # a line break would end the paragraph
    return told.format(
        text=strong(text or "…"), best=best["logprob"], greedy=greedy["logprob"],
        sampled=sampled["logprob"], bits=best["bits"], greedy_bits=greedy["bits"],
        sampled_bits=sampled["bits"],
    )  # fmt: skip


def _ranking(table: pd.DataFrame, length_penalty: float) -> str:
    """Sentences on the score of the best beam, and on a text found here that is more probable as a whole."""
    best, likeliest = table.iloc[0], table.iloc[int(table["logprob"].to_numpy().argmax())]
    values = {"penalty": f"{length_penalty:g}", "logprob": likeliest["logprob"]}
    if likeliest["logprob"] > best["logprob"]:
        told = _(
            "It is the best by its score, log-probability / tokens ^ {penalty}, not the most probable text "
            "as a whole: that is {kind} with {logprob:.2f}. A length penalty of 0 ranks whole texts."
        )
        return told.format(kind=plain(_kind(str(likeliest["kind"]))), **values)
    told = _(
        "It is the best by its score, log-probability / tokens ^ {penalty}, and none of the texts found here "
        "is more probable; the search looks at few of all texts."
    )
    return told.format(**values)


def _steadiness(lines: pd.DataFrame) -> str:
    """A sentence on the ups and downs of the lines, beside those measured on long texts."""
    changes = frames.unsteadiness(lines)
    words = [f"{name} {share(changes[kind])}" for kind, name in _kinds().items() if kind in changes]
    if "beam" not in changes or "sampled" not in changes:
        return _("A text of one token goes neither up nor down.")
    told = _("From one token to the next the probability changes on average by: {changes}.").format(
        changes=", ".join(words)
    )
    if changes["sampled"] > changes["beam"]:
        more = _(
            "In long texts too, what people write goes up and down more than what a search for the most "
            "probable text finds (Holtzman et al. 2020, figure 2)."
        )
    else:
        more = _(
            "Here the sampled text is no less steady than the beam. In long texts what people write goes up "
            "and down more (Holtzman et al. 2020, figure 2)."
        )
    return f"{told} {more}"


def _kind(name: str) -> str:
    """Name of a row of the texts."""
    return _kinds().get(name) or _("beam {n}").format(n=name.split()[-1])


def _draw_texts(table: pd.DataFrame) -> None:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    shown = table.assign(
        kind=[_kind(kind) for kind in table["kind"]],
        repeated_4=100 * table["repeated_4"],
        logprob=zero_unsigned(table["logprob"], 2),
        score=zero_unsigned(table["score"], 3),
        bits=zero_unsigned(table["bits"], 2),
        is_cut=[_("cut at the limit") if is_cut else _("ended") for is_cut in table["is_cut"]],
    )
    st.dataframe(
        shown,
        hide_index=True,
        column_config={
            "kind": text(_("Found by"), width=115),
            "text": text(_("Text"), width=280),
            "n_tokens": number(_("Tokens"), width="small"),
            "is_cut": text(_("End"), width="small"),
            "logprob": number(_("Log-probability"), format="%.2f"),
            "score": number(_("Score"), format="%.3f", help=_("Log-probability / tokens ^ length penalty")),
            "bits": number(_("Bits per token"), format="%.2f"),
            "repeated_4": number(_("Repeated 4-grams"), format="%.0f %%"),
        },
    )


def _kinds() -> dict[str, str]:
    return {"beam": _("best beam"), "greedy": _("greedy"), "sampled": _("sampled")}


def _words(language: str) -> dict[str, str]:
    """Words of the two pictures; `language` is the session's."""
    return {
        "step": _("Step number"), "place": _("Place"), "token": _("Token"), "probability": _("Probability"),
        "logprob": _("Log-probability of the text"), "kept": _("kept"), "ended": _("ended"),
        "cut": _("cut at the limit"),
        "dropped": _("dropped"), **_kinds(),
    }  # fmt: skip


@lru_cache
def _tree_picture(language: str, n_steps: int, n_places: int) -> dict[str, Any]:
    return charts.beam_tree(_words(language), n_steps=n_steps, n_places=n_places)
