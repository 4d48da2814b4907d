"""POST /v1/embeddings: a vector of length 1 for each text, as the page Embeddings makes it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from playground.core.sentences import sentence_vector
from playground.core.tokens import well_formed
from playground.core.trace import Trace
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.traces import Capture, TraceManyRequest, TraceRequest
from playground.engine.contract.vectors import TracesRequest
from playground.settings import Settings
from playground.v1.asking import Asking
from playground.v1.fields import Fields, list_of
from playground.v1.refusals import bad_value

Ids = tuple[int, ...]
FIELDS: Final = ("model", "input", "encoding_format", "dimensions", "user")


@dataclass(frozen=True, slots=True)
class Embed:
    """A request for vectors.

    Attributes:
        model: Id of an encoder.
        texts: Texts to read; () where `ids` are given.
        ids: Token ids to read as they are, with the marks that frame a text.
        is_packed: True for base64 of float32, little-endian.
        d_model: Numbers of a vector that the client expects; 0 if it does not say.
    """

    model: str
    texts: tuple[str, ...]
    ids: tuple[Ids, ...]
    is_packed: bool
    d_model: int


def read(body: Mapping[str, Any], settings: Settings) -> Embed:
    """The request that a body says.

    Raises:
        Refused: A field is unknown, or its value cannot be.
    """
    fields = Fields(body, FIELDS)
    fields.text("user", "")
    form = fields.choice("encoding_format", "float", ("float", "base64"))
    d_model = fields.whole("dimensions", 0, 1, 10**6) if "dimensions" in fields else 0
    texts, ids = _input(fields)
    limit = settings.max_upload_rows
    if len(texts) + len(ids) > limit:
        raise bad_value("input", f"a list of {len(texts) + len(ids):,}", f"a list of 1-{limit:,}")
    return Embed(fields.text("model"), texts, ids, form == "base64", d_model)


def _input(fields: Fields) -> tuple[tuple[str, ...], tuple[Ids, ...]]:
    given = fields.any("input")
    if isinstance(given, str):
        return (fields.text("input"),), ()
    if given and list_of(given, str):
        return tuple(map(well_formed, given)), ()
    if given and list_of(given, int):
        return (), (tuple(given),)
    if given and list_of(given, list) and all(list_of(one, int) for one in given):
        return (), tuple(map(tuple, given))
    if given is None:
        fields.text("input")
    raise fields.refusal("input", "a text, a list of texts, token ids, or a list of lists of token ids")


def answer(asked: Embed, asking: Asking) -> Iterator[dict[str, Any]]:
    """The one answer."""
    info = asking.model(asked.model)
    asking.require(info, "vectors", "turn a text into a vector")
    if asked.d_model not in (0, info.d_model):
        raise bad_value("dimensions", asked.d_model, f"{info.d_model}, which {asked.model} has,")
    found: dict[int, NDArray[np.float32]] = {}
    n_tokens = 0
    for place, trace in _of_ids(asked, asking, info) if asked.ids else _of_texts(asked, asking, info):
        found[place] = sentence_vector(trace)
        n_tokens += len(trace.input_ids)
    asking.n_tokens += n_tokens
    data = [
        {"object": "embedding", "index": place, "embedding": _form(found[place], asked.is_packed)}
        for place in sorted(found)
    ]
    counts = {"prompt_tokens": n_tokens, "total_tokens": n_tokens}
    yield {"object": "list", "data": data, "model": asked.model, "usage": counts}


def _of_texts(asked: Embed, asking: Asking, info: ModelInfo) -> Iterator[tuple[int, Trace]]:
    """Texts behind the words that the model expects, of long ones the beginning: place and trace."""
    request = TracesRequest(
        asked.model, tuple(info.prefixes.text + text for text in asked.texts), (info.n_layer,),
        info.max_seq_length, owner=asking.owner, topic=asking.topic, request_id=asking.request_id,
    )  # fmt: skip
    for place, one in asking.engine.vectors.traces(request, asking.check):
        asking.check()
        if not isinstance(one, Trace):
            raise one
        yield place, one


def _of_ids(asked: Embed, asking: Asking, info: ModelInfo) -> Iterator[tuple[int, Trace]]:
    """The same of token ids, as many together as the engine takes."""
    most, capture = asking.settings.max_traces_together, Capture(hidden_states=(info.n_layer,))
    for start in range(0, len(asked.ids), most):
        asking.check()
        together = tuple(
            TraceRequest(asked.model, input_ids=ids, capture=capture)
            for ids in asked.ids[start : start + most]
        )
        many = TraceManyRequest(
            asked.model, together, owner=asking.owner, topic=asking.topic, request_id=asking.request_id
        )
        yield from enumerate(asking.engine.trace_many(many, asking.check), start)


def _form(vector: NDArray[np.float32], is_packed: bool) -> list[float] | str:
    if is_packed:
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    found: list[float] = vector.tolist()
    return found
