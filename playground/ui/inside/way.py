"""The main picture: the model's parts from the tokens up, the guess after every layer, one part opened."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from playground.charts import inside as charts
from playground.core import inside as core
from playground.core import pieces
from playground.core.tables import inside as frames
from playground.engine.contract.inside import Part
from playground.ui import compute, show
from playground.ui.components import inside as picture
from playground.ui.components.inside import Station
from playground.ui.components.token_chips import remember_token, selected_token
from playground.ui.inside import rest
from playground.ui.inside.reading import InsideReading, is_decoder, remembered
from playground.ui.text import _, as_code, plain
from playground.ui.url import put

N_COLUMNS = 10  # positions side by side: a token of eight letters can be read at the back of a room
N_LOGITS = 8  # the largest, written out
N_FIRST = 6  # numbers written out


@st.fragment
def way(reading: InsideReading) -> None:
    """The picture, what it says, and the tensors of the part that was clicked."""
    whole = selected_token(10**5)
    if whole is not None and min(whole, len(reading.tokens) - 1) != reading.position:
        st.rerun()  # a cell of another token was clicked: it is selected on the whole page
    known = stations(reading)
    last_block = f"mlp.{reading.context.model.n_layer - 1}"
    station = remembered("ins_part", [one.id for one in known], last_block)
    st.markdown(_reading_words(reading))
    window = columns(reading)
    tokens = pieces.pieces(reading.tokens)
    box, line = st.container(key="ins_way"), st.container()
    with line:
        cells, wants = _cells(reading, window)
    with box:
        picture.inside(
            known, [(place, tokens[place]) for place in window], cells, position=reading.position,
            station=station, words=_words(reading), on_click=_clicked, wants=wants, on_rest=rest.ask,
        )  # fmt: skip
    if len(window) < len(tokens):
        st.caption(
            _("Tokens {first}-{last} of {n}; select another token to see its neighbours.").format(
                first=window[0] + 1, last=window[-1] + 1, n=len(tokens)
            )
        )
    show.provenance(reading.trace)
    name = "logit_lens" if reading.lens else "residual_stream"
    code = partial(_code, reading, name)
    show.under_picture("inside_way", frame=partial(way_table, reading), code=code, picture="ins_way")
    _open(reading, known, station)


def columns(reading: InsideReading) -> range:
    """The positions shown: the page of N_COLUMNS that holds the selected one."""
    n = len(reading.tokens)
    start = max(0, min(reading.position // N_COLUMNS * N_COLUMNS, n - N_COLUMNS))
    return range(start, min(n, start + N_COLUMNS))


def way_table(reading: InsideReading) -> pd.DataFrame:
    """The numbers of the main picture, every layer and position."""
    if reading.lens is None:
        return frames.cosines(_cosines(reading), reading.labels)
    lens = compute.lens_of(reading.context, reading.tokens.input_ids, None)
    return frames.lens(lens, reading.labels, reading.guesses(lens))


def _cells(reading: InsideReading, window: range) -> tuple[dict[str, Any], str]:
    """Contents of the cells, and the name under which the browser asks for missing ones."""
    if reading.lens is None:
        return picture.cosine_cells(_cosines(reading), window), ""
    lens, wants = rest.known(reading, window)
    return picture.lens_cells(lens, window, reading.guesses(lens)), wants


def _cosines(reading: InsideReading) -> core.Floats:
    return np.stack([reading.stream(place).cosines for place in range(len(reading.tokens))], axis=1)


def _clicked(value: object) -> None:
    if not isinstance(value, dict):
        return
    put("ins_part", str(value.get("station", "")))
    if "position" in value:
        remember_token(value["position"])


# ---------------------------------------------------------------- the parts


def stations(reading: InsideReading) -> list[Station]:
    """The parts of the chosen model in the order a token meets them."""
    found: dict[tuple[str, int | None], Part] = {(part.kind, part.layer): part for part in reading.parts}
    embedding = [found[kind, None] for kind in ("embedding", "positions") if (kind, None) in found]
    made = [_station("embedding", _("embedding"), embedding)]
    for layer in range(reading.context.model.n_layer):
        for kind in ("attention", "mlp"):
            made.append(_station(f"{kind}.{layer}", _kind(kind), [found[kind, layer]]))
    if ("final norm", None) in found:
        made.append(_station("norm", _("final norm"), [found["final norm", None]]))
    if reading.lens is not None:
        made.append(_station("logits", _("logits"), [found["head", None]]))
    return made


def _kind(kind: str) -> str:
    return {"attention": _("attention"), "mlp": "MLP"}[kind]


def _station(name: str, words: str, parts: list[Part]) -> Station:
    n = sum(part.n_parameters for part in parts)
    tensors = [tensor for part in parts for tensor in part.tensors]
    sizes = ", ".join(f"{_short(full)} {'×'.join(map(str, shape))}" for full, shape in tensors)
    layer = name.partition(".")[2]
    place = _("Block {n}, ").format(n=int(layer) + 1) if layer else ""
    told = _("{n:,} parameters").format(n=n) if n else _("the embedding's matrix once more, no parameters")
    about = f"{place}{words}: {told}" + (f" ({sizes})" if sizes else "")
    return Station(name, f"{words} {millions(n)}" if n else words, about, n)


def millions(n: int) -> str:
    """A count of parameters in few characters.

    Example:
        >>> millions(28_311_552), millions(884_736), millions(576)
        ('28.3 M', '0.88 M', '576')
    """
    if n < 100_000:
        return f"{n:,}"
    return f"{n / 1e6:.1f} M" if n >= 10_000_000 else f"{n / 1e6:.2f} M"


def _short(name: str) -> str:
    """The last words of a tensor's name, without `weight`."""
    words = name.removesuffix(".weight").split(".")
    return ".".join(words[-2:]) if words[-1] == "bias" else words[-1]


# ---------------------------------------------------------------- one part opened


def _open(reading: InsideReading, known: list[Station], station: str) -> None:
    """Name, shape and numbers of what a part reads and writes at the selected position."""
    kind, _dot, number = station.partition(".")
    layer = int(number) if number else reading.context.model.n_layer
    about = next(one.about for one in known if one.id == station)
    st.markdown(f"## {_('What does this part read and write?')}")
    st.markdown(f"{plain(about)}")
    rows = vectors(reading, kind, layer)
    table = frames.tensors({vector.words: vector.numbers for vector in rows})
    alt = _("The numbers of each vector as a strip")
    show.show_chart(_strips(reading.context.language), "ins_part_picture", alt, data=table)
    st.dataframe(_first_numbers(rows), hide_index=True, key="ins_part_numbers")
    if kind == "logits":
        _top_logits(reading)
    show.provenance(reading.trace, layer=layer + 1 if number else None)
    code = _code(reading, "residual_stream")
    show.under_picture("inside_part", frame=table, code=code, picture="ins_part_picture")


class Vector(NamedTuple):
    """A vector that a part reads or writes at one position.

    Attributes:
        words: Name of the vector in the reader's language.
        name: In the words of the library and of `core.trace`.
        numbers: Shape [d_model].
    """

    words: str
    name: str
    numbers: core.Floats


def vectors(reading: InsideReading, kind: str, layer: int) -> list[Vector]:
    """The vectors a part reads and writes; state + write = state in models that norm before their parts."""
    stream, place, n_layer = reading.stream(), reading.position, reading.context.model.n_layer
    end = Vector(_("after the final norm"), f"hidden_states[{n_layer}][{place}]", stream.final)

    def state(at: int) -> Vector:
        last = at == n_layer and is_decoder(reading.context)
        name = f"norm.input[{place}]" if last else f"hidden_states[{at}][{place}]"
        return Vector(_("state after layer {n}").format(n=at), name, stream.states[at])

    if kind == "embedding":
        return [state(0)]
    if kind in ("norm", "logits"):
        return [state(n_layer), end] if is_decoder(reading.context) else [end]
    if stream.attention is None or stream.mlp is None:
        return [state(layer), state(layer + 1)]
    wrote, source = (stream.mlp, "mlp") if kind == "mlp" else (stream.attention, "attn")
    write = Vector(
        _("{part} writes").format(part=_kind(kind)), f"{source}_out[{layer}][{place}]", wrote[layer]
    )
    if not is_decoder(reading.context):
        return [state(layer), write, state(layer + 1)]
    sum_name = f"hidden_states[{layer}] + attn_out[{layer}]"
    between = Vector(_("state between"), sum_name, stream.states[layer] + stream.attention[layer])
    return [state(layer), write, between] if kind == "attention" else [between, write, state(layer + 1)]


def _first_numbers(rows: list[Vector]) -> pd.DataFrame:
    """Shape, length and the first numbers of each vector."""
    return pd.DataFrame(
        [
            {
                _("vector"): row.words,
                **{str(i): f"{value:z.3f}" for i, value in enumerate(row.numbers[:N_FIRST])},
                _("length"): f"{np.linalg.norm(row.numbers):.5g}",
                _("shape"): f"[{len(row.numbers)}]",
                _("tensor"): row.name,
            }
            for row in rows
        ]
    )


def _top_logits(reading: InsideReading) -> None:
    lens = reading.lens_here()
    assert lens.logits is not None
    best = lens.top_ids[-1, 0, :N_LOGITS].tolist()
    said = [
        f"{as_code(label)} {lens.logits[-1, token]:z.3f}" for token, label in reading.named_here(best).items()
    ]
    words = _("logits [{d_vocab:,}], the largest: {best}")
    st.markdown(words.format(d_vocab=lens.logits.shape[-1], best=", ".join(said)))


# ---------------------------------------------------------------- words


def _reading_words(reading: InsideReading) -> str:
    """The picture in words."""
    model, token = reading.context.model, as_code(reading.labels[reading.position])
    if reading.lens is None:
        return _(
            "{model} predicts no next token from a single causal stack: no logits to read early. Each "
            "number is the cosine of the state after that layer and the last state of its token; for the "
            "lens, attribution and patching choose a decoder."
        ).format(model=plain(model.name))
    ranks = reading.lens.answer_ranks[:, 0]
    (answer,) = reading.named_here([int(reading.lens.answer_ids[0])]).values()
    settled = core.settled_layer(ranks)
    told = (
        _(
            "After {token}, {answer} ({p:.1%}) is the best guess for good from layer **{layer}** of "
            "{n_layer} on (0 is the embedding). In the embedding its rank is {start:,} of {d_vocab:,}; "
            "after layer {half} it is {middle:,}."
        )
        if settled
        else _(
            "After {token}, {answer} ({p:.1%}) is the best guess in the embedding (layer **0**) and stays it."
        )
    )
    half = len(ranks) // 2
    return told.format(
        token=token, answer=as_code(answer), p=float(reading.lens.answer_probs[-1, 0]),
        layer=settled, n_layer=model.n_layer, start=int(ranks[0]) + 1, d_vocab=model.d_vocab, half=half,
        middle=int(ranks[half]) + 1,
    )  # fmt: skip


def _words(reading: InsideReading) -> dict[str, str]:
    return {
        "picture": _(
            "The parts of the model from bottom to top, beside them the best guess after each layer"
        ),
        "cell": _(
            "Layer {layer}, after “{token}” (position {position}): {guesses}. "
            "The final answer “{answer}” has rank {rank} here."
        ),
        "pending": _("“{token}” (position {position}): its column is being computed."),
        "cosine": _("Layer {layer}, “{token}” (position {position}): cosine to its last state {value}"),
        "amount": _("probability of the guess") if reading.lens else _("cosine to the last state"),
        "answer": _("bold, with a blue mark: the final answer of its column"),
    }


def _code(reading: InsideReading, name: str) -> str:
    folder = show.model_folder(reading.context.model.model_id)
    ids = list(reading.tokens.input_ids)
    places = show.places(reading.context.model, "final_norm")
    return show.code(name, folder=folder, input_ids=ids, position=reading.position, **places)


@lru_cache
def _strips(language: str) -> dict[str, Any]:
    return charts.strips(
        {"dimension": _("Dimension"), "value": _("Value"), "scaled": _("Value / typical value")}
    )
