"""The frame around every page: sidebar, heading, what stands in the way of an answer, tasks and take-away."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn

import streamlit as st

from playground import navigation
from playground.core.files.encoding import readable_text
from playground.engine.contract.models import AdapterName, Capability, CatalogueEntry
from playground.engine.contract.pretraining import MODEL_PREFIX
from playground.engine.models.catalogue import catalogue
from playground.errors import (
    AdapterGone,
    EmptyText,
    InputError,
    Message,
    ModelGone,
    PlaygroundError,
    TextTooLong,
    Unsupported,
)
from playground.paths import site_root
from playground.ui import (
    adapters,
    compute,
    course,
    in_class,
    model_picker,
    my_prompts,
    projector,
    room,
    state,
    unread_language,
    url,
    warming,
)
from playground.ui.choose import default_of
from playground.ui.components.share import share
from playground.ui.panels import Later
from playground.ui.state import PageContext
from playground.ui.text import N_, Lesson, _, in_language, lesson, ngettext, plain, sentence
from playground.ui.translations import language_name, languages
from playground.ui.try_this import Task, show_tasks

if TYPE_CHECKING:
    from streamlit.runtime.state import SessionState

Drawn = tuple[Sequence[Task], Later | None]
"""The result of a page's `draw`: its tasks, and what takes longer, to be called once the page is drawn."""
Draw = Callable[[PageContext], Drawn]

_WITHOUT_SETTINGS = (navigation.FIRST, "classroom")
_EXAMPLE_NAMES = {
    "english": "English",
    "korean": "한국어",
    "code": N_("Code"),
    "emoji": N_("Emoji"),
}
_HIDDEN = '<style>[data-testid="stLayoutWrapper"]:has(> [class*="st-key-url_of_"]) { display: none; }</style>'


def url_values() -> None:
    """Take language, model and token from the URL. Comes first: the language decides every word after it.

    A bound picker would write its label into the URL; these hidden fields keep ids there instead.
    """
    st.html(_HIDDEN)
    with st.container(key="url_of_page"):
        for key in ("lang", "model", "token"):
            url.shared_field(key)


def sidebar(page: str, before: SessionState | None) -> None:
    """Language, model, the sentence with examples and the reader's own prompts; the link to this view.

    Args:
        page: The name of the page that is drawn next.
        before: The state before a reload of the tab, at the first run after it.
    """
    if before is not None:
        state.after_reload(before, page)
    url.begin(page)
    projector.style()
    with st.sidebar:
        _language_picker()
        _model_picker()
        st.text_area(
            _("Your sentence"), state.DEFAULT_TEXT, key="text", bind="query-params", height=110,
            help=_("Press Ctrl+Enter or click elsewhere to send it to the model."),
        )  # fmt: skip
        st.pills(
            _("Examples"),
            tuple(_EXAMPLE_NAMES),
            key="example",
            format_func=lambda example: _(_EXAMPLE_NAMES[example]),
            label_visibility="collapsed",
            on_change=_take_example,
        )
        my_prompts.picker(page)
        share(
            label=_("Copy the link to this view"),
            done=_("Copied"),
            failed=_("The browser does not let the page copy. The link:"),
            params={"lang": state.language()},
            session=state.session_id(),
            key="share",
        )
        if page != "classroom":  # it has the box above the fold
            in_class.join_box(page)
        if room.is_teacher() or projector.is_large():
            projector.toggle()
        if page not in _WITHOUT_SETTINGS:
            st.button(
                _("Reset this page"), icon=":material/restart_alt:", width="stretch", key="reset",
                on_click=url.reset, args=(page,),
                help=_("Puts the settings of this page back. Your sentence, files and adapters stay."),
            )  # fmt: skip


def draw_page(name: str, draw: Draw) -> None:
    """Draw a page from top to bottom: heading, what `draw` draws, tasks and lesson, then what takes longer.

    Args:
        name: As in `navigation`.
        draw: The page's own, from its `page.py`.
    """
    course.open_page(name)
    context = page(name)
    tasks, later = draw(context)
    end_of_page(context, tasks)
    if later is not None:
        later()


def page(name: str) -> PageContext:
    """Draw title, question and lead; give what the page works on.

    Stops with one sentence, the lesson still readable, when the model has not what the page needs or is not
    ready, or when a page that is about the reader's sentence has none.

    Args:
        name: As in `navigation`.
    """
    about, words = navigation.BY_NAME[name], lesson(name)
    st.markdown(f"# {words.title}\n\n**{words.question}** {words.lead}")
    text, n_left_out = readable_text(st.session_state["text"])
    if n_left_out:
        st.warning(
            ngettext(
                "{n} control character in the text is left out: it is not text.",
                "{n} control characters in the text are left out: they are not text.",
                n_left_out,
            ).format(n=n_left_out)
        )
    entry, no_text = _chosen_model(), _text_error(text)
    if (error := _model_error(entry, about.needs)) is not None:
        _stop_readable(words, error)
    if about.needs_text and no_text is not None:
        _say_missing(no_text)
        _rest(words)
        state.end_run()
    if isinstance(no_text, TextTooLong):  # also where no panel needs it: it was typed
        _say_missing(no_text)
    info = warming.model_when_ready(entry, in_memory=about.needs_model)
    if info is None:
        _rest(words)
        state.end_run()
    if about.reads_text and no_text is None:
        unread_language.say(text, info, about.needs)
    text = "" if no_text else text
    return PageContext(name, info, text, state.language(), compute.owner(), no_text)


def has_sentence(context: PageContext) -> bool:
    """True if there is a sentence for a panel about it; otherwise one line says what is missing."""
    if context.no_text is not None:
        _say_missing(context.no_text)
    return context.no_text is None


def end_of_page(context: PageContext, tasks: Sequence[Task]) -> None:
    """Draw Try this, Take away, the link to the next page, and the rest of the lesson."""
    words = lesson(context.name)
    show_tasks(context.name, words, tasks)
    st.info(f"**{_('Take away')}** · {words.take_away}", icon=":material/lightbulb:")
    course.next_page(context.name)
    _rest(words)


def _text_error(text: str) -> InputError | None:
    limit = state.settings().max_text_chars
    if not text.strip():
        return EmptyText()
    if len(text) > limit:
        return TextTooLong(limit=limit, got=len(text))
    return None


def _say_missing(error: InputError) -> None:
    """Say that a sentence is missing. An empty field is not an error; a text that is too long is one."""
    if isinstance(error, EmptyText):
        st.info(sentence(error), icon=":material/edit_note:")
    else:
        st.error(sentence(error))


def _model_error(entry: CatalogueEntry, needs: Collection[Capability]) -> Unsupported | None:
    missing = [need for need in needs if need not in entry.capabilities]
    return Unsupported(model_id=entry.name, capability=_CAPABILITY_NAMES[missing[0]]) if missing else None


_CAPABILITY_NAMES: dict[Capability, Message] = {
    "attentions": Message("attention"),
    "query_key": Message("query and key vectors"),
    "hidden_states": Message("hidden states"),
    "logits": Message("next-token prediction"),
    "generate": Message("text generation"),
    "generate_target": Message("encoder-decoder generation"),
    "chat_template": Message("chat template"),
    "fill": Message("masked-token prediction"),
}


def _stop_readable(words: Lesson, error: PlaygroundError) -> NoReturn:
    st.error(sentence(error))
    _rest(words)
    state.end_run()


def _rest(words: Lesson) -> None:
    title = _("More about it")
    st.markdown(f"## {title}\n\n{words.body}")


@lru_cache
def models() -> dict[str, CatalogueEntry]:
    """The allow-list, in display order."""
    return catalogue(state.settings())


def choices() -> dict[str, CatalogueEntry]:
    """The allow-list, and below it the session's adapters, each on its base."""
    return models() | adapters.entries(models())


def _chosen_model() -> CatalogueEntry:
    known, wanted = models(), st.session_state["model"]
    base = known.get(AdapterName.of(wanted).base_id) or known[state.settings().default_model]
    return adapters.entry_of(wanted, known) or base


def _language_picker() -> None:
    chosen = st.session_state["lang"]
    if chosen and chosen not in languages():
        st.warning(_("There is no language {name} here.").format(name=plain(repr(chosen))))
    st.segmented_control(
        " · ".join(in_language(one, N_("Language")) for one in languages()),
        languages(),
        default=default_of("lang_choice", state.language()),
        key="lang_choice",
        format_func=language_name,
        required=True,
        label_visibility="collapsed",
        width="stretch",
        on_change=_choose,
        args=("lang", "lang_choice"),
    )


def _model_picker() -> None:
    chosen, entry = st.session_state["model"], _chosen_model()
    known = choices() | {entry.model_id: entry}
    if chosen and AdapterName.of(chosen).model_id != entry.model_id:
        told = _("There is no model {name} here.").format(name=plain(repr(chosen)))
        if AdapterName.of(chosen).base_id == entry.model_id:
            told = sentence(AdapterGone(model_id=chosen))
        elif chosen.startswith(MODEL_PREFIX):
            told = sentence(ModelGone(model_id=chosen))
        st.warning(told)
    model_picker.draw(known, entry)
    st.caption(warming.state_words(entry))


def _choose(name: str, drawn: str) -> None:
    url.put(name, st.session_state[drawn])


def _take_example() -> None:
    if (example := st.session_state["example"]) is not None:
        st.session_state["text"] = _examples()[example]
        st.session_state["example"] = None


@lru_cache
def _examples() -> dict[str, str]:
    examples: dict[str, str] = json.loads((site_root() / "assets/samples/examples.json").read_text("utf-8"))
    return examples
