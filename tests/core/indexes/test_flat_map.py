"""The map puts a vector where its projection lies, also one that the map was not made of."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from playground.core.indexes.flat_map import flat_map
from tests.core.indexes.conftest import Real


def test_other_vectors_are_placed_as_scikit_learn_places_them(real: Real) -> None:
    made, theirs = flat_map(real.vectors), PCA(2).fit(real.vectors)
    for own, other in ((made.places, real.vectors), (made.place(real.questions), real.questions)):
        expected = theirs.transform(other)
        signs = np.sign((own * expected).sum(axis=0))
        np.testing.assert_allclose(own * signs, expected, atol=1e-4)
    np.testing.assert_allclose(made.explained, theirs.explained_variance_ratio_.sum(), atol=1e-4)


def test_equal_vectors_lie_in_one_place() -> None:
    made = flat_map(np.ones((3, 5), dtype=np.float32))
    assert not made.places.any()
    assert not made.place(np.zeros(5, np.float32)).any()
