"""Masks are filled, whoever computes it; what cannot be filled is refused with the cure."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from playground.engine.contract.engine import Engine
from playground.engine.contract.filling import FillRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.errors import (
    BadValue,
    EmptyText,
    NoMask,
    PlaygroundError,
    TextTooLong,
    TooManyMasks,
    TooManyTokens,
    Unsupported,
)
from tests import tiny

MODEL = tiny.MASKED
TEXT = "the [MASK] sat on the [MASK] and the dog"


def mask_id(engine: Engine) -> int:
    found = engine.tokenizers.info(MODEL).mask_id
    assert found is not None
    return found


def test_every_mask_has_a_distribution_over_the_vocabulary(engine: Engine) -> None:
    info = next(one for one in engine.models() if one.model_id == MODEL)
    filled = engine.fill(FillRequest(MODEL, TEXT, n_top=info.d_vocab))
    masks = np.flatnonzero(filled.input_ids == mask_id(engine))
    np.testing.assert_array_equal(filled.positions, masks)
    assert filled.n_places == len(masks) == 2
    np.testing.assert_allclose(np.exp(filled.top_logprobs).sum(-1), 1, atol=1e-5)
    np.testing.assert_array_equal(np.sort(filled.top_ids), [range(info.d_vocab)] * 2)
    assert (np.diff(filled.top_logprobs) <= 0).all()
    probs = np.exp(filled.top_logprobs.astype(np.float64))
    np.testing.assert_allclose(filled.entropy_bits, -(probs * np.log2(probs)).sum(-1), atol=1e-4)


def test_masks_are_filled_from_the_logits_at_their_positions(engine: Engine) -> None:
    filled = engine.fill(FillRequest(MODEL, TEXT, n_top=4))
    ids = tuple(filled.input_ids.tolist())
    logits = engine.trace(TraceRequest(MODEL, input_ids=ids, capture=Capture(logits="all"))).logits
    assert logits is not None
    assert len(logits) == len(ids)
    at_masks = logits[filled.positions].astype(np.float64)
    logprobs = at_masks - np.log(np.exp(at_masks).sum(-1, keepdims=True))
    np.testing.assert_array_equal(filled.top_ids, np.argsort(-logprobs)[:, :4])
    np.testing.assert_allclose(filled.top_logprobs, np.sort(logprobs)[:, :-5:-1], atol=1e-5)


def test_any_token_can_be_asked_about(engine: Engine) -> None:
    plain = engine.fill(FillRequest(MODEL, TEXT, n_top=50))
    asked = tuple(plain.top_ids[0, [0, 7, 31]].tolist())
    filled = engine.fill(FillRequest(MODEL, TEXT, token_ids=asked))
    assert filled.token_ids.tolist() == [list(asked)] * 2
    assert filled.token_ranks[0].tolist() == [0, 7, 31]
    np.testing.assert_allclose(filled.token_logprobs[0], plain.top_logprobs[0, [0, 7, 31]], atol=1e-5)
    assert plain.token_ids.shape == plain.token_logprobs.shape == plain.token_ranks.shape == (2, 0)


def test_any_place_can_be_asked_about_masked_or_not(engine: Engine) -> None:
    masks = engine.fill(FillRequest(MODEL, TEXT, n_top=3))
    positions = (int(masks.positions[1]), 1)
    filled = engine.fill(FillRequest(MODEL, TEXT, n_top=3, positions=positions))
    assert filled.positions.tolist() == list(positions)
    np.testing.assert_array_equal(filled.top_ids[0], masks.top_ids[1])
    logits = engine.trace(
        TraceRequest(MODEL, input_ids=tuple(filled.input_ids.tolist()), capture=Capture(logits="all"))
    ).logits
    assert logits is not None
    np.testing.assert_array_equal(filled.top_ids[1], np.argsort(-logits[1])[:3])


def test_what_was_filled_before_is_not_computed_again(engine: Engine) -> None:
    request = FillRequest(MODEL, "the dog [MASK] on the cat and the mat", n_top=5)
    n_before = engine.stats().n_forwards
    first, each = engine.fill(request), list(engine.fill_each(request))
    n_forwards = engine.stats().n_forwards
    assert n_forwards == n_before + 1 + len(each)
    for again, known in zip([engine.fill(request), *engine.fill_each(request)], [first, *each], strict=True):
        np.testing.assert_array_equal(again.top_logprobs, known.top_logprobs)
    assert engine.stats().n_forwards == n_forwards
    other = FillRequest(MODEL, input_ids=tuple(first.input_ids.tolist()), n_top=4)
    assert engine.fill(other).top_ids.shape == (1, 4)


def test_each_token_masked_alone_is_a_text_with_that_mask(engine: Engine) -> None:
    """Salazar et al. 2020, section 2: one term of the pseudo-log-likelihood a token."""
    parts = list(engine.fill_each(FillRequest(MODEL, "the cat ؋ [MASK] on the mat", n_top=3)))
    ids = tuple(parts[0].input_ids.tolist())
    places = [place for part in parts for place in part.positions.tolist()]
    assert places == [place for place in range(1, len(ids) - 1) if ids[place] != mask_id(engine)]
    assert {part.n_places for part in parts} == {len(places)}
    for part in parts:
        for row, place in enumerate(part.positions.tolist()):
            masked = (*ids[:place], mask_id(engine), *ids[place + 1 :])
            alone = engine.fill(FillRequest(MODEL, input_ids=masked, n_top=3, token_ids=(ids[place],)))
            at = alone.positions.tolist().index(place)
            assert part.token_ids[row].tolist() == [ids[place]]
            np.testing.assert_array_equal(part.top_ids[row], alone.top_ids[at])
            np.testing.assert_allclose(part.token_logprobs[row], alone.token_logprobs[at], atol=1e-5)
            np.testing.assert_array_equal(part.token_ranks[row], alone.token_ranks[at])


def test_only_masks_are_marks_in_a_text(engine: Engine) -> None:
    ids = engine.fill(FillRequest(MODEL, "[SEP] the [MASK] [CLS]")).input_ids.tolist()
    assert [ids.count(mark) for mark in (ids[0], ids[-1], mask_id(engine))] == [1, 1, 1]


def test_encoders_that_fill_masks_predict_no_next_token(engine: Engine) -> None:
    capabilities = {info.model_id: info.capabilities for info in engine.models()}
    assert "fill" in capabilities[MODEL]
    assert not {"logits", "generate"} & capabilities[MODEL]
    assert "fill" not in capabilities[tiny.BERT]


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (FillRequest(MODEL, ""), EmptyText),
        (FillRequest(MODEL, "the cat sat"), NoMask),
        (FillRequest(MODEL, "the MASK sat"), NoMask),
        (FillRequest(MODEL, "[MASK] " * 17), TooManyMasks),
        (FillRequest(MODEL, "[MASK]" * 100_000), TextTooLong),
        (FillRequest(MODEL, input_ids=(5,) * 1_000), TooManyTokens),
        (FillRequest(MODEL, input_ids=(-1,)), BadValue),
        (FillRequest(MODEL, TEXT, n_top=0), BadValue),
        (FillRequest(MODEL, TEXT, n_top=1_001), BadValue),
        (FillRequest(MODEL, TEXT, token_ids=(10**6,)), BadValue),
        (FillRequest(MODEL, TEXT, token_ids=(5,) * 1_000), BadValue),
        (FillRequest(MODEL, TEXT, positions=(99,)), BadValue),
        (FillRequest(MODEL, TEXT, positions=(-1,)), BadValue),
        (FillRequest(MODEL, TEXT, positions=(1,) * 65), TooManyMasks),
        (FillRequest(tiny.BERT, TEXT), Unsupported),
        (FillRequest(tiny.LLAMA, TEXT), Unsupported),
    ],
)
def test_what_cannot_be_filled_is_refused(
    engine: Engine, request_: FillRequest, error: type[PlaygroundError]
) -> None:
    with pytest.raises(error):
        engine.fill(request_)


def test_a_text_without_a_mask_is_told_how_one_is_written(engine: Engine) -> None:
    with pytest.raises(NoMask, match=r"^The text has no \[MASK\]: write it"):
        engine.fill(FillRequest(MODEL, "the cat sat"))


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (FillRequest(MODEL, ""), EmptyText),
        (FillRequest(MODEL, input_ids=(2, 3)), EmptyText),  # [CLS] [SEP]
        (FillRequest(MODEL, input_ids=(5,) * 65), TooManyTokens),
        (FillRequest(tiny.BERT, "the cat"), Unsupported),
    ],
)
def test_what_cannot_be_masked_is_refused(
    engine: Engine, request_: FillRequest, error: type[PlaygroundError]
) -> None:
    with pytest.raises(error):
        next(engine.fill_each(request_))


def test_requests_and_answers_can_be_sent(engine: Engine) -> None:
    request = FillRequest(MODEL, TEXT)
    assert pickle.loads(pickle.dumps(request)) == request
    filled = engine.fill(request)
    again = pickle.loads(pickle.dumps(filled))
    np.testing.assert_array_equal(again.top_ids, filled.top_ids)
