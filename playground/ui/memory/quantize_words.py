"""The names of quantization's settings."""

from __future__ import annotations

from playground.core.quantization import Scheme
from playground.ui.text import N_, _

GRANULARITIES = {
    "tensor": N_("a whole matrix"),
    "channel": N_("a channel (a row)"),
    "group": N_("a group of a row"),
}


def scheme_words(scheme: Scheme, *, whole: bool) -> dict[str, object]:
    """Name of each setting -> its value, in the reader's language."""
    told = {
        _("bits"): scheme.bits,
        _("one scale for"): _(GRANULARITIES[scheme.granularity]),
        _("zero point"): _("without") if scheme.is_symmetric else _("with"),
        _("outliers"): _("kept in float16") if scheme.outliers else _("quantized too"),
        _("quantized"): _("blocks, embeddings and head") if whole else _("linear layers of the blocks"),
    }
    if scheme.granularity == "group":
        told[_("weights of a group")] = scheme.group
    return told
