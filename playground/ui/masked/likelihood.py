"""Pseudo-log-likelihood: every token masked alone, and how surprising it is where it stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.charts import sampling as charts
from playground.core.predictions import perplexity
from playground.core.tables import masked as frames
from playground.core.tables.masked import ScoredToken
from playground.engine.contract.filling import Filled, FillRequest
from playground.errors import TooManyTokens
from playground.ui import show, state, stepwise
from playground.ui.components import scored_text as component
from playground.ui.components.scored_text import scored_text
from playground.ui.expected import N_EXPECTED, expected
from playground.ui.masked.view import View
from playground.ui.progress import Progress
from playground.ui.text import _, ngettext, sentence, strong


@dataclass(frozen=True, slots=True, eq=False)
class EachMasked:
    """Every token of a text masked alone, in order.

    Attributes:
        positions: Positions of the tokens. Shape [token].
        token_ids: The tokens. Shape [token].
        logprobs: Log-probability of each, nats. Shape [token].
        ranks: Number of tokens that were more probable. Shape [token].
        parts: The engine's answers.
    """

    positions: NDArray[np.int64]
    token_ids: NDArray[np.int64]
    logprobs: NDArray[np.float64]
    ranks: NDArray[np.int64]
    parts: list[Filled]

    @property
    def bits(self) -> NDArray[np.float64]:
        """Surprisal of each token. Shape [token]."""
        bits: NDArray[np.float64] = self.logprobs / -np.log(2)
        return bits


def each_masked(view: View, words: str) -> EachMasked | None:
    """Every token of the text masked alone; None, and why, where that cannot be, or where a click ended it.

    Args:
        view: The view of the page.
        words: Message while it is computed.
    """
    n, limit = len(view.tokens), state.settings().max_tokens_all_heads
    if n > limit:
        st.info(sentence(TooManyTokens(limit=limit, got=n)))
        return None
    if not view.free:
        st.info(_("There is no token to mask in this text."))
        return None
    place = st.empty()
    with place.container():
        bar = Progress("fill each", view.model_id, len(view.free), words)
    parts: list[Filled] = []
    done = 0
    request = FillRequest(view.model_id, input_ids=view.tokens.input_ids, n_top=N_EXPECTED)
    for part in stepwise.fill_each(view.context, request):
        parts.append(part)
        done += len(part.positions)
        bar.draw(done, words)
    place.empty()
    if not parts or done < parts[0].n_places:
        return None
    return EachMasked(
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.token_ids[:, 0] for part in parts]),
        np.concatenate([part.token_logprobs[:, 0] for part in parts]).astype(np.float64),
        np.concatenate([part.token_ranks[:, 0] for part in parts]),
        parts,
    )


def panel(view: View) -> None:
    """Draw the text coloured by surprisal, its pseudo-log-likelihood and pseudo-perplexity."""
    st.markdown(f"## {_('How natural is the whole sentence to the model?')}")
    each = each_masked(view, _("Every token is masked alone"))
    if each is None:
        return
    scored_text(_scored(view, each), key="mas_scored")
    bits, labels = each.bits, view.labels
    most = int(bits.argmax())
    told = ngettext(
        "The {n} token, masked alone, costs {total:.1f} bits: the pseudo-log-likelihood is {pll:.1f} bits, "
        "the pseudo-perplexity {perplexity:.1f}.",
        "The {n} tokens, each masked alone, cost {total:.1f} bits: the pseudo-log-likelihood is {pll:.1f} "
        "bits, the pseudo-perplexity {perplexity:.1f}. The most surprising one is {token} with {bits:.1f} "
        "bits.",
        len(bits),
    )
    st.markdown(
        told.format(
            n=len(bits), total=bits.sum(), pll=-bits.sum(), perplexity=perplexity(each.logprobs),
            token=strong(labels[each.positions[most]]), bits=bits[most],
        )
    )  # fmt: skip
    rows = [
        ScoredToken(at + 1, labels[at], token, "", 2.0**-cost, cost, rank + 1)
        for at, token, cost, rank in zip(
            each.positions.tolist(), each.token_ids.tolist(), bits.tolist(), each.ranks.tolist(), strict=True
        )
    ]
    table = frames.scored(rows)
    words = {
        "token": _("Token"), "surprisal": _("Surprisal (bits)"), "model": _("Probability"), "rank": _("Rank"),
    }  # fmt: skip
    chart = charts.surprisal_bars(words, steps=range(1, len(view.tokens) + 1))
    show.show_chart(chart, "mas_pll_bars", _("Surprisal of each token, masked alone"), data=table)
    show.source(view.context.model)
    code = show.code(
        "pseudo_likelihood", **view.read_from,
        input_ids=list(view.tokens.input_ids), positions=each.positions.tolist(),
    )  # fmt: skip
    show.under_picture("pseudo_likelihood", frame=table, code=code, picture="mas_pll_bars")


def _scored(view: View, each: EachMasked) -> list[component.ScoredToken]:
    found = []
    for part in each.parts:
        probs = np.exp(part.top_logprobs.astype(np.float64))
        bits = part.token_logprobs[:, 0].astype(np.float64) / -np.log(2)
        for row, at in enumerate(part.positions.tolist()):
            found.append(
                component.ScoredToken(
                    int(part.token_ids[row, 0]), view.labels[at], float(bits[row]),
                    int(part.token_ranks[row, 0]) + 1, float(part.entropy_bits[row]),
                    expected(view.model_id, part.top_ids[row], probs[row], b""),
                )
            )  # fmt: skip
    return found
