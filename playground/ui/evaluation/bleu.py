"""BLEU: shared n-grams underlined, clipped counts, the brevity penalty, and the product they make."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import streamlit as st

from playground.charts import metrics as charts
from playground.core.metrics.bleu import BLEU_TOKENIZERS, Bleu, BleuTokenizer, bleu_tokens, sentence_bleu
from playground.core.metrics.ngrams import NgramMatches, ngram_matches
from playground.core.metrics.rouge import rouge
from playground.core.tables import metrics as frames
from playground.ui import show, state
from playground.ui.choose import choose
from playground.ui.components.matched_tokens import Factor, MatchedRow, MatchedToken, matched_tokens
from playground.ui.evaluation import compared
from playground.ui.evaluation.compared import Compared
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain, strong

ORDERS = (1, 2, 3, 4)


def panel(_context: PageContext) -> None:
    """Draw BLEU of one candidate, as the reader types."""
    _panel()


@st.fragment
def _panel() -> None:
    st.markdown(f"## {_('Which runs of words does a reference have too?')}")
    names: dict[str, str] = {name: name for name in BLEU_TOKENIZERS}
    top = st.container()  # on a phone the picture stands over the fields
    with top:
        with st.container(horizontal=True, vertical_alignment="center"):
            compared.examples()
            st.caption(_("Tokenizer of sacrebleu"), width="content")
            chosen = choose("ev_bleu_tokenizer", names, _("Tokenizer of sacrebleu"))
        texts = compared.fields()
    if texts is None:
        return
    tokenizer = next(name for name in BLEU_TOKENIZERS if name == chosen)
    found = sentence_bleu(texts.candidate, texts.references, tokenizer)
    tokens = bleu_tokens(texts.candidate, tokenizer)
    cut = [bleu_tokens(text, tokenizer) for text in texts.references]
    matches = [ngram_matches(tokens, cut, order) for order in ORDERS]
    with top:
        _draw(texts, tokens, cut, matches, found)
    st.markdown(_told(found, matches[0]))
    st.caption(plain(f"sacrebleu · {found.signature}"))
    code = show.code("bleu", candidate=texts.candidate, references=[*texts.references], tokenizer=tokenizer)
    show.under_picture("bleu", frame=frames.bleu_factors(found), code=code)
    _counts(matches)
    _brevity(texts, found)
    _tokenizers(texts)


def _draw(
    texts: Compared,
    tokens: tuple[str, ...],
    cut: list[tuple[str, ...]],
    matches: list[NgramMatches],
    found: Bleu,
) -> None:
    places = [one.in_candidate for one in matches]
    known = {one.tokens[0] for one in matches[0].counts if one.n_reference}
    rows = [MatchedRow(_("Candidate"), _marked(tokens, places, known))]
    for at, (title, each) in enumerate(zip(compared.titles(texts.references), cut, strict=True)):
        rows.append(MatchedRow(title, _marked(each, [one.in_references[at] for one in matches])))
    legend = {
        str(order): ngettext("{n} token", "{n} tokens in a row", order).format(n=order) for order in ORDERS
    }
    if matches[0].n_matched < sum(each.n_candidate for each in matches[0].counts if each.n_reference):
        legend["clipped"] = _("clipped: more often than in a reference")
    matched_tokens(rows, legend, key="ev_bleu", factors=_factors(found))


def _marked(
    tokens: tuple[str, ...], places: list[tuple[int, ...]], known: set[str] | None = None
) -> list[MatchedToken]:
    """Tokens with the lengths of the matched n-grams that they stand in."""
    orders: list[list[int]] = [[] for _token in tokens]
    for order, starts in zip(ORDERS, places, strict=True):
        for at in sorted({at + i for at in starts for i in range(order)}):
            orders[at].append(order)
    return [
        MatchedToken(token, tuple(lengths), known is not None and token in known and 1 not in lengths)
        for token, lengths in zip(tokens, orders, strict=True)
    ]


def _factors(found: Bleu) -> list[Factor]:
    """The product: mean precision of the n-grams, penalty, score."""
    counted = [order for order in ORDERS if found.n_total[order - 1]]
    factors = [
        Factor(
            "×" if order > 1 else "",
            f"p{order}",
            f"{found.precisions[order - 1]:.1f} %",
            f"{found.n_matched[order - 1]} / {found.n_total[order - 1]}",
        )
        for order in counted
    ]
    if len(counted) > 1:
        told = _("root of order {n}").format(n=len(counted))
        factors.append(Factor("→", _("mean"), f"{found.mean_precision:.1f} %", told))
    lengths = f"{found.n_candidate} : {found.n_reference}"
    factors.append(Factor("×", _("brevity penalty"), f"{found.brevity_penalty:.3f}", lengths))
    factors.append(Factor("=", "BLEU", f"{found.score:.1f}", _("of 100")))
    return factors


def _told(found: Bleu, unigrams: NgramMatches) -> str:
    """The score in words: precision, smoothing, penalty, the word that is clipped most."""
    if not found.n_candidate:
        return _("The candidate has no tokens: BLEU is 0.")
    if not any(found.n_matched):
        return _("Not one token of the candidate stands in a reference: BLEU is 0, however good it is.")
    told = _("BLEU {score:.1f} of 100: the mean precision is {mean:.1f} %").format(
        score=found.score, mean=found.mean_precision
    )
    if found.brevity_penalty < 1:
        rest = _("and the brevity penalty leaves {share:.1%} of it (tokens: {n} against {of}).")
        told = (
            f"{told}, {rest.format(share=found.brevity_penalty, n=found.n_candidate, of=found.n_reference)}"
        )
    else:
        told = f"{told}, {_('and it is not too short, so that nothing is taken from it.')}"
    most = max(unigrams.counts, key=lambda one: one.n_clipped)
    if most.n_clipped:
        words = _("Clipped: {token} stands there {n}× and counts {k}×.")
        told += " " + words.format(token=strong(most.tokens[0]), n=most.n_candidate, k=most.n_matched)
    if any(n and not k for n, k in zip(found.n_total, found.n_matched, strict=True)):
        told += " " + _("Where nothing matches, sacrebleu counts a part of a match (smoothing “exp”).")
    return told


def _counts(matches: list[NgramMatches]) -> None:
    with st.expander(_("How often does each n-gram count?")):
        columns = {
            "order": _("Tokens"), "ngram": _("N-gram"), "n_candidate": _("In the candidate"),
            "n_reference": _("Most in a reference"), "n_matched": _("Counts"), "n_clipped": _("Clipped"),
        }  # fmt: skip
        table = frames.ngram_counts(matches).rename(columns=columns)
        st.dataframe(table, hide_index=True, key="ev_ngrams", height=240)


def _brevity(texts: Compared, found: Bleu) -> None:
    st.markdown(f"### {_('Why not answer with a few safe words?')}")
    curve = frames.brevity_curve(found.n_candidate, found.n_reference)
    alt = _("BLEU's brevity penalty against the length of the candidate")
    show.show_chart(_picture(state.language()), "ev_brevity", alt, data=curve)
    with compared.reading_libraries():
        recall = rouge(texts.candidate, texts.references)["rouge1"]
    told = _(
        "A candidate of a few frequent words has a high precision. BLEU answers with the penalty, here "
        "{penalty:.3f}; ROUGE with the recall: the candidate has {k} of {n} of the reference's words "
        "({recall:.1%})."
    )
    st.markdown(
        told.format(
            penalty=found.brevity_penalty, n=recall.n_reference, k=recall.n_matched, recall=recall.recall
        )
    )
    code = show.code("brevity", n_candidate=found.n_candidate, n_reference=found.n_reference)
    show.under_picture("brevity", frame=curve, code=code, picture="ev_brevity")


def _tokenizers(texts: Compared) -> None:
    st.markdown(f"### {_('The same texts, cut in another way')}")
    scores = {name: sentence_bleu(texts.candidate, texts.references, name) for name in BLEU_TOKENIZERS}
    about: dict[BleuTokenizer, str] = {
        "13a": _("words; ASCII punctuation is split off; the default"),
        "intl": _("words; punctuation and symbols of all scripts are split off"),
        "char": _("every character; for Korean without a morphological analyser"),
    }
    rows = [
        {
            _("Tokenizer"): name,
            "BLEU": round(found.score, 1),
            _("Tokens of the candidate"): found.n_candidate,
            _("How it cuts"): about[name],
            _("The candidate's first tokens"): " | ".join(bleu_tokens(texts.candidate, name)[:12]),
        }
        for name, found in scores.items()
    ]
    st.dataframe(rows, hide_index=True, key="ev_bleu_tokenizers")
    low, high = (pick(scores, key=lambda name: scores[name].score) for pick in (min, max))
    told = _(
        "From {low:.1f} ({low_name}) to {high:.1f} ({high_name}): a BLEU without the name of its tokenizer "
        "cannot be compared. In Korean a word with another particle is another word; by characters it is "
        "almost the same. (sacrebleu's ko-mecab needs a program that is not installed here.)"
    )
    st.markdown(told.format(low=scores[low].score, low_name=low, high=scores[high].score, high_name=high))


@lru_cache
def _picture(language: str) -> dict[str, Any]:
    words = {
        "ratio": _("length of the candidate / length of the reference"), "penalty": _("brevity penalty"),
        "here": _("this candidate"),
    }  # fmt: skip
    return charts.brevity(words)
