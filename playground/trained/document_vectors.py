"""Vectors of chunks and questions of the shipped documents: the first search needs no model in memory.

The page Retrieval finds them by the text they are of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer, logging

from playground.core import shipped_documents as shipped
from playground.core.chunks import Chunking, boundaries, cut
from playground.engine.models.catalogue import catalogue, model_folder
from playground.engine.models.whole_folder import origin
from playground.engine.retrieval.known import FOLDER, TextVector, write_shipped
from playground.settings import MULTILINGUAL_ENCODER, Settings
from playground.trained.note import seal_with_note

MAX_TOKENS = 512


def texts() -> Iterator[str]:
    """Chunks of all documents as the page cuts them at first, and all questions, each with its prefix."""
    prefixes = catalogue(Settings())[MULTILINGUAL_ENCODER].prefixes
    for language in shipped.languages():
        for name in shipped.names():
            text = shipped.document(name, language).text
            yield from (prefixes.text + text[a:b].strip() for a, b in cut(boundaries(text), Chunking()))
            yield from (prefixes.query + one.text for one in shipped.questions(name, language))


def read(wanted: list[str], tell: Callable[[str], None]) -> dict[str, TextVector]:
    """The vector of each text, read alone by plain transformers."""
    folder = model_folder(MULTILINGUAL_ENCODER, Settings())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    logging.set_verbosity_error()  # a head that the folder has and this needs not
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    found = {}
    for number, text in enumerate(wanted):
        ids = tokenizer(text, return_tensors="pt", truncation=True, max_length=MAX_TOKENS).input_ids
        with torch.no_grad():
            mean = model(ids).last_hidden_state[0].mean(0).numpy()
        is_cut = len(tokenizer(text).input_ids) > MAX_TOKENS
        found[text] = TextVector(mean / np.linalg.norm(mean), ids.shape[1], is_cut)
        if number % 50 == 0:
            tell(f"{number} of {len(wanted)}")
    return found


def make(target: Path, tell: Callable[[str], None]) -> None:
    """Write `document-vectors` below `target`."""
    found = read(list(dict.fromkeys(texts())), tell)
    revision = str(origin(model_folder(MULTILINGUAL_ENCODER, Settings())).get("revision", ""))
    write_shipped(target / FOLDER, MULTILINGUAL_ENCODER, revision, found)
    seal_with_note(
        target / FOLDER, script=__name__, seed=0, figures={"n_texts": len(found)},
    )  # fmt: skip
