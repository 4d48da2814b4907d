"""Sentence vectors: nearest equals brute force, and what is downloaded can be read elsewhere."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from playground.core import sentences
from playground.core.projections import pca, unit
from playground.core.tables import embeddings as frames


def vectors(n: int = 40, d: int = 16) -> np.ndarray:
    return unit(np.random.default_rng(0).normal(size=(n, d)).astype(np.float32))


def test_closest_equals_brute_force_and_leaves_itself_out() -> None:
    made = vectors()
    found = sentences.closest(made, made[7], 5, without=7)
    brute = sorted(((float(made[i] @ made[7]), -i) for i in range(40) if i != 7), reverse=True)[:5]
    assert [row for row, _ in found] == [-i for _, i in brute]
    np.testing.assert_allclose([cosine for _, cosine in found], [c for c, _ in brute], atol=1e-6)


def test_five_hundred_identical_sentences_are_each_others_neighbours() -> None:
    made = np.repeat(vectors(1), 500, axis=0)
    found = sentences.closest(made, made[3], 6, without=3)
    assert [row for row, _ in found] == [0, 1, 2, 4, 5, 6]
    assert all(abs(cosine - 1) < 1e-6 for _, cosine in found)


def test_npy_is_read_back_by_numpy() -> None:
    made = vectors()
    np.testing.assert_array_equal(np.load(io.BytesIO(sentences.npy_bytes(made)), allow_pickle=False), made)


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=8))
def test_projector_pair_has_one_line_a_sentence_whatever_is_in_it(rows: list[tuple[str, str]]) -> None:
    texts, groups = zip(*rows, strict=True)
    made = vectors(len(rows))
    metadata = sentences.metadata_tsv(texts, groups).decode()
    lines = metadata.split("\n")
    assert lines[0] == "sentence\tgroup"
    assert len(lines) == len(rows) + 2
    assert len(metadata.splitlines()) == len(rows) + 1, "no other line break is left in either"
    assert all(line.count("\t") == 1 for line in lines[1:-1])
    back = np.loadtxt(io.BytesIO(sentences.vectors_tsv(made)), delimiter="\t", ndmin=2)
    np.testing.assert_allclose(back, made, atol=1e-6)


def test_tables_of_the_map_hold_what_the_map_shows() -> None:
    projection = pca(vectors(5), 3)
    frame = frames.sentence_map(projection, list("abcde"), [""] * 5)
    assert list(frame.columns) == ["number", "sentence", "group", "x", "y", "z"]
    np.testing.assert_array_equal(frame[["x", "y", "z"]].to_numpy(), projection.points)


def test_histogram_shares_add_up_for_each_series() -> None:
    frame = frames.histogram({"a": np.arange(10.0), "b": np.full(5, 3.0)})
    np.testing.assert_allclose(frame.groupby("series")["share"].sum(), 1)
    flat = frames.histogram({"a": np.full(7, 2.0)})
    assert isinstance(flat, pd.DataFrame)
    assert flat["share"].sum() == 1
