"""The reader's own predictions: texts with BLEU, ROUGE and more a row, or labels with their confusion."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.charts import metrics as charts
from playground.core.files import prediction_rows as files
from playground.core.files.prediction_rows import Prediction, PredictionFile
from playground.core.files.table import csv_bytes
from playground.core.metrics.bleu import BLEU_TOKENIZERS
from playground.core.metrics.predictions import SCORES, TIMES_100, Summary
from playground.core.metrics.rouge import ROUGE_TOKENIZERS
from playground.core.tables import own_predictions as frames
from playground.ui import file_preview, show, state
from playground.ui.choose import choose
from playground.ui.evaluation import own_labels, own_scores, scored_answers
from playground.ui.evaluation.own_scores import Scored
from playground.ui.file_preview import ColumnWanted, FileKind
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import _, ngettext
from playground.ui.translations import localized

FILE = "ev_predictions"
NAMES = {
    "bleu": "BLEU", "chrf": "chrF", "rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L",
}  # fmt: skip
outlives_reload(FILE)


def panel(context: PageContext) -> None:
    """Draw the field for a file, and what its rows are worth."""
    st.markdown(f"## {_('How good are my own predictions?')}")
    file = _file(context)
    kinds = {"texts": _("as texts"), "labels": _("as labels")}
    if own_labels.are_labels(file.predictions):
        kinds = dict(reversed(kinds.items()))
    place = st.container(horizontal=True, vertical_alignment="center")
    with place:
        st.caption(_("Score them"), width="content")
        kind = choose("ev_own_as", kinds, _("Score them"))
    if kind == "labels":
        own_labels.draw(file.predictions)
    else:
        _texts(file.predictions, place)


def _file(context: PageContext) -> PredictionFile:
    """The reader's file, or ours until there is one."""
    limits = state.settings()
    most = limits.max_predictions
    label = _(
        "Predictions: .csv or .jsonl (columns `reference`, `candidate`, perhaps `reference_2`), up to {n:,} "
        "rows"
    )
    file_preview.field(
        FileKind(
            "ev_predictions_upload",
            label.format(n=most),
            files.SUFFIXES,
            lambda name, data, options: files.read_predictions(
                name, data, options, max_bytes=limits.max_upload_bytes, max_rows=most,
                max_chars=limits.max_prediction_chars,
            ),
            count,
            _take,
            _("Score this file"),
            parts=(
                ColumnWanted(_("Column of another reference"), is_optional=True),
                ColumnWanted(_("Column of the reference")),
                ColumnWanted(_("Column of the candidate")),
            ),
            columns=files.columns,
            max_rows=most,
        )
    )  # fmt: skip
    file_preview.offer_sample("predictions.csv", key="ev_predictions_sample")
    own: PredictionFile | None = st.session_state.get(FILE)
    if own is None:
        st.caption(_("Until there is a file of yours, these are the rows of the sample file."))
        return _sample(context.language)
    st.success(count(own))
    file_preview.say_left_out(own, most)
    return own


def _take(_name: str, file: PredictionFile) -> None:
    st.session_state[FILE] = file


def count(file: PredictionFile) -> str:
    """The number of predictions in words."""
    n = len(file.predictions)
    return ngettext("{n:,} prediction was read.", "{n:,} predictions were read.", n).format(n=n)


def _texts(predictions: Sequence[Prediction], place: DeltaGenerator) -> None:
    sample = " ".join(one.references[0] for one in predictions[:20])
    usual_bleu, usual_rouge = scored_answers.tokenizers_of(sample)
    bleu_names: dict[str, str] = {name: name for name in _first(usual_bleu, BLEU_TOKENIZERS)}
    words = {"words": _("words of any script"), "syllables": _("syllables"), "ascii": _("rouge-score's own")}
    rouge_names = {name: words[name] for name in _first(usual_rouge, ROUGE_TOKENIZERS)}
    with place, st.popover(_("Tokenizers"), icon=":material/content_cut:", key="ev_own_tokenizers"):
        st.caption(_("Tokenizer of sacrebleu"))
        chosen = choose("ev_own_bleu", bleu_names, _("Tokenizer of sacrebleu"))
        st.caption(_("Tokenizer of ROUGE"))
        cut = choose("ev_own_rouge", rouge_names, _("Tokenizer of ROUGE"))
    by_bleu = next(name for name in BLEU_TOKENIZERS if name == chosen)
    by_rouge = next(name for name in ROUGE_TOKENIZERS if name == cut)
    found = own_scores.scored(predictions, by_bleu, by_rouge)
    if found is None:
        return
    _picture(predictions, found)
    code = show.code(
        "own_predictions", references=[list(one.references) for one in predictions],
        candidates=[one.candidate for one in predictions], bleu_tokenizer=by_bleu, rouge_tokenizer=by_rouge,
    )  # fmt: skip
    table = frames.rows(predictions, found.rows)
    show.under_picture("own_predictions", frame=table, code=code, picture="ev_own_histogram")
    _tables(predictions, found)


def _first(name: str, names: Sequence[str]) -> list[str]:
    """The names, this one first."""
    return [name, *(one for one in names if one != name)]


def _picture(predictions: Sequence[Prediction], found: Scored) -> None:
    names = {name: NAMES[name] for name in SCORES if name in NAMES}
    name = choose("ev_own_metric", names, _("Score"))
    most = 100 if name in TIMES_100 else 1
    alt = _("Number of rows by their score")
    spec = _histogram(state.language(), NAMES[name], most)
    show.show_chart(spec, "ev_own_histogram", alt, data=frames.histogram(found.rows, name))
    st.markdown(_told(predictions, found, name))


def _told(predictions: Sequence[Prediction], found: Scored, name: str) -> str:
    """The score of all rows with its interval, and the weakest row by its number."""
    total = next(one for one in found.summaries if one.name == name)
    told = _("{name} of all rows together: {value}, with 95 % between {low} and {high}.").format(
        name=NAMES[name], n=len(predictions), **_numbers(total)
    )
    if name == "bleu":
        more = _("It is the BLEU of the corpus, not the mean of the rows, {mean:.1f}.")
        told = f"{told} {more.format(mean=total.mean)}"
        if total.mean > 0 and not total.value:
            told += " " + _(
                "It is 0 because no candidate has 4 pieces, and it counts runs of 1 to 4; a short row alone "
                "is scored by the runs it has."
            )
    values = [row.scores[name] for row in found.rows]
    worst = min(range(len(values)), key=values.__getitem__)
    if values[worst] < max(values):
        weakest = _("The weakest is row {row} of the file.")
        told = f"{told} {weakest.format(row=predictions[worst].row)}"
    empty = sum(not one.candidate for one in predictions)
    if empty:
        nothing = ngettext(
            "{n} candidate is empty and scores 0.", "{n} candidates are empty and score 0.", empty
        )
        told = f"{told} {nothing.format(n=empty)}"
    return told


def _numbers(total: Summary) -> dict[str, str]:
    digits = 1 if total.name in TIMES_100 else 3
    return {name: f"{getattr(total, name):.{digits}f}" for name in ("value", "low", "high")}


def _tables(predictions: Sequence[Prediction], found: Scored) -> None:
    names = NAMES | {
        "exact": _("Exact match"), "word_f1": _("F1 of words"), "character_f1": _("F1 of characters"),
    }  # fmt: skip
    st.markdown(f"### {_('Report')}")
    report = frames.report(found.summaries, found.signature)
    shown = report.assign(score=report["score"].map(names)).drop(columns="mean_of_rows").round(3)
    columns = {
        "score": _("Score"), "value": _("All rows"), "low": _("95 % from"), "high": _("to"),
        "signature": _("Signature"),
    }  # fmt: skip
    st.dataframe(shown.rename(columns=columns), hide_index=True, key="ev_own_report")
    st.download_button(
        _("Download the report"), lambda: csv_bytes(report), "report.csv", "text/csv", on_click="ignore",
        key="ev_own_report_csv", icon=":material/download:",
    )  # fmt: skip
    st.markdown(f"### {_('Row by row')}")
    rows = frames.rows(predictions, found.rows).round(3)
    columns = {"row": _("Row"), "reference": _("Reference"), "candidate": _("Candidate"), **names}
    st.dataframe(rows.rename(columns=columns), hide_index=True, key="ev_own_rows", height=300)


@lru_cache
def _sample(language: str) -> PredictionFile:
    data = localized(language, "samples", "predictions.csv").read_bytes()
    return files.read_predictions("predictions.csv", data)


@lru_cache
def _histogram(language: str, name: str, most: int) -> dict[str, Any]:
    return charts.histogram({"score": name, "rows": _("rows")}, most=most)
