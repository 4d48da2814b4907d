"""The reader's own task, and the prompts of this session as a file that other programs read."""

from __future__ import annotations

import streamlit as st

from playground.core.few_shot import messages
from playground.core.files.examples import ChatMessage, jsonl_bytes, read_messages
from playground.core.files.rows import ReadOptions
from playground.core.tables import prompting as frames
from playground.errors import BadFile, BadUpload, Message
from playground.ui import file_preview, state
from playground.ui.file_preview import FileKind
from playground.ui.prompting import chat, own
from playground.ui.prompting.prompt import Prompt
from playground.ui.state import outlives_reload
from playground.ui.text import _, ngettext
from playground.ui.url import put

KEY = "pro_kept"
outlives_reload(KEY)
MAX_KEPT = 50


def panel(prompt: Prompt) -> None:
    """Draw both.

    Args:
        prompt: The prompt on the page, which can be kept.
    """
    st.markdown(f"## {_('Can it learn my own task?')}")
    own.uploader()
    st.markdown(f"## {_('Which prompts do I want to save?')}")
    kept: list[list[ChatMessage]] = st.session_state.setdefault(KEY, [])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            _("Save this prompt"), type="primary", key="pro_keep", icon=":material/bookmark_add:",
            on_click=_keep, args=(prompt,), disabled=len(kept) >= MAX_KEPT,
        )  # fmt: skip
        st.download_button(
            _("Download all"), lambda: jsonl_bytes(kept), "prompts.jsonl", "application/jsonl",
            key="pro_kept_file", on_click="ignore", icon=":material/download:", disabled=not kept,
        )  # fmt: skip
    file_preview.field(
        FileKind(
            "pro_kept_upload",
            _("Prompts as messages: .jsonl, one per line, up to 1 MB, 50 prompts"),
            ("jsonl",),
            _read,
            lambda found: ngettext("{n} prompt was read.", "{n} prompts were read.", len(found)).format(
                n=len(found)
            ),
            _take,
            _("Save these prompts"),
        )
    )
    if not kept:
        st.caption(_("Nothing is saved yet. A link to this page keeps the prompt above as well."))
        return
    _table(kept)
    usable = {str(number): one for number, one in enumerate(kept, 1) if chat.can_open(one)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.selectbox(_("Prompt"), tuple(usable), key="pro_kept_number", width=130)
        st.button(
            _("Open in the chat template"), key="pro_kept_open", icon=":material/open_in_full:",
            on_click=_open, args=(usable.get(number or ""),), disabled=not usable,
        )  # fmt: skip


def _table(kept: list[list[ChatMessage]]) -> None:
    st.dataframe(
        frames.kept_prompts(kept),
        hide_index=True,
        height=min(400, 40 * len(kept) + 40),
        column_config={
            "prompt": st.column_config.NumberColumn(_("Prompt"), width="small"),
            "messages": st.column_config.NumberColumn(_("Messages"), width="small"),
            "last": st.column_config.TextColumn(_("Last message"), width="large"),
        },
    )


def _open(said: list[ChatMessage] | None) -> None:
    if said is not None:
        chat.open_messages(said)
        put("pro_panel", "chat")


def _keep(prompt: Prompt) -> None:
    said = messages(prompt.task, prompt.demos, prompt.query.text)
    kept: list[list[ChatMessage]] = st.session_state[KEY]
    if said not in kept:
        kept.append(said)


def _read(_name: str, data: bytes, options: ReadOptions) -> list[list[ChatMessage]]:
    try:
        return read_messages(data, options, max_bytes=state.settings().max_upload_bytes, max_rows=MAX_KEPT)
    except BadUpload as error:  # one line that is not a prompt spoils the file
        raise BadFile(reason=Message("a line of it is not a prompt.")) from error


def _take(_name: str, found: list[list[ChatMessage]]) -> None:
    kept: list[list[ChatMessage]] = st.session_state[KEY]
    kept += [one for one in found if one not in kept][: MAX_KEPT - len(kept)]
