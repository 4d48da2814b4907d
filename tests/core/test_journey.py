"""The journey against the same numbers computed another way, and its laws."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from playground.core import journey
from playground.core.journey import N_DIMENSIONS, N_NEXT, N_ROWS, JourneyRow
from playground.core.tables import sampling as frames
from playground.core.tokens import Tokenization
from playground.core.trace import Trace


def softmax_rows(rng: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    scores = torch.from_numpy(rng.normal(scale=3, size=shape))
    return torch.softmax(scores, -1).float().numpy()


def a_trace(n_tokens: int, *, seed: int = 0, uint8: bool = False, logits: bool = True) -> Trace:
    rng = np.random.default_rng(seed)
    weights = softmax_rows(rng, 3, 4, n_tokens, n_tokens)
    stored = np.round(255 * np.sqrt(weights)).astype(np.uint8) if uint8 else weights
    return Trace(
        model_id="m",
        revision="r",
        adapter=None,
        dtype="float32",
        device="cpu",
        input_ids=np.arange(n_tokens),
        attentions=stored,
        hidden_states=rng.normal(size=(2, n_tokens, 16)).astype(np.float32),
        hidden_layers=(0, 3),
        logits=rng.normal(scale=4, size=(1, 50)).astype(np.float32) if logits else None,
        logit_positions=np.array([n_tokens - 1]) if logits else None,
    )


@pytest.mark.parametrize("uint8", [False, True])
@pytest.mark.parametrize("special", [[False] * 6, [True] + [False] * 4 + [True]])
def test_sharpest_head_is_the_one_a_plain_loop_finds(special: list[bool], uint8: bool) -> None:
    trace = a_trace(6, seed=1, uint8=uint8)
    query = max(i for i in range(6) if not special[i])
    best = (-1.0, -1, -1, -1)
    for layer, head, key in itertools.product(range(3), range(4), range(1, 6)):
        stored = float(trace.attentions[layer, head, query, key])  # type: ignore[index]
        weight = (stored / 255) ** 2 if uint8 else stored
        if key != query and not special[key] and weight > best[0]:
            best = (weight, layer, head, key)
    row = journey.sharpest_head(trace, special)
    assert row is not None
    assert (row.layer, row.head, row.focus, row.query) == (*best[1:], query)
    assert row.weights[row.focus] == pytest.approx(best[0], rel=1e-6)
    assert row.choice == "sharpest"


def test_sharpest_head_with_nothing_between_first_and_last() -> None:
    two, one = a_trace(2), a_trace(1)
    itself = journey.sharpest_head(two, [False, False])
    alone = journey.sharpest_head(one, [False])
    assert itself is not None
    assert alone is not None
    assert (itself.choice, itself.focus) == ("itself", 1)
    assert itself.weights[1] == two.attentions[:, :, 1, 1].max()  # type: ignore[index]
    assert (alone.choice, alone.layer, alone.head, alone.most) == ("alone", 0, 0, 0)
    assert alone.weights.tolist() == [1.0]


def test_special_tokens_only_is_a_sentence_too() -> None:
    row = journey.sharpest_head(a_trace(2), [True, True])
    assert row is not None
    assert row.query == 1


def test_no_attentions_no_row() -> None:
    whole = a_trace(3)
    bare = Trace("m", "r", None, "float32", "cpu", whole.input_ids)
    assert journey.sharpest_head(bare, [False] * 3) is None
    assert journey.next_tokens(bare) is None
    with pytest.raises(ValueError, match="not 0"):
        journey.first_dimensions(bare)
    with pytest.raises(ValueError, match="no hidden states"):
        journey.sentence_vector(bare)


@given(n_tokens=st.integers(1, 90), seed=st.integers(0, 20), data=st.data())
def test_rows_cover_every_token_once_and_fit(n_tokens: int, seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.random(n_tokens).astype(np.float32) if seed % 2 else None
    query = data.draw(st.integers(0, n_tokens - 1))
    selected = data.draw(st.none() | st.integers(0, n_tokens - 1))
    lines = journey.rows(n_tokens, query, weights, selected)
    assert [position for line in lines for position in range(line.start, line.stop)] == list(range(n_tokens))
    assert len(lines) <= N_ROWS
    alone = {line.start for line in lines if line.is_single}
    assert query in alone
    assert selected is None or selected in alone
    if n_tokens <= N_ROWS:
        assert len(lines) == n_tokens
    elif weights is not None and selected is None:
        assert set(np.argsort(-weights)[:2].tolist()) <= alone, "the most attended tokens are shown"


def test_rows_without_attention_are_the_end_of_the_text() -> None:
    assert journey.rows(30, 29, None) == [JourneyRow(0, 23), *(JourneyRow(i, i + 1) for i in range(23, 30))]


def test_next_tokens_are_torchs_softmax_and_leave_nothing_out() -> None:
    trace = a_trace(4, seed=3)
    found = journey.next_tokens(trace)
    assert found is not None
    probs = torch.softmax(torch.tensor(trace.logits[-1], dtype=torch.float64), -1)  # type: ignore[index]
    expected = probs.topk(N_NEXT)
    np.testing.assert_array_equal(found.token_ids, expected.indices.numpy())
    np.testing.assert_allclose(found.probs, expected.values.numpy(), atol=1e-12)
    assert found.n_rest == 50 - N_NEXT
    assert found.probs.sum() + found.rest == pytest.approx(1, abs=1e-12)


def test_vectors_are_the_embedding_and_the_sentence_vector_the_normalised_mean() -> None:
    trace = a_trace(5, seed=4, logits=False)
    assert trace.hidden_states is not None
    read = journey.read(trace, [False] * 5)
    np.testing.assert_array_equal(read.vectors, trace.hidden_states[0, :, :N_DIMENSIONS])
    last = torch.from_numpy(trace.hidden_states[1].copy())
    expected = torch.nn.functional.normalize(last.mean(0), dim=0)
    np.testing.assert_allclose(read.sentence, expected.numpy(), atol=1e-6)
    assert read.next is None
    assert journey.read(a_trace(5), [False] * 5).sentence is None


def test_frame_holds_every_number_of_the_picture() -> None:
    trace = a_trace(3)
    read = journey.read(trace, [False] * 3)
    tokenization = Tokenization(
        "m", "abc", (0, 1, 2), tuple("abc"), (b"a", b"b", b"c"), ((0, 1), (1, 2), (2, 3)), (False,) * 3
    )
    assert read.next is not None
    frame = frames.journey(read, tokenization, [f"n{i}" for i in range(N_NEXT)])
    shares = frame.groupby("station")["value"].sum()
    assert shares["attention"] == pytest.approx(1, abs=1e-6)
    assert shares["next token"] == pytest.approx(1 - read.next.rest, abs=1e-12)
    vectors = frame[frame["station"] == "vectors"].pivot_table("value", "position", "dimension")
    np.testing.assert_array_equal(vectors.to_numpy(dtype=np.float32), read.vectors)
    assert frame["token_id"].isna().sum() == 0
