"""One line from text to next token: the picture of the home page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from playground.core import journey, pieces
from playground.ui.components import script, style
from playground.ui.components.journey.reading import alt, reading
from playground.ui.components.journey.scene import Scene, percent
from playground.ui.text import _, ngettext

_HTML = '<div class="journey"></div><div class="about"></div><div class="legend"></div>'
_PICTURE = st.components.v2.component(
    "playground.journey",
    html=_HTML,
    css=style("journey/journey"),
    js=script("journey/fitting", "journey/journey", "journey/tall"),
)
__all__ = ["Scene", "journey_picture", "percent", "reading"]
_PAGES = ("home", "tokenization", "embeddings", "attention", "sampling")  # a station leads to its page


def journey_picture(scene: Scene) -> None:
    """Draw the line; a click on a station goes to its page."""
    _PICTURE(key="journey", data=picture_data(scene))


def picture_data(scene: Scene) -> dict[str, Any]:
    """The data the browser draws, as plain values and finished words."""
    shown = scene.journey
    return {
        "stations": _stations(scene),
        "text": _shown_text(scene.tokenization.text),
        "rows": _rows(scene),
        "core": _core(scene),
        "next": _next(scene) if shown.next else [],
        "vector": _sentence(shown.sentence) if shown.sentence is not None else [],
        "say": {
            "picture": alt(scene),
            "hint": _(
                "Point at or tap any part, or move through it with the arrow keys, to read its numbers."
            ),
            "legend": _legend(scene),
        },
    }


def _legend(scene: Scene) -> list[list[str]]:
    """The legend of the colours: class of the part they fill, and its words."""
    shown = scene.journey
    legend = [["plus", _("number above 0")], ["minus", _("number below 0")]]
    if shown.attention:
        legend.append(["look", _("attention weight: wider is more")])
    if shown.next:
        legend.append(["bar", _("probability: wider is more")])
    return legend


def _stations(scene: Scene) -> list[dict[str, Any]]:
    shown, n_tokens = scene.journey, len(scene.tokenization)
    n_chars, n_dims = len(scene.tokenization.text), shown.vectors.shape[1]
    end = _("Next token") if shown.next else _("Sentence vector")
    notes = [
        (_("Text"), ngettext("{n:,} character", "{n:,} characters", n_chars).format(n=n_chars)),
        (_("Tokens"), ngettext("{n:,} token", "{n:,} tokens", n_tokens).format(n=n_tokens)),
        (_("Vectors"), _("first {n} of {total:,} numbers").format(n=n_dims, total=scene.model.d_model)),
        (_("Attention"), _attention_note(scene)),
        (end, _end_note(scene)),
    ]
    return [
        {"title": title, "note": note, "href": _link(page, scene)}
        for page, (title, note) in zip(_PAGES, notes, strict=True)
    ]


def _link(page: str, scene: Scene) -> str | None:
    """Address of a page with the sentence in it; None where nothing is on it."""
    leads_on = page != "home" and (page != "sampling" or scene.journey.next is not None)
    if not leads_on:
        return None
    carry = {"text": scene.tokenization.text, "model": scene.model.model_id, "lang": scene.language}
    return f"{page}?{urlencode(carry)}"


def _attention_note(scene: Scene) -> str:
    row = scene.journey.attention
    if row is None:
        return _("not drawn for this text")
    return _("layer {layer}, head {head}").format(layer=row.layer + 1, head=row.head + 1)


def _end_note(scene: Scene) -> str:
    following = scene.journey.next
    if following is None:
        n = len(scene.tokenization)
        return ngettext("mean of {n:,} token", "mean of {n:,} tokens", n).format(n=n)
    return _("out of {n:,}").format(n=following.n_rest + len(following.token_ids))


def _core(scene: Scene) -> dict[str, Any]:
    query = journey.query_position(scene.tokenization.special)
    n_layer, n_head = scene.model.n_layer, scene.model.n_head
    shared = [g.text for g in pieces.groups(scene.tokenization) if g.start <= query < g.stop]
    return {
        "label": pieces.pieces(scene.tokenization)[query].bare,
        "lines": [
            *(f"({text})" for text in shared),
            ngettext("{n} layer", "{n} layers", n_layer).format(n=n_layer),
            ngettext("× {n} head", "× {n} heads", n_head).format(n=n_head),
        ],
    }


def _rows(scene: Scene) -> list[dict[str, Any]]:
    row, tokenization = scene.journey.attention, scene.tokenization
    query = journey.query_position(tokenization.special)
    weights = None if row is None else row.weights
    lines = journey.rows(len(tokenization), query, weights, scene.selected)
    labels = pieces.pieces(tokenization)
    of = {i: group.text for group in pieces.groups(tokenization) for i in range(group.start, group.stop)}
    return [
        _token_row(scene, line.start, labels[line.start], of.get(line.start, ""), query)
        if line.is_single
        else _gap_row(line, weights)
        for line in lines
    ]


def _token_row(scene: Scene, position: int, piece: pieces.Piece, of: str, query: int) -> dict[str, Any]:
    tokenization, row = scene.tokenization, scene.journey.attention
    weight = None if row is None else float(row.weights[position])
    values = scene.journey.vectors[position]
    facts = [
        f"{piece.bare} ({of})" if of else piece.label,
        _("token {n} of {total}").format(n=position + 1, total=len(tokenization)),
        _("id {id}").format(id=tokenization.input_ids[position]),
        _("vector {numbers} …").format(numbers="  ".join(f"{value:+z.3f}" for value in values)),
    ]
    if weight is not None:
        facts.append(_("attention {percent}").format(percent=percent(weight)))
    return {
        "label": piece.bare,
        "kind": piece.kind,
        "of": of,
        "id": tokenization.input_ids[position],
        "weight": weight,
        "percent": "" if weight is None else percent(weight),
        "values": [round(float(value), 4) for value in values],
        "query": position == query,
        "selected": position == scene.selected,
        "about": "  ·  ".join(facts),
    }


def _gap_row(line: journey.JourneyRow, weights: np.ndarray[Any, Any] | None) -> dict[str, Any]:
    n = line.stop - line.start
    weight = None if weights is None else float(weights[line.start : line.stop].sum())
    label = ngettext("⋯ {n} token", "⋯ {n} tokens", n).format(n=n)
    facts = [_("tokens {start} to {stop}").format(start=line.start + 1, stop=line.stop)]
    if weight is not None:
        facts.append(_("attention {percent} together").format(percent=percent(weight)))
    return {
        "label": label,
        "kind": "gap",
        "of": "",
        "id": 0,
        "weight": weight,
        "percent": "" if weight is None else percent(weight),
        "values": None,
        "query": False,
        "selected": False,
        "about": "  ·  ".join([label, *facts]),
    }


def _next(scene: Scene) -> list[dict[str, Any]]:
    following = scene.journey.next
    if following is None:
        return []
    named = [
        {
            "label": (piece := pieces.piece(token, b"")).label,
            "kind": piece.kind,
            "p": float(p),
            "percent": percent(float(p)),
            "about": "  ·  ".join([piece.label, _("id {id}").format(id=token_id), f"p = {p:.4f}"]),
        }
        for token, token_id, p in zip(scene.next_tokens, following.token_ids, following.probs, strict=True)
    ]
    if not following.n_rest:
        return named
    others = _("all {n:,} others").format(n=following.n_rest)
    share = percent(following.rest)
    rest = {
        "label": others,
        "kind": "rest",
        "p": following.rest,
        "percent": share,
        "about": f"{others}  ·  {share}",
    }
    return [*named, rest]


def _sentence(vector: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    return [
        {"value": float(value), "number": f"{value:+z.3f}", "about": f"[{i}]  {value:+z.5f}"}
        for i, value in enumerate(vector[: journey.N_DIMENSIONS])
    ]


def _shown_text(text: str) -> str:
    """The text as it is, line ends marked, unseen characters named."""
    return "".join(
        "⏎\n" if char in {"\n", "\r\n"} else char if char == " " else pieces.visible(char)
        for char in pieces.characters(text)
    )
