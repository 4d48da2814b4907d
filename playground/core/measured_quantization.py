"""Quantizations of the embedded model that come with the playground, and the text they were measured on.

They are made by `playground.trained.quantization`.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from playground.core import shipped_documents
from playground.core.documents import HEADING, TITLE
from playground.core.quantization import BITS, GRANULARITIES, OUTLIERS, Scheme
from playground.paths import site_root

FOLDER, FILE = "quantization", "measured.json"
GROUP = 64
_TEXT = "bicycle"  # of the playground's documents
_CHARS = {"ko": 900}
_MOST_CHARS = 1_700
SCHEMES = tuple(
    Scheme(bits, granularity, GROUP, is_symmetric, outliers).spelled()
    for granularity in GRANULARITIES
    for is_symmetric in (True, False)
    for outliers in (0.0, OUTLIERS)
    for bits in BITS
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One quantization of the linear layers of all blocks.

    Attributes:
        scheme: The rules.
        perplexity: Perplexity of the passage.
        p_next: Probability of the token that the model as it is finds most probable.
        top: The most probable token now.
        kl_bits: KL(before || after) of the next token's distribution, in bits.
        bits_a_weight: Bits of a quantized weight, with scales, zero points and outliers.
        n_bytes: Bytes of the whole model.
        error: Relative error of the weights, mean over the matrices.
    """

    scheme: Scheme
    perplexity: float
    p_next: float
    top: str
    kl_bits: float
    bits_a_weight: float
    n_bytes: int
    error: float


@dataclass(frozen=True, slots=True)
class MeasuredModel:
    """All quantizations of a model, and the model as it is.

    Attributes:
        model_id, revision: The model.
        sentence: Text before the next token.
        next_token: The next token that the model as it is finds most probable.
        n_tokens: Tokens of the passage.
        perplexity, p_next, n_bytes: Those of the model as it is, in float32.
        rows: One a scheme.
    """

    model_id: str
    revision: str
    sentence: str
    next_token: str
    n_tokens: int
    perplexity: float
    p_next: float
    n_bytes: int
    rows: tuple[Measured, ...]

    def of(self, scheme: Scheme) -> Measured | None:
        """The row of a scheme, None if it was not measured."""
        return next((row for row in self.rows if row.scheme == scheme.spelled()), None)


@cache
def passage(language: str) -> str:
    """The text whose perplexity is measured: whole paragraphs of one of our documents, in order.

    Args:
        language: Code of its language; English where it is not in that.
    """
    known = language if language in shipped_documents.languages() else "en"
    text = shipped_documents.document(_TEXT, known).text
    text = HEADING.sub("", TITLE.sub("", text))
    paragraphs = [re.sub(r"\s+", " ", part).strip() for part in text.split("\n\n")]
    kept: list[str] = []
    for paragraph in filter(None, paragraphs):
        if sum(map(len, kept)) >= _CHARS.get(known, _MOST_CHARS):
            break
        kept.append(paragraph)
    return "\n".join(kept)


def written(model: MeasuredModel) -> str:
    """The measurements as JSON."""
    return json.dumps(asdict(model), indent=1, ensure_ascii=False) + "\n"


def read(path: Path) -> MeasuredModel:
    """The measurements of a file."""
    note = json.loads(path.read_text("utf-8"))
    rows = tuple(Measured(**{**row, "scheme": Scheme(**row["scheme"])}) for row in note["rows"])
    return MeasuredModel(**{**note, "rows": rows})


@cache
def shipped() -> MeasuredModel:
    """The measurements that are shipped, read once."""
    return read(site_root() / "assets" / "trained" / FOLDER / FILE)
