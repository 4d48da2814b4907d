"""A quantized copy of the model at hand, made when asked: perplexity, next tokens, error by layer."""

from __future__ import annotations

import numpy as np
import streamlit as st

from playground.core.files.encoding import readable_text
from playground.core.measured_quantization import passage
from playground.core.predictions import perplexity
from playground.core.quantization import Scheme
from playground.core.quantized_answers import next_token
from playground.core.tables import quantization as tables
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.quantization import QuantizedModel, QuantizeRequest
from playground.ui import quantized, state, unread_language
from playground.ui.choose import choose
from playground.ui.frame import has_sentence
from playground.ui.labels import token_labels
from playground.ui.memory import quantize_drawn
from playground.ui.memory.quantize_words import scheme_words
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.roles import reads
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import _
from playground.ui.url import setting

PASSAGE, FOUND, ASKED = "mem_q_passage", "mem_q_found", "mem_q_asked"
outlives_reload(PASSAGE, FOUND)


def panel(context: PageContext, scheme: Scheme) -> Later | None:
    """Draw the button and the last result; gives what quantizes, once somebody asked for it."""
    st.markdown(f"## {_('And the model at hand, with your sentence?')}")
    if not has_sentence(context):
        return None
    unread_language.say(context.text, context.model)
    whole, text = _more(context)
    st.button(
        _("Quantize a copy"), key="mem_q_run", icon=":material/compress:", type="primary",
        on_click=_ask, disabled=text is None,
    )  # fmt: skip
    progress, place = st.container(), st.container()
    asked = st.session_state.pop(ASKED, False)
    now = _made(context, scheme, whole, text or "")
    found = st.session_state.get(FOUND)
    if isinstance(found, quantize_drawn.Found) and found.model_id == context.model.model_id:
        with place:
            quantize_drawn.draw(context, found, now)
    elif not asked:
        place.caption(_about(context.model))
    if not asked or text is None:
        return None
    request = QuantizeRequest(
        context.model.model_id, context.text, passage=text, scheme=scheme, whole=whole
    )  # fmt: skip

    def later() -> None:
        with progress:
            _quantize(context, request, now)

    return later


def _ask() -> None:
    st.session_state[ASKED] = True


def _about(model: ModelInfo) -> str:
    words = _(
        "A copy of the model is quantized on the server, answers beside the model, and is deleted; the model "
        "that all share stays as it is. It takes some seconds; equal questions share one answer."
    )
    return words if model.kind == "decoder" else f"{words} {no_perplexity(model)}"


def no_perplexity(model: ModelInfo) -> str:
    """The reason for which a model that is no decoder has no perplexity here."""
    if model.kind == "encoder":
        return _(
            "An encoder gives no probability of a next token, so it has no perplexity: what is measured is "
            "how far its states move."
        )
    return _(
        "An encoder-decoder has a probability of the next token of its target only, so there is no "
        "perplexity of a running text: what is measured is the first token of the target, and how far the "
        "states move."
    )


def _more(context: PageContext) -> tuple[bool, str | None]:
    """The fields that are rarely changed; (embeddings too, passage), None without a text (says so)."""
    with st.container(horizontal=True, vertical_alignment="center"):
        whole = st.toggle(_("Embeddings and head too"), **setting("mem_q_whole", False))
        if context.model.kind != "decoder":
            return whole, ""
        names = {"ours": _("Perplexity of our text"), "mine": _("Perplexity of my own text")}
        with st.container(width="content"):
            which = choose("mem_q_text", names, _("Text whose perplexity is measured"))
    if which == "ours":
        return whole, our_passage(context)
    written = st.text_area(
        _("Text whose perplexity is measured"), key=PASSAGE, height=120, persist_state="session",
        max_chars=state.settings().max_prompt_chars,
    )  # fmt: skip
    text = readable_text(written.strip())[0]
    if not text:
        st.info(_("There is no text yet: paste some sentences, at least two tokens."))
        return whole, None
    return whole, text


def our_passage(context: PageContext) -> str:
    """Our text in the reader's language, in English where the model does not read that."""
    own = passage(context.language)
    return own if reads(context.model, own) else passage("en")


def _made(context: PageContext, scheme: Scheme, whole: bool, text: str) -> dict[str, object]:
    """Name of each setting -> its value."""
    beginning = text[:30] + ("…" if len(text) > 30 else "")
    made = {**scheme_words(scheme, whole=whole), _("sentence"): f"“{context.text[:40]}”"}
    return {**made, _("text"): f"“{beginning}”"} if text else made


def _quantize(context: PageContext, request: QuantizeRequest, made: dict[str, object]) -> None:
    """Have the copy made and asked, until the reader does something else."""
    doing = {
        "weights": _("Quantizing the copy, matrix by matrix"),
        "sentence": _("Both models read the sentence"),
        "passage": _("Both models read the text"),
    }
    bar = Progress("quantize", request.model, 1.0, _("Making a copy of the model"))
    st.button(_("Stop"), key="mem_q_stop", icon=":material/stop:")
    found: QuantizedModel | None = None
    for step in quantized.quantize(context, request):
        if isinstance(step, QuantizedModel):
            found = step
        else:
            bar.draw(step.share, doing[step.doing])
    if found is not None:
        st.session_state[FOUND] = _found(request, found, made)
        st.rerun()


def _found(request: QuantizeRequest, one: QuantizedModel, made: dict[str, object]) -> quantize_drawn.Found:
    """The shown part of a result, without its logits."""
    tokens, kl = None, None
    if one.logits is not None:
        answer = next_token(one.logits[0], one.logits[1])
        labels = token_labels(request.model, answer.token_ids)
        tokens, kl = tables.next_tokens(labels, answer.before, answer.after), answer.kl_bits
    errors = [(each.matrix.layer, each.matrix.is_target, each.error) for each in one.matrices]
    perplexities = [perplexity(row) for row in one.logprobs] if one.logprobs.size else []
    return quantize_drawn.Found(
        model_id=request.model,
        made=made,
        request=request,
        tokens=tokens,
        kl_bits=kl,
        layers=tables.layers(errors, one.moved),
        error=float(np.mean([each.error for each in one.matrices])),
        moved=float(one.moved[-1]),
        perplexities=(perplexities[0], perplexities[1]) if perplexities else None,
        n_tokens=len(one.passage_ids),
        bytes_before=one.bytes_before,
        bytes_after=one.bytes_after,
        bits_a_weight=one.bits_a_weight,
        n_weights=one.n_weights,
        elapsed_s=one.elapsed_s,
        cached=one.cached,
    )
