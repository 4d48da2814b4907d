"""Leave one out: the chunk that moved the answer, by the log-probability of the answer without it."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import streamlit as st

from playground.charts import grounding as charts
from playground.core.grounding import pick
from playground.core.tables import grounding as frames
from playground.errors import PlaygroundError
from playground.ui import compute, show, state, stepwise
from playground.ui.retrieval.case import MOST_CHUNKS, Case
from playground.ui.retrieval.written import known
from playground.ui.text import _, sentence, strong


def panel(case: Case) -> None:
    """Score the answer with all chunks, without each, and without any; draw the differences."""
    answer = known(case.context, case.prompts["right"])
    if answer is None or not answer.text.strip():
        st.info(_("The answer is empty: there is nothing to support."))
        return
    places = pick([one.text for one in case.chunks], case.question, MOST_CHUNKS).right
    texts = [case.chunks[place].text.strip() for place in places]
    without = [tuple(texts[:at] + texts[at + 1 :]) for at in range(len(texts))]
    try:
        said = answer.text.strip() if "chat_template" in case.context.model.capabilities else answer.text
        model_id = case.context.model.model_id
        n_said = len(compute.tokenizers().tokenize(model_id, said, add_special_tokens=False))
        prompts = [case.prompt(chunks, n_said) for chunks in (tuple(texts), *without, ())]
        ids = [prompt.tokens.input_ids for prompt in prompts]
        steps = stepwise.scores(
            case.context, ids, [(said,)] * len(ids), topic="ret_left_out", ends_at_click=False
        )
        logprobs = [scores.logprobs[0] for _place, scores in steps]
    except PlaygroundError as error:
        st.error(sentence(error))
        return
    names = [_("all chunks"), *(_("without chunk {n}").format(n=n + 1) for n in range(len(texts)))]
    table = frames.left_out([*names, _("without any")], logprobs)
    alt = _("Bits that the answer loses without each chunk")
    show.show_chart(_picture(state.language()), "ret_left_out", alt, data=table)
    moved = int(table["lost_bits"][: len(texts)].argmax())
    told = _(
        "With all chunks the answer {answer} has a cost of {bits:.1f} bits. Chunk {most} moved it most: "
        "without it {more:.1f} bits more, without any chunk {none:.1f} bits more."
    )
    st.markdown(
        told.format(
            answer=strong(said), bits=table.iloc[0]["bits_with"], most=moved + 1,
            more=table["lost_bits"][moved], none=table.iloc[-1]["lost_bits"],
        )
    )  # fmt: skip
    for n, text in enumerate(texts, 1):
        with st.expander(_("Chunk {n}").format(n=n), key=f"ret_left_out_{n}"):
            st.text(text)
    show.source(case.context.model)
    code = partial(
        show.code, "leave_one_out", folder=show.model_folder(case.context.model.model_id),
        prompts=[list(one) for one in ids], answer=said, names=[*names, _("without any")],
    )  # fmt: skip
    show.under_picture("leave_one_out", frame=table, code=code, picture="ret_left_out")


@lru_cache
def _picture(language: str) -> dict[str, Any]:
    """The constant part of the picture; `language` is the session's."""
    words = {
        "left_out": _("Chunk"), "lost": _("Bits that the answer costs more (logarithmic beyond 1)"),
        "with": _("Bits with all chunks"), "without": _("Bits without it"),
    }  # fmt: skip
    return charts.left_out(words)
