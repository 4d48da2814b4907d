"""Bits per byte of the held-out text under the model at hand: shipped for the embedded one, else measured."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from functools import partial

import numpy as np
import streamlit as st

from playground.core.metrics.perplexity import Cost, Window, cost, joined, windows
from playground.core.scaling_runs import held_out_costs
from playground.core.scaling_text import held_out_text, pieces
from playground.core.tokens import Tokenization, join
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.traces import Capture, TraceRequest
from playground.errors import PlaygroundError
from playground.ui import compute, state
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.roles import player
from playground.ui.state import PageContext
from playground.ui.text import _, plain, sentence

WANTED = "sca_measure"
TOGETHER = 512  # tokens, about, that share a forward pass
N_KNOWN = 64
_known: OrderedDict[tuple[str, str], Cost] = OrderedDict()  # model, revision -> cost of the held-out text


def known(context: PageContext) -> tuple[ModelInfo, Cost] | None:
    """The decoder at hand with its loss, None where it is not known yet."""
    decoder = _decoder(context)
    if decoder is None:
        return None
    model = decoder.model
    found = _known.get((model.model_id, model.revision)) or held_out_costs().get(
        (model.model_id, model.revision)
    )
    return None if found is None else (model, found)


def _decoder(context: PageContext) -> PageContext | None:
    return player(context, "decoder")


def say(context: PageContext) -> None:
    """Say what the model's point stands on; a button where it is not measured yet."""
    decoder = _decoder(context)
    if decoder is None:
        return
    name = plain(decoder.model.name)
    found = known(context)
    if found is None:
        told = _("{name} has not been measured yet: it reads the held-out text ({n:,} B), some seconds.")
        st.info(told.format(name=name, n=len(held_out_text().encode())))
        st.button(
            _("Measure {name}").format(name=name), key="sca_measure_now", icon=":material/speed:",
            on_click=_want, args=(decoder.model.model_id,),
        )  # fmt: skip
        return
    _model, one = found
    told = _(
        "{name}: {bits:.1f} bits for {n:,} held-out bytes (tokens: {tokens:,}), read in windows. It has "
        "read other data, with another tokenizer; bits per byte are comparable all the same, the amounts on "
        "the axis only roughly."
    )
    st.caption(told.format(name=name, bits=one.total_bits, tokens=one.n_pieces, n=one.n_bytes))


def _want(model_id: str) -> None:
    st.session_state[WANTED] = model_id


def wanted(context: PageContext) -> Later | None:
    """Measure the decoder at hand, once somebody asked for it."""
    decoder = _decoder(context)
    if decoder is None or st.session_state.get(WANTED) != decoder.model.model_id:
        return None
    return partial(_measure, decoder, st.empty())


def _measure(decoder: PageContext, place: st.delta_generator.DeltaGenerator) -> None:
    """Read the held-out text in windows, with a bar; a click on anything else ends it."""
    model = decoder.model
    st.session_state[WANTED] = ""
    try:
        with place.container():
            found = read(decoder)
    except PlaygroundError as error:
        place.error(sentence(error))
        return
    _known[model.model_id, model.revision] = found
    while len(_known) > N_KNOWN:
        _known.popitem(last=False)
    st.rerun()


def read(decoder: PageContext) -> Cost:
    """Cost of the held-out text under a decoder."""
    tokens = _tokens(decoder)
    most = min(state.settings().max_tokens, decoder.model.n_ctx or state.settings().max_tokens)
    parts = windows(len(tokens), most - 1, max(1, (most - 1) // 2))
    bar = Progress("held_out", decoder.model.model_id, len(parts), _("The model reads the held-out text"))
    logprobs: dict[int, np.ndarray] = {}
    for group in _groups(parts):
        requests = [
            TraceRequest(
                decoder.model.model_id, capture=Capture(predictions=1),
                input_ids=tokens.input_ids[one.begin : one.end],
            )
            for one in group
        ]  # fmt: skip
        for one, trace in zip(
            group, compute.traces_together(decoder, requests, topic="held_out"), strict=True
        ):
            assert trace.predictions is not None
            logprobs[one.begin] = trace.predictions.logprobs
        bar.draw(len(logprobs), _("{done} of {total} windows").format(done=len(logprobs), total=len(parts)))
    return cost(joined(parts, logprobs), b"".join(tokens.token_bytes[1:]))


def _tokens(decoder: PageContext) -> Tokenization:
    """The held-out text as the model reads it, behind its start token where it has one."""
    tokenizers, model_id = compute.tokenizers(), decoder.model.model_id
    tokens = join(
        [tokenizers.tokenize(model_id, one, add_special_tokens=False) for one in pieces(held_out_text())]
    )
    start_id = tokenizers.info(model_id).start_id
    if start_id is None:
        return tokens
    name = compute.token_texts(decoder, np.array([start_id]))
    return join([Tokenization(model_id, "", (start_id,), name, (b"",), ((0, 0),), (True,)), tokens])


def _groups(parts: tuple[Window, ...]) -> Iterator[list[Window]]:
    """Windows that share a forward pass."""
    group: list[Window] = []
    for one in parts:
        together = sum(each.end - each.begin for each in (*group, one))
        if group and (together > TOGETHER or len(group) == state.settings().max_traces_together):
            yield group
            group = []
        group.append(one)
    if group:
        yield group
