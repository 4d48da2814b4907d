"""ROUGE-1, -2 and -L: shared n-grams underlined, the common subsequence drawn, and the Korean trap."""

from __future__ import annotations

import streamlit as st

from playground.core.metrics.ngrams import common_subsequence, ngram_matches
from playground.core.metrics.rouge import (
    ROUGE_KINDS,
    ROUGE_TOKENIZERS,
    Rouge,
    RougeKind,
    RougeTokenizer,
    rouge,
    rouge_tokens,
)
from playground.core.tables import metrics as frames
from playground.ui import show
from playground.ui.choose import choose
from playground.ui.components.matched_tokens import Factor, MatchedRow, MatchedToken, matched_tokens
from playground.ui.evaluation import compared
from playground.ui.evaluation.compared import Compared
from playground.ui.state import PageContext
from playground.ui.text import _

NAMES: dict[RougeKind, str] = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L"}
Scores = dict[RougeKind, Rouge]


def panel(_context: PageContext) -> None:
    """Draw ROUGE of one candidate, as the reader types."""
    _panel()


@st.fragment
def _panel() -> None:
    st.markdown(f"## {_('How much of the reference does the candidate have?')}")
    names = {
        "words": _("words of any script"),
        "syllables": _("syllables"),
        "ascii": _("rouge-score's own"),
    }
    top = st.container()  # on a phone the picture stands over the fields
    with top:
        with st.container(horizontal=True, vertical_alignment="center"):
            compared.examples()
            st.caption(_("Tokenizer"), width="content")
            chosen = choose("ev_rouge_tokenizer", names, _("Tokenizer"))
        texts = compared.fields()
    if texts is None:
        return
    tokenizer = next(name for name in ROUGE_TOKENIZERS if name == chosen)
    with compared.reading_libraries():
        found = rouge(texts.candidate, texts.references, tokenizer)
    with top:
        _draw(texts, found, tokenizer)
    st.markdown(_told(texts, found, tokenizer))
    st.caption(f"rouge-score · {names[tokenizer]}")
    code = show.code(
        "rouge", candidate=texts.candidate, references=list(texts.references), tokenizer=tokenizer
    )
    table = frames.rouge_scores({tokenizer: [*found.values()]})
    show.under_picture("rouge", frame=table, code=code)
    _trap(texts, names)


def _draw(texts: Compared, found: Scores, tokenizer: RougeTokenizer) -> None:
    """The reference of ROUGE-L over the candidate, joined by the subsequence."""
    own = rouge_tokens(texts.candidate, tokenizer)
    best = found["rougeL"].reference
    theirs = rouge_tokens(texts.references[best], tokenizer)
    matches = [ngram_matches(own, [theirs], order) for order in (1, 2)]
    rows = [
        MatchedRow(
            compared.titles(texts.references)[best],
            _marked(theirs, [one.in_references[0] for one in matches]),
        ),
        MatchedRow(_("Candidate"), _marked(own, [one.in_candidate for one in matches])),
    ]
    legend = {
        "1": _("ROUGE-1: a token of both"),
        "2": _("ROUGE-2: two tokens in a row"),
        "link": _("ROUGE-L: the longest common subsequence"),
    }
    factors = [
        Factor(
            "",
            NAMES[kind],
            f"{found[kind].recall:.1%}".replace("%", " %"),
            _("recall {k} / {n} · F1 {f1:.3f}").format(
                k=found[kind].n_matched, n=found[kind].n_reference, f1=found[kind].f1
            ),
        )
        for kind in ROUGE_KINDS
    ]
    links = common_subsequence(theirs, own)
    matched_tokens(rows, legend, key="ev_rouge", links=links, factors=factors)


def _marked(tokens: tuple[str, ...], places: list[tuple[int, ...]]) -> list[MatchedToken]:
    covered = [{at + i for at in starts for i in range(order)} for order, starts in enumerate(places, 1)]
    return [
        MatchedToken(token, tuple(order for order, each in enumerate(covered, 1) if at in each))
        for at, token in enumerate(tokens)
    ]


def _told(texts: Compared, found: Scores, tokenizer: RougeTokenizer) -> str:
    """ROUGE-L in words, and the difference of recall and precision."""
    longest = found["rougeL"]
    if not longest.n_reference:
        told = _(
            "This tokenizer leaves no token of the reference: every score is 0, whatever the candidate says."
        )
        return told if any(map(str.strip, texts.references)) else ""
    if not longest.n_candidate:
        return _("The candidate has no tokens: ROUGE is 0.")
    told = _(
        "The candidate has {k} of {n} of the reference's tokens in the same order: ROUGE-L has recall "
        "{recall:.1%}, precision {precision:.1%} and F1 {f1:.3f}."
    ).format(
        k=longest.n_matched, n=longest.n_reference, recall=longest.recall, precision=longest.precision,
        f1=longest.f1,
    )  # fmt: skip
    if len(texts.references) > 1 and found["rouge1"].reference != longest.reference:
        more = _("ROUGE-1 is that of {title}, which fits it better.")
        told = f"{told} {more.format(title=compared.titles(texts.references)[found['rouge1'].reference])}"
    moved = found["rouge1"].n_matched - longest.n_matched
    if moved > 0 and found["rouge1"].reference == longest.reference:
        more = _("ROUGE-1 counts {n} more: in both texts, but in another order.")
        told = f"{told} {more.format(n=moved)}"
    return told


def _trap(texts: Compared, names: dict[str, str]) -> None:
    st.markdown(f"### {_('The trap: the tokenizer that comes with rouge-score')}")
    every = {name: rouge(texts.candidate, texts.references, name) for name in ROUGE_TOKENIZERS}
    rows = [
        {
            _("Tokenizer"): names[name],
            **{NAMES[kind]: round(found[kind].f1, 3) for kind in ROUGE_KINDS},
            _("Tokens of the reference"): " | ".join(rouge_tokens(texts.references[0], name)[:14]) or "∅",
            _("Tokens of the candidate"): " | ".join(rouge_tokens(texts.candidate, name)[:14]) or "∅",
        }
        for name, found in every.items()
    ]
    st.dataframe(rows, hide_index=True, key="ev_rouge_tokenizers")
    st.markdown(_trap_told(texts, every))
    table = frames.rouge_scores({name: [*found.values()] for name, found in every.items()})
    code = show.code("rouge_trap", candidate=texts.candidate, references=list(texts.references))
    show.under_picture("rouge_trap", frame=table, code=code)


def _trap_told(texts: Compared, every: dict[RougeTokenizer, Scores]) -> str:
    """Words that rouge-score's own tokenizer drops from the reference."""
    n, left = (len(rouge_tokens(texts.references[0], name)) for name in ("words", "ascii"))
    if every["ascii"]["rouge1"] == every["words"]["rouge1"]:
        return _(
            "These texts are ASCII, so rouge-score's own tokenizer cuts them as ours does. It drops all but "
            "a-z and 0-9: load an example in Korean, or type one, and it sees nothing."
        )
    return _(
        "rouge-score's own tokenizer drops all but a-z and 0-9: it leaves {left} of {n} of the reference's "
        "words, and ROUGE-1 is {trapped:.3f} instead of {words:.3f}. By syllables, where another particle "
        "is not another word, it is {syllables:.3f}."
    ).format(
        n=n, left=left, trapped=every["ascii"]["rouge1"].f1, words=every["words"]["rouge1"].f1,
        syllables=every["syllables"]["rouge1"].f1,
    )  # fmt: skip
