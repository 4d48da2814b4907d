"""Chat X-ray: what a chat template makes of messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from playground.core.files.encoding import readable_text
from playground.core.tables import chat as frames
from playground.errors import PlaygroundError
from playground.ui import compute
from playground.ui.components.token_rows import LINE_BREAK, NamedRow, token_rows
from playground.ui.panels import Later
from playground.ui.prompting import chat_answers
from playground.ui.prompting.chat_answers import Chat, ChatMessage, name_of
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain, sentence, strong

MAX_CHARS, MAX_TURNS = 500, 12


def panel(context: PageContext) -> Later | None:
    """Draw the messages, what the model reads of them, and what it answered last.

    Args:
        context: From `frame.page`.

    Returns:
        What writes the answers, to be called once the page is drawn; None when nothing is asked.
    """
    st.markdown(f"## {_('What does a chat model really read?')}")
    left, right = st.columns([2, 3], gap="medium")
    with left:
        messages = _editor(context)
    if not all(message["content"].strip() for message in messages):
        right.info(_("A message is empty: fill in every turn, or remove the last one."))
        return None
    try:
        chat = read(context, messages)
    except PlaygroundError as error:
        right.error(sentence(error))
        return None
    with right:
        _draw_text(chat)
        if chat.messages[-1]["role"] == "assistant" and "template" in chat.readings:
            st.info(
                _(
                    "The assistant spoke last: the template closes that turn and opens another one of the "
                    "assistant, so the model answers an answer. Add a turn of the user, or remove the last "
                    "one."
                )
            )
    _draw_tokens(chat)
    return chat_answers.draw(chat, _open_turns if _has_room() else None)


# ---------------------------------------------------------------- the messages


def can_open(messages: Sequence[Mapping[str, str]]) -> bool:
    """True if the editor has room for these: user and assistant in turns, the user first and last."""
    turns = [one for one in messages if one["role"] != "system"]
    roles = [one["role"] for one in turns]
    in_turns = roles == ["user", "assistant"] * (len(roles) // 2) + ["user"] * (len(roles) % 2)
    first = all(one["role"] != "system" for one in messages[1:])
    short = all(len(one["content"]) <= MAX_CHARS for one in messages)
    return in_turns and first and short and len(turns) % 2 == 1 and len(turns) <= MAX_TURNS


def open_messages(messages: Sequence[Mapping[str, str]]) -> None:
    """Put them into the editor; call it from a callback.

    Args:
        messages: Messages for which `can_open` is true.
    """
    system = [one["content"] for one in messages if one["role"] == "system"]
    st.session_state["pro_chat_system"] = system[0] if system else ""
    st.session_state["pro_chat_n"] = 0
    _open_turns(*(one["content"] for one in messages if one["role"] != "system"))


def _editor(context: PageContext) -> list[ChatMessage]:
    """The fields of the messages; an empty system message is left out."""
    _follow_sentence(context)
    area = partial(st.text_area, height=104, max_chars=MAX_CHARS, persist_state="session")
    system = area(
        _("System message"), key="pro_chat_system", placeholder=_("Empty: the template may bring its own.")
    )
    roles = {"user": _("User"), "assistant": _("Assistant")}
    n = int(st.session_state.setdefault("pro_chat_n", 1))
    typed = [("system", system)] if (system or "").strip() else []
    for turn in range(1, n + 1):
        role = "user" if turn % 2 else "assistant"
        typed.append((role, area(roles[role], key=f"pro_chat_{turn}")))
    with st.container(horizontal=True):
        st.button(
            _("Add a turn"), key="pro_chat_add", icon=":material/add:", disabled=n >= MAX_TURNS,
            on_click=_open_turns, args=("",),
        )  # fmt: skip
        if n > 1:
            st.button(
                _("Remove the last turn"), key="pro_chat_remove", icon=":material/remove:",
                on_click=_remove_turn,
            )  # fmt: skip
    return [{"role": role, "content": readable_text(content or "")[0]} for role, content in typed]


def _follow_sentence(context: PageContext) -> None:
    """The first message is the page's sentence until the reader writes another one."""
    first, taken = context.text[:MAX_CHARS], st.session_state.get("pro_chat_of")
    if first != taken:
        if st.session_state.get("pro_chat_1", taken) in (taken, ""):
            st.session_state["pro_chat_1"] = first
        st.session_state["pro_chat_of"] = first


def _open_turns(*contents: str) -> None:
    """Add turns to the editor; user and assistant take turns."""
    for content in contents:
        st.session_state["pro_chat_n"] += 1
        st.session_state[f"pro_chat_{st.session_state['pro_chat_n']}"] = content[:MAX_CHARS]


def _has_room() -> bool:
    """True if the user spoke last and an answer and the next question fit in."""
    n = int(st.session_state["pro_chat_n"])
    return n % 2 == 1 and n + 2 <= MAX_TURNS


def _remove_turn() -> None:
    st.session_state["pro_chat_n"] -= 1


# ---------------------------------------------------------------- what the model reads


def read(context: PageContext, messages: list[ChatMessage]) -> Chat:
    """The messages as the model reads them, in its template and without it.

    Args:
        context: From `frame.page`.
        messages: At least one, none empty.

    Raises:
        TextTooLong: All of them together.
    """
    tokenizers, model_id = compute.tokenizers(), context.model.model_id
    marks = tokenizers.info(model_id).special_ids
    readings = {}
    if "chat_template" in context.model.capabilities:
        framed = tokenizers.chat(model_id, messages)
        around = tokenizers.chat_frames(model_id, messages)
        readings["template"] = frames.reading(framed, around, messages, marks, "template")
    joined = compute.cut(model_id, "\n".join(message["content"] for message in messages))
    breaks = ["", *["\n"] * (len(messages) - 1), ""]
    readings["plain"] = frames.reading(joined, breaks, messages, marks, "line break")
    return Chat(context, messages, readings, marks)


def _draw_text(chat: Chat) -> None:
    """The prompt word for word."""
    if "template" in chat.readings:
        st.markdown(_("The messages in the model's chat template, word for word:"))
    else:
        told = _(
            "{name} has no chat template: nothing tells it who speaks. It reads the messages joined by line "
            "breaks."
        )
        st.info(told.format(name=strong(chat.context.model.name)))
    text = next(iter(chat.readings.values())).tokens.text.replace("\n", f"{LINE_BREAK}\n")
    st.code(text, language=None, wrap_lines=True)  # would drop a line break at the end without its sign


def _draw_tokens(chat: Chat) -> None:
    st.markdown(_counted(chat))
    for name, one in chat.readings.items():
        row = NamedRow(name_of(name), one.tokens, chat.marks)
        token_rows([row], key=f"pro_chat_rows_{name}", height=320)


def _counted(chat: Chat) -> str:
    """The tokens in words, Markdown."""
    joined, framed = len(chat.readings["plain"].tokens), chat.readings.get("template")
    if framed is None:
        return ngettext("The model reads {n} token.", "The model reads {n} tokens.", joined).format(n=joined)
    told = _(
        "The model reads {n} tokens: {own} from the messages, {marks} special (dashed), {rest} from the "
        "template's text. Merely joined by line breaks, the messages have {joined}."
    )
    n, n_marks, n_rest = len(framed.tokens), framed.n("mark"), framed.n("template")
    words = told.format(n=n, own=n - n_marks - n_rest, marks=n_marks, rest=n_rest, joined=joined)
    if own := frames.own_texts(framed, "template"):
        added = _("The template adds words that stand in no message: {text}.")
        words += " " + added.format(text=f":blue[{plain(' … '.join(own))}]")
    return words
