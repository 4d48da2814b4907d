"""Labelled texts as an encoder reads them: token ids, parts of a pair, the first token of each word."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass

from playground.core.tokens import Tokenization
from playground.engine.contract.task_heads import HeadExample, HeadSettings, HeadTask, LabelledText, Span
from playground.engine.models.loaded import LoadedModel
from playground.errors import BadValue, EmptyText, Message, TextTooLong, TooManyTokens, Unsupported
from playground.settings import Settings


@dataclass(frozen=True, slots=True)
class Cut:
    """A text, or two, as an encoder reads it.

    Attributes:
        input_ids: Token ids with their frame.
        segments: Part of the pair of each token; () where the model has no embeddings for that.
        places: First token of each word, None where it has none.
    """

    input_ids: tuple[int, ...]
    segments: tuple[int, ...] = ()
    places: tuple[int | None, ...] = ()


def require_encoder(loaded: LoadedModel) -> None:
    """Refuse a model whose states are not those of an encoder.

    Raises:
        Unsupported.
    """
    if loaded.info.kind != "encoder" or "hidden_states" not in loaded.info.capabilities:
        raise Unsupported(model_id=loaded.info.name, capability=Message("vectors for a task head"))


def cut(
    loaded: LoadedModel,
    task: HeadTask,
    texts: Sequence[str],
    words: Sequence[Span],
    settings: Settings,
    max_tokens: int,
) -> Cut:
    """Cut one text, or two, behind the words that the encoder's makers put before a text.

    Raises:
        EmptyText, TextTooLong, TooManyTokens, BadValue.
    """
    if not 1 <= len(texts) <= (1 if task == "words" else 2):
        raise BadValue(name="texts", value=len(texts), allowed="1" if task == "words" else "1-2")
    for text in texts:
        if not text.strip():
            raise EmptyText
        if len(text) > settings.max_text_chars:
            raise TextTooLong(limit=settings.max_text_chars, got=len(text))
    prefix, tokenizer = loaded.info.prefixes.text, loaded.tokenizer
    places: tuple[int | None, ...] = ()
    segments: tuple[int, ...] = ()
    if task == "words":
        _check_words(texts[0], words)
        read = tokenizer.tokenize(prefix + texts[0])
        ids, places = read.input_ids, _first_tokens(read, words, len(prefix))
    elif len(texts) == 2:
        ids, segments = tokenizer.encode_pair(prefix + texts[0], prefix + texts[1])
    else:
        ids = tokenizer.encode(prefix + texts[0])
    limit = min(max_tokens, loaded.info.n_ctx or max_tokens)
    if len(ids) > limit:
        raise TooManyTokens(limit=limit, got=len(ids))
    if not ids:
        raise EmptyText
    return Cut(ids, segments if _knows_segments(loaded, segments) else (), places)


def example(loaded: LoadedModel, asked: HeadSettings, one: LabelledText, settings: Settings) -> HeadExample:
    """A labelled text as the encoder reads it while a head is trained.

    Raises:
        EmptyText, TextTooLong, TooManyTokens, BadValue.
    """
    words = one.words if asked.task == "words" else ()
    found = cut(loaded, asked.task, one.texts, words, settings, settings.max_training_tokens)
    if asked.task != "words":
        target = _target(asked, one.answer)
        return HeadExample(one.texts, found.input_ids, (target,), found.segments)
    answers = one.answer
    if not isinstance(answers, tuple) or len(answers) != len(words):
        raise BadValue(name="answer", value=repr(answers)[:80], allowed=f"{len(words)}")
    targets = {
        place: _target(asked, answer)
        for place, answer in reversed([*zip(found.places, answers, strict=True)])
        if place is not None
    }  # reversed: of two words that begin with one token the first counts
    places = tuple(sorted(targets))
    if not places:
        raise EmptyText
    return HeadExample(one.texts, found.input_ids, tuple(targets[place] for place in places), places=places)


def _target(asked: HeadSettings, answer: str | float | tuple[str, ...]) -> float:
    if asked.task == "number":
        if isinstance(answer, bool) or not isinstance(answer, int | float) or not math.isfinite(answer):
            raise BadValue(name="answer", value=repr(answer)[:80], allowed=Message("a number"))
        return float(answer)
    if answer not in asked.labels:
        raise BadValue(name="label", value=repr(answer)[:80], allowed=", ".join(asked.labels))
    return float(asked.labels.index(str(answer)))


def _check_words(text: str, words: Sequence[Span]) -> None:
    """Refuse words that are not in the text, overlap, or do not stand in their order."""
    end = 0
    for first, behind in words:
        if not end <= first < behind <= len(text):
            raise BadValue(name="words", value=f"{first}-{behind}", allowed=f"{end}-{len(text)}")
        end = behind
    if not words:
        raise EmptyText


def _first_tokens(read: Tokenization, words: Sequence[Span], shift: int) -> tuple[int | None, ...]:
    """Place of the first token that has a character of each word.

    Args:
        read: The text behind its prefix.
        words: Characters of each word, without the prefix.
        shift: Length of the prefix.
    """
    tokens = [
        (place, span) for place, (span, mark) in enumerate(zip(read.offsets, read.special, strict=True))
        if not mark and span[0] < span[1]
    ]  # fmt: skip
    return tuple(
        next((place for place, (a, b) in tokens if a < behind + shift and b > first + shift), None)
        for first, behind in words
    )


def _knows_segments(loaded: LoadedModel, segments: tuple[int, ...]) -> bool:
    """True if the model has an embedding for every part of the pair; () and one part need none."""
    if not any(segments):
        return False
    takes = "token_type_ids" in inspect.signature(loaded.model.base_model.forward).parameters
    return takes and getattr(loaded.model.config, "type_vocab_size", 0) > max(segments)
