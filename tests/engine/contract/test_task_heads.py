"""Texts cut for task heads, and what a trained head answers."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from playground.engine.contract.engine import Engine
from playground.engine.contract.task_heads import (
    HeadExample,
    HeadRequest,
    HeadSettings,
    LabelledText,
    Prediction,
    PredictRequest,
    Span,
)
from playground.errors import (
    BadValue,
    EmptyText,
    HeadGone,
    PlaygroundError,
    TextTooLong,
    TooManyTokens,
    Unsupported,
)
from playground.settings import Settings
from tests import tiny

LABEL = HeadSettings(tiny.BERT, "tone", n_steps=30, batch_size=4, labels=("dog", "cat"))
WORDS = HeadSettings(tiny.BERT, "names", n_steps=30, batch_size=4, task="words", labels=("O", "B-LOC"))
TEXTS = tuple(
    LabelledText((text,), label)
    for text, label in (
        ("the cat sat", "cat"),
        ("a cat on the mat", "cat"),
        ("the dog sat on", "dog"),
        ("that dog is", "dog"),
    )
)


def spans(text: str) -> tuple[Span, ...]:
    """The words between single spaces."""
    found, start = [], 0
    for word in text.split(" "):
        found.append((start, start + len(word)))
        start += len(word) + 1
    return tuple(found)


def named(text: str, *answers: str) -> LabelledText:
    return LabelledText((text,), answers, spans(text))


TAGGED = (
    named("The capital of England is London.", "O", "O", "O", "B-LOC", "O", "B-LOC"),
    named("the cat sat on Paris.", "O", "O", "O", "O", "B-LOC"),
)


def trained(engine: Engine, settings: HeadSettings, train: tuple[HeadExample, ...], owner: str) -> str:
    request = HeadRequest(settings, train, (), owner=owner)
    engine.training.runs.start(request)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        state = engine.training.runs.state(request.request_id, owner)
        if state is not None and state.adapter:
            return state.adapter
        time.sleep(0.005)
    raise AssertionError("the run did not end")


def answers(engine: Engine, request: PredictRequest) -> list[Prediction | PlaygroundError]:
    found = dict(engine.task_heads.predict(request))
    return [found[place] for place in range(len(request.texts))]


def folder_of(settings: Settings) -> Path:
    return settings.cache_dir / "models" / tiny.BERT.replace("/", "--")


def states_of(settings: Settings, text: str) -> torch.Tensor:
    """The last states of a text alone, by plain transformers."""
    folder = folder_of(settings)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        ids = torch.tensor([tokenizer(text)["input_ids"]])
        states: torch.Tensor = model(ids).last_hidden_state[0]
    return states


@pytest.mark.parametrize("objective", ["head", "encoder"])
def test_a_trained_head_answers_what_it_has_learned(objective: str, engine: Engine) -> None:
    settings = replace(LABEL, objective=objective, learning_rate=1e-2 if objective == "head" else 1e-3)
    head = trained(engine, settings, engine.task_heads.examples(settings, TEXTS), objective)
    asked = PredictRequest(head, tuple(one.texts for one in TEXTS))
    found = answers(engine, asked)
    for one, answer in zip(TEXTS, found, strict=True):
        assert isinstance(answer, Prediction)
        assert answer.values.shape == (1, 2)
        assert answer.values.sum() == pytest.approx(1, abs=1e-6)
        assert settings.labels[int(answer.values.argmax())] == one.answer
    info = engine.task_heads.info(head)
    assert (info.step, info.settings) == (30, settings)
    assert (info.n_parameters > 1_000) == (objective == "encoder")


def test_a_number_is_answered_in_its_own_units(engine: Engine) -> None:
    settings = replace(LABEL, task="number", labels=(), inverse_penalty=1e3, n_steps=300)
    texts = tuple(replace(one, answer=5.0 if one.answer == "cat" else 1.0) for one in TEXTS)
    head = trained(engine, settings, engine.task_heads.examples(settings, texts), "numbers")
    found = answers(engine, PredictRequest(head, tuple(one.texts for one in texts)))
    for one, answer in zip(texts, found, strict=True):
        assert isinstance(answer, Prediction)
        assert answer.values.item() == pytest.approx(one.answer, abs=0.3)


def test_every_word_is_answered_by_its_first_token(engine: Engine, tiny_settings: Settings) -> None:
    text = "The capital of London is Paris."
    head = trained(engine, WORDS, engine.task_heads.examples(WORDS, TAGGED), "words")
    [answer] = answers(engine, PredictRequest(head, ((text,),), words=(spans(text),)))
    assert isinstance(answer, Prediction)
    tokenizer = AutoTokenizer.from_pretrained(folder_of(tiny_settings))
    words = tokenizer(text.split(" "), is_split_into_words=True).word_ids()
    states = states_of(tiny_settings, text)
    first = torch.stack([states[words.index(place)] for place in range(6)])
    unit = first / first.norm(dim=1, keepdim=True)
    # a word asked about alone is answered as it is among others
    [alone] = answers(engine, PredictRequest(head, ((text,),), words=(spans(text)[3:4],)))
    assert isinstance(alone, Prediction)
    np.testing.assert_allclose(alone.values[0], answer.values[3], atol=1e-6)
    assert answer.values.shape == (6, 2)
    logits = np.log(answer.values[:, 1]) - np.log(answer.values[:, 0])
    weights = np.linalg.lstsq(np.c_[unit.numpy(), np.ones(6)], logits, rcond=None)[0]
    np.testing.assert_allclose(np.c_[unit.numpy(), np.ones(6)] @ weights, logits, atol=1e-3)


def test_words_are_labelled_by_place_and_the_frame_never_counts(
    engine: Engine, tiny_settings: Settings
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder_of(tiny_settings))
    for one, example in zip(TAGGED, engine.task_heads.examples(WORDS, TAGGED), strict=True):
        words = tokenizer(one.texts[0].split(" "), is_split_into_words=True).word_ids()
        assert example.places == tuple(words.index(place) for place in range(len(one.words)))
        assert [WORDS.labels[int(target)] for target in example.targets] == [*one.answer]


def test_two_words_of_one_token_share_its_answer_and_the_first_one_counts(engine: Engine) -> None:
    text = "the cat"
    parts = LabelledText((text,), ("B-LOC", "O", "O"), ((0, 1), (1, 3), (4, 7)))
    [example] = engine.task_heads.examples(WORDS, [parts])
    assert len(example.places) == 2, "'the' is one token"
    assert example.targets == (1.0, 0.0)
    head = trained(engine, WORDS, engine.task_heads.examples(WORDS, TAGGED), "sharers")
    [answer] = answers(engine, PredictRequest(head, ((text,),), words=(parts.words,)))
    assert isinstance(answer, Prediction)
    np.testing.assert_allclose(answer.values[0], answer.values[1], atol=1e-6)
    assert abs(answer.values[0] - answer.values[2]).max() > 1e-3


def test_a_word_that_the_tokenizer_leaves_out_has_no_answer(engine: Engine) -> None:
    text = "the \u200b cat"
    head = trained(engine, WORDS, engine.task_heads.examples(WORDS, TAGGED), "left out")
    [answer] = answers(engine, PredictRequest(head, ((text,),), words=(spans(text),)))
    assert isinstance(answer, Prediction)
    assert np.isnan(answer.values).all(1).tolist() == [False, True, False]


def test_without_a_form_for_pairs_two_texts_are_one_with_a_line_break(engine: Engine) -> None:
    two = LabelledText(("the cat sat", "a dog is"), "cat")
    one = LabelledText(("the cat sat\na dog is",), "cat")
    both, single = engine.task_heads.examples(LABEL, [two, one])
    assert both.input_ids == single.input_ids
    assert both.segments == ()
    assert both.fingerprint != single.fingerprint


@pytest.mark.parametrize(
    ("settings", "text", "error"),
    [
        (LABEL, LabelledText(("  ",), "cat"), EmptyText),
        (LABEL, LabelledText((), "cat"), BadValue),
        (LABEL, LabelledText(("a", "b", "c"), "cat"), BadValue),
        (LABEL, LabelledText(("a",), "mouse"), BadValue),
        (LABEL, LabelledText(("a " * 130,), "cat"), TooManyTokens),
        (LABEL, LabelledText(("a" * 2_001,), "cat"), TextTooLong),
        (WORDS, LabelledText(("a b",), ("O",), ((0, 1), (2, 3))), BadValue),
        (WORDS, LabelledText(("a b",), ("O", "O"), ((0, 2), (1, 3))), BadValue),
        (WORDS, LabelledText(("a b",), ("O",), ((2, 4),)), BadValue),
        (WORDS, LabelledText(("a b",), (), ()), EmptyText),
        (WORDS, LabelledText(("\u200b",), ("O",), ((0, 1),)), EmptyText),
        (replace(LABEL, task="number", labels=()), LabelledText(("a",), float("nan")), BadValue),
        (replace(LABEL, task="number", labels=()), LabelledText(("a",), "cat"), BadValue),
        (replace(LABEL, model=tiny.GPT2), LabelledText(("a",), "cat"), Unsupported),
    ],
)
def test_a_text_that_cannot_be_learned_from_is_refused(
    settings: HeadSettings, text: LabelledText, error: type[PlaygroundError], engine: Engine
) -> None:
    with pytest.raises(error):
        engine.task_heads.examples(settings, [text])


def test_a_question_that_cannot_be_answered_is_refused_alone(engine: Engine) -> None:
    head = trained(engine, LABEL, engine.task_heads.examples(LABEL, TEXTS), "asker")
    good, empty = answers(engine, PredictRequest(head, (("the cat",), ("",))))
    assert isinstance(good, Prediction)
    assert isinstance(empty, EmptyText)
    for request, error in (
        (PredictRequest(head), BadValue),
        (PredictRequest(head, (("a",),), words=(((0, 1),),)), BadValue),
        (PredictRequest("nothing", (("a",),)), HeadGone),
    ):
        with pytest.raises(error):
            answers(engine, request)
