"""The quantizations of the embedded model that the page Memory shows before anybody measures.

Every one is a quantized copy as the page's own button makes it; perplexity on a text of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from playground.core.heads import kl_bits
from playground.core.measured_quantization import (
    FILE,
    FOLDER,
    SCHEMES,
    Measured,
    MeasuredModel,
    passage,
    written,
)
from playground.core.predictions import perplexity
from playground.core.quantization import Scheme
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.contract.quantization import QuantizedModel, QuantizeRequest
from playground.engine.contract.tokenizers import Tokenizers
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained.note import seal_with_note

SEED = 0  # nothing is drawn
SENTENCE = "The capital of England is"


def make(assets: Path, say: Callable[[str], None]) -> None:
    """Quantize the embedded decoder by every scheme and write the folder `quantization`."""
    engine = create_engine(Settings(device="cpu", torch_threads=1))
    found: list[QuantizedModel] = []
    try:
        for one in quantized(engine, SCHEMES):
            found.append(one)
            say(f"{one.scheme}: perplexity {perplexity(one.logprobs[1]):.2f}, {one.elapsed_s:.1f} s")
        model = measured(found, engine.tokenizers)
    finally:
        engine.close()
    folder = assets / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(written(model), "utf-8")
    figures = {"perplexity": model.perplexity, "p_next": model.p_next, "n_rows": len(model.rows)}
    seal_with_note(folder, script=__name__, seed=SEED, figures=figures, file=FILE)


def quantized(engine: Engine, schemes: Sequence[Scheme]) -> Iterator[QuantizedModel]:
    """The embedded decoder by each scheme."""
    for scheme in schemes:
        request = QuantizeRequest(DEFAULT_DECODER, SENTENCE, passage=passage("en"), scheme=scheme)
        *_progress, last = engine.quantization.quantize(request)
        assert isinstance(last, QuantizedModel)
        yield last


def measured(found: Sequence[QuantizedModel], tokenizers: Tokenizers) -> MeasuredModel:
    """The figures of quantizations of one model."""
    first = found[0]
    assert first.logits is not None
    token = int(first.logits[0].argmax())
    return MeasuredModel(
        model_id=DEFAULT_DECODER,
        revision=first.revision,
        sentence=SENTENCE,
        next_token=_words(tokenizers, token),
        n_tokens=len(first.passage_ids),
        perplexity=perplexity(first.logprobs[0]),
        p_next=_probability(first.logits[0], token),
        n_bytes=first.bytes_before,
        rows=tuple(_row(one, token, tokenizers) for one in found),
    )


def _row(one: QuantizedModel, token: int, tokenizers: Tokenizers) -> Measured:
    assert one.logits is not None
    return Measured(
        scheme=one.scheme,
        perplexity=perplexity(one.logprobs[1]),
        p_next=_probability(one.logits[1], token),
        top=_words(tokenizers, int(one.logits[1].argmax())),
        kl_bits=float(kl_bits(one.logits[0], one.logits[1])),
        bits_a_weight=one.bits_a_weight,
        n_bytes=one.bytes_after,
        error=float(np.mean([matrix.error for matrix in one.matrices])),
    )


def _probability(logits: np.ndarray, token: int) -> float:
    nats = logits.astype(np.float64)
    return float(np.exp(nats[token] - np.logaddexp.reduce(nats)))


def _words(tokenizers: Tokenizers, token: int) -> str:
    return tokenizers.token_texts(DEFAULT_DECODER, (token,))[0]
