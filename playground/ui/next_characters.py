"""The next characters beside the next tokens, where tokens are parts of characters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from playground.core import pieces
from playground.core.inside import log_probabilities
from playground.core.next_characters import Floats, NextCharacters, Path, Spelling, next_characters, table
from playground.core.tokens import Tokenization
from playground.core.trace import Trace
from playground.engine.contract.models import AdapterName
from playground.engine.contract.traces import Capture, TraceRequest
from playground.ui import compute, show
from playground.ui.components.journey.scene import percent
from playground.ui.state import PageContext, settings
from playground.ui.text import _, strong

N_SHOWN = 5
ENOUGH = 0.02  # of the probability: what is left then changes no order worth a forward pass
KEY = "next_characters"


def may_be_worth_it(context: PageContext, tokens: Tokenization) -> bool:
    """True if the trace of this text is worth its keys and values: its tokens are parts of characters."""
    has_keys = {"logits", "query_key"} <= set(context.model.capabilities)
    return has_keys and are_worth_it(context, tokens, ())


def are_worth_it(context: PageContext, tokens: Tokenization, next_tokens: Sequence[str]) -> bool:
    """True if the model writes one token after another and some here are parts of characters.

    Args:
        context: From `frame.page`.
        tokens: The text as the model reads it.
        next_tokens: Readable forms of the most probable next ones.
    """
    is_cut = any(one.kind == "bytes" for one in (*pieces.pieces(tokens), *map(pieces.piece, next_tokens)))
    return is_cut and context.model.kind == "decoder"


def draw(context: PageContext, trace: Trace, *, under_settings: bool = False) -> None:
    """One sentence, its values and code; takes up to `max_followed_characters` forwards where none is kept.

    Args:
        context: From `frame.page`.
        trace: With the logits of the last position; with its keys and values each pass reads what is new.
        under_settings: True where settings change the next token's probabilities, but not these.
    """
    key = (context.model.model_id, trace.revision, trace.adapter, trace.dtype, trace.input_ids.tobytes())
    kept: tuple[object, NextCharacters] | None = st.session_state.get(KEY)
    found = kept[1] if kept is not None and kept[0] == key else _ask(context, trace)
    st.session_state[KEY] = key, found
    own = " " + _("These are the model's own probabilities, before the settings above.")
    st.markdown(_reading(found) + (own if under_settings else ""))
    limits = settings()
    show.under_picture(
        "next_characters",
        frame=lambda: table(found),
        code=lambda: show.code(
            "next_characters", folder=show.model_folder(context.model.model_id), text=context.text,
            max_followed=limits.max_followed_characters, enough=ENOUGH, max_tokens=_n_most(context),
        ),
    )  # fmt: skip


def _n_most(context: PageContext) -> int:
    """Tokens that the model may read."""
    limit = settings().max_tokens
    return min(limit, context.model.n_ctx or limit)


def _ask(context: PageContext, trace: Trace) -> NextCharacters:
    ids, n_most = tuple(trace.input_ids.tolist()), _n_most(context)

    def probabilities(paths: Sequence[Path]) -> list[Floats | None]:
        model = context.model.model_id
        wanted = {
            path: TraceRequest(model, input_ids=(*ids, *path), capture=Capture(logits="last"), after=trace)
            for path in paths
            if path and len(ids) + len(path) <= n_most
        }
        traces = compute.traces_together(context, list(wanted.values()), topic=KEY) if wanted else []
        read = {(): trace} | dict(zip(wanted, traces, strict=True))
        return [_probs(read[path]) if path in read else None for path in paths]

    spelling = _spelling(AdapterName.of(context.model.model_id).base_id, context.model.d_vocab)
    return next_characters(
        spelling, probabilities, max_followed=settings().max_followed_characters, enough=ENOUGH
    )


def _probs(read: Trace) -> Floats:
    assert read.logits is not None
    found: Floats = np.exp(log_probabilities(read.logits[-1]))
    return found


@st.cache_resource(max_entries=4, show_spinner=False)  # some 10 MB each
def _spelling(model_id: str, d_vocab: int) -> Spelling:
    return Spelling(compute.tokenizers().bytes_of_tokens(model_id, d_vocab))


def _reading(found: NextCharacters) -> str:
    shown = [
        f"{strong(pieces.visible(char))} {percent(p)}" for char, p in list(found.probs.items())[:N_SHOWN]
    ]
    words = [
        _(
            "As whole characters, the model expects next {characters}: of each, the probabilities of all "
            "tokens that spell it are summed."
        ).format(characters=", ".join(shown))
    ]
    if found.ended >= ENOUGH:
        words.append(_("The text ends with {p}.").format(p=percent(found.ended)))
    if found.left:
        words.append(
            _(
                "{p} lies on characters that were begun and not followed to their end: any character may "
                "have up to that much more."
            ).format(p=percent(found.left))
        )
    return " ".join(words)
