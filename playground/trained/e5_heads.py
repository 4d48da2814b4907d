"""Task heads on the frozen E5: praise and blame, and the names in a text, English and Korean.

They are trained by the page's own learner on the training part of the page's own sets, so a reader who trains
one again gets the same figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from playground.core.byte_cache import ByteCache
from playground.core.jobs.items import NamesItem, read_names
from playground.core.jobs.names import bio_labels, labels_of_words, words_of_tokens
from playground.core.labelled_sets import LabelledItem, Split, read_labelled_set
from playground.core.metrics.entities import entity_scores
from playground.engine.contract.task_heads import HeadExample, HeadRequest, HeadSettings, LabelledText
from playground.engine.models.catalogue import catalogue
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.loading import load
from playground.engine.task_heads.cutting import Cut, example
from playground.engine.task_heads.trained import SHIPPED, WEIGHTS, TrainedHead
from playground.engine.training.head_learner import HeadLearner
from playground.engine.training.head_slot import HeadSlot
from playground.paths import site_root
from playground.settings import MULTILINGUAL_ENCODER, Settings
from playground.trained.note import seal_with_note

SENTIMENT, NAMES = SHIPPED
LANGUAGES = ("en", "ko")
SEED = 0
KINDS = ("PER", "ORG", "LOC", "DATE")
_CHUNK = 256  # tokens that are read at once
_TOLD = 50  # steps between two lines

RECIPES: Mapping[str, HeadSettings] = {
    SENTIMENT: HeadSettings(
        MULTILINGUAL_ENCODER, SENTIMENT, n_steps=200, seed=SEED, labels=("negative", "positive")
    ),
    NAMES: HeadSettings(
        MULTILINGUAL_ENCODER, NAMES, n_steps=300, seed=SEED, task="words", labels=bio_labels(KINDS),
        inverse_penalty=50.0,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Texts:
    """The texts of one head, as the encoder reads them.

    Attributes:
        train: Texts to learn from, of all languages.
        held_out: Texts to be measured on, by language.
    """

    train: tuple[HeadExample, ...]
    held_out: Mapping[str, tuple[HeadExample, ...]]


def make(name: str, folder: Path, tell: Callable[[str], None]) -> None:
    """Train a head and write it below a folder, with its figures.

    Args:
        name: One of `RECIPES`.
        folder: `assets/trained/`, or one like it.
        tell: Is told how far it is.
    """
    encoder = read_encoder(Settings(HF_HUB_OFFLINE=True))
    texts = read_texts(name, encoder)
    head = None
    for head, loss in trained(RECIPES[name], texts.train, encoder):
        tell(f"step {head.step}: loss {loss:.4f}")
    assert head is not None
    found = measured(head, texts, encoder)
    head = replace(head, figures=found, trained_on=sorted(one.fingerprint for one in texts.train))
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / WEIGHTS).write_bytes(head.file())
    seal_with_note(folder / name, script=__name__, seed=SEED, figures=found)
    tell(f"{name}: {found}")


def read_encoder(settings: Settings) -> LoadedModel:
    """The encoder that the heads are for."""
    return load(catalogue(settings)[MULTILINGUAL_ENCODER], settings, lambda _message, _share: None)


def read_texts(name: str, encoder: LoadedModel) -> Texts:
    """The texts of a head from the page's own sets."""
    folder, cut = site_root() / "assets" / "samples" / "jobs", partial(_cut, RECIPES[name], encoder)
    part: Callable[[Split, Sequence[str]], Sequence[LabelledItem | NamesItem]]
    if name == SENTIMENT:
        part = read_labelled_set((folder / "classification.json").read_text("utf-8")).part
    else:
        items = read_names((folder / "ner.json").read_text("utf-8"))

        def part(split: Split, languages: Sequence[str]) -> Sequence[NamesItem]:
            return [one for one in items if one.split == split and one.language in languages]

    held_out = {language: cut(part("held_out", [language])) for language in LANGUAGES}
    return Texts(cut(part("train", LANGUAGES)), held_out)


def _cut(
    asked: HeadSettings, encoder: LoadedModel, items: Sequence[LabelledItem | NamesItem]
) -> tuple[HeadExample, ...]:
    limits = Settings(HF_HUB_OFFLINE=True)
    return tuple(example(encoder, asked, _labelled(one, encoder), limits) for one in items)


def _labelled(item: LabelledItem | NamesItem, encoder: LoadedModel) -> LabelledText:
    if isinstance(item, LabelledItem):
        return LabelledText(item.texts, item.label)
    words = words_of_tokens(item.text, encoder.tokenizer.tokenize(item.text).offsets)
    return LabelledText((item.text,), labels_of_words(words, item.names), words)


def trained(
    asked: HeadSettings, train: tuple[HeadExample, ...], encoder: LoadedModel
) -> Iterator[tuple[TrainedHead, float]]:
    """The head, and the loss before its last step, after so many steps each and at the end."""
    asked = replace(asked, batch_size=len(train))
    slot = HeadSlot(HeadRequest(asked, train, ()), encoder)
    learner = HeadLearner([slot], ByteCache(Settings(HF_HUB_OFFLINE=True).head_vector_bytes), _CHUNK, _nobody)
    for step in range(1, asked.n_steps + 1):
        [loss] = learner.step([train])
        if step % _TOLD == 0 or step == asked.n_steps:
            yield slot.snapshot(step, 0), loss


def _nobody() -> None:
    """Nobody waits."""


@torch.no_grad()
def measured(head: TrainedHead, texts: Texts, encoder: LoadedModel) -> dict[str, float]:
    """Accuracy, or F1 over names, on the held-out texts of each language."""
    labels, found = head.settings.labels, dict[str, float]()
    for language, held_out in texts.held_out.items():
        cuts = [Cut(one.input_ids, one.segments, one.places) for one in held_out]
        told = [answer.argmax(-1).tolist() for cut in cuts for answer in head.answers(encoder, [cut])]
        right = [[int(target) for target in one.targets] for one in held_out]
        if head.settings.task == "words":
            named = [[[labels[one] for one in text] for text in side] for side in (right, told)]
            found[f"f1_{language}"] = entity_scores(*named).f1
        else:
            hits = sum(a == b for a, b in zip(right, told, strict=True))
            found[f"accuracy_{language}"] = hits / len(held_out)
        found[f"n_{language}"] = len(held_out)
    return found
