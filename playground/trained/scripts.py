"""The scripts by the name of what they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from playground.trained import (
    adapters,
    agents,
    alignment,
    chunk_vectors,
    constitution,
    dates_t5,
    document_vectors,
    dpo,
    drift,
    e5_heads,
    e5_masked_head,
    forgetting,
    glue,
    index_measurements,
    pairs,
    pretraining,
    pretraining_compared,
    pretraining_texts,
    quantization,
    scaling,
    ways,
)

# Writes below the folder `assets/trained/`, or one like it, and says how far it is.
Script = Callable[[Path, Callable[[str], None]], None]

SCRIPTS: Mapping[str, Script] = {
    "adapters": adapters.make,
    "adapter-times": adapters.make_times,
    "agents": agents.make,
    "alignment": alignment.make,
    "chunk-vectors": chunk_vectors.make,
    "constitution": constitution.make,
    "dates-t5": dates_t5.make,
    "document-vectors": document_vectors.make,
    "dpo": dpo.make,
    "drift": drift.make,
    "index-measurements": index_measurements.make,
    "e5-masked-head": e5_masked_head.make,
    "forgetting": forgetting.make,
    "glue": glue.make,
    "pretraining": pretraining.make,
    "pretraining-compared": pretraining_compared.make,
    "pretraining-texts": pretraining_texts.make,
    "scaling": scaling.make,
    "quantization": quantization.make,
    "ways": ways.make,
    **{name: partial(e5_heads.make, name) for name in e5_heads.RECIPES},
    **{name: partial(pairs.make, name) for name in pairs.RECIPES},
}
