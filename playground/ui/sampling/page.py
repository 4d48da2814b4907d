"""Sampling: from the distribution over the whole vocabulary to the one token that is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial

import streamlit as st

from playground.core.ranking import RankedLogits
from playground.core.sampling import Sampling, distribution
from playground.core.tables import sampling as frames
from playground.core.tokens import Tokenization
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.ui import compute, next_characters, show
from playground.ui.components.sampler import sampler
from playground.ui.components.token_chips import token_chips
from playground.ui.fragments import RestOfPage
from playground.ui.frame import Drawn, has_sentence
from playground.ui.panels import Later, Panel, pick
from playground.ui.sampling import beams, compare, guess, many, own_text, settings, uploads, writing
from playground.ui.state import PageContext
from playground.ui.text import _, sentence
from playground.ui.try_this import Task


def draw(context: PageContext) -> Drawn:
    """The next token under the settings, and one panel about what can be made of it."""
    if not has_sentence(context):
        return (), _panel({"guess": partial(guess.panel, context)})  # it has texts of its own
    token_chips(tokens := compute.tokenize(context), height=118)
    capture = Capture(logits="last", query_key=next_characters.may_be_worth_it(context, tokens))
    trace = compute.trace(context, tokens.input_ids, capture)
    ranked, _labels = settings.next_token(trace)
    rest = RestOfPage()
    _next_token(context, tokens, trace, rest)
    chosen, _problems = settings.chosen(len(ranked))
    later = _panel(
        {
            "write": partial(writing.panel, context, trace),
            "many": partial(many.panel, context, chosen, trace),
            "batch": partial(uploads.panel, context, chosen, trace),
            "compare": partial(compare.panel, context, chosen, trace),
            "beam": partial(beams.panel, context, chosen, trace),
            "text": partial(own_text.panel, context),
            "guess": partial(guess.panel, context),
        }
    )
    rest.shows(*_shared(ranked, chosen))
    return _tasks(ranked, chosen), later


@st.fragment
def _next_token(context: PageContext, tokens: Tokenization, trace: Trace, rest: RestOfPage) -> None:
    """The distribution of the next token under the settings, and how open it is."""
    ranked, labels = settings.next_token(trace)
    settings.bind()
    chosen, problems = settings.chosen(len(ranked))
    for problem in problems:
        st.warning(sentence(problem))
    sampler(
        ranked, labels, chosen, defaults=settings.DEFAULT, key="sampler", language=context.language,
        on_release=settings.remember,
    )  # fmt: skip
    show.provenance(trace)
    table = partial(frames.sampling, ranked, labels, chosen)
    code = partial(_code, "sampling", trace, context, asdict(chosen))
    show.under_picture("sampling", frame=table, code=code)
    if next_characters.are_worth_it(context, tokens, compute.token_texts(context, ranked.token_ids[:10])):
        next_characters.draw(context, trace, under_settings=True)
    _curves(context, trace, chosen, len(ranked))
    rest.follow(*_shared(ranked, chosen))


def _curves(context: PageContext, trace: Trace, chosen: Sampling, d_vocab: int) -> None:
    """Entropy and tokens kept at every temperature."""
    st.markdown(f"## {_('How uncertain is the next token at each temperature?')}")
    curve = settings.curve(trace, chosen)
    left, right = st.columns(2)
    with left:
        alt = _("Entropy of the next token against temperature")
        show.show_chart(settings.curve_picture(context.language), "sam_curve", alt, data=curve)
    with right:
        alt = _("How many tokens are kept at each temperature")
        show.show_chart(settings.kept_picture(context.language, d_vocab), "sam_kept", alt, data=curve)
    show.provenance(trace)
    code = _code("entropy", trace, context, settings.cuts(chosen))
    show.under_picture("entropy", frame=curve, code=code, picture="sam_curve")


def _code(name: str, trace: Trace, context: PageContext, values: Mapping[str, object]) -> str:
    return show.code(name, folder=show.model_folder(trace.model_id), text=context.text, **values)


def _panel(draws: Mapping[str, Callable[[], Later | None]]) -> Later | None:
    """The picker, and the panel it names.

    Args:
        draws: Id of a panel -> what draws it; without what it is about, a panel shows nothing.
    """
    names = {
        "write": _("Let it write"),
        "many": _("Many at once"),
        "batch": _("My prompts"),
        "compare": _("A and B"),
        "beam": _("Beam search"),
        "text": _("Score a text"),
        "guess": _("Guess"),
    }
    panels = {panel_id: Panel(name, draws.get(panel_id, _nothing)) for panel_id, name in names.items()}
    return pick("sam_panel", panels, _("Look closer")).draw()


def _nothing() -> None:
    """Stands for a panel that needs a sentence; that there is none is said above."""


def _shared(ranked: RankedLogits, chosen: Sampling) -> tuple[object, ...]:
    """The values that the rest of the page shows of the settings: in the first task and the comparison."""
    return settings.five_kept(ranked, chosen), chosen if st.session_state.get(
        "sam_panel"
    ) == "compare" else None


def _tasks(ranked: RankedLogits, chosen: Sampling) -> list[Task]:
    return [
        Task("five", "goal", lambda: settings.five_kept(ranked, chosen)),
        Task("entropy", "number", lambda: distribution(ranked).entropy_bits, tolerance=0.05),
        Task("hot", "choice", lambda: settings.size_when_hot(ranked), settings.sizes()),
    ]
