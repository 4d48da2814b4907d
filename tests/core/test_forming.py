"""A model as it forms: words, maps on fixed axes, heads that move; counted or computed another way."""

from __future__ import annotations

import numpy as np
import pytest

from playground.core import forming
from playground.core.pretraining_run import LANGUAGES, shipped_text
from playground.core.tables import pretraining as frames

RNG = np.random.default_rng(5)


def test_words_are_those_of_the_text_and_no_pieces_of_it() -> None:
    known = forming.words_of("The lamp is weak; the LENS is strong. 등대가 있다.")
    assert known == {"the", "lamp", "weak", "lens", "strong", "등대가", "있다"}
    assert forming.real_words("The la", "mp was weak. A lens xyz 등대가 wea", known) == (3, 5)
    assert forming.real_words("The ", "lamp", known) == (0, 0), "the end may have cut it"
    assert forming.real_words("", "a b c !! \x00", known) == (0, 0)


def test_composed_and_decomposed_hangul_are_the_same_word() -> None:
    assert forming.words_of("\u1103\u1173\u11bc\u1103\u1162") == forming.words_of("등대")


def test_the_map_of_the_last_step_is_its_principal_components() -> None:
    from sklearn.decomposition import PCA

    steps = [RNG.normal(size=(20, 6)), 3 * RNG.normal(size=(20, 6))]
    found = forming.fixed_map(steps)
    library = PCA(2).fit(steps[1])
    np.testing.assert_allclose(np.abs(found.points[1]), np.abs(library.transform(steps[1])), atol=1e-4)
    np.testing.assert_allclose(np.abs(found.points[0]), np.abs(library.transform(steps[0])), atol=1e-4)
    np.testing.assert_allclose(found.explained, library.explained_variance_ratio_, atol=1e-5)
    assert found.extent == max(np.abs(one).max() for one in found.points)


def test_embeddings_that_are_all_equal_lie_in_the_middle() -> None:
    found = forming.fixed_map([np.ones((3, 4)), np.ones((3, 4))])
    assert not found.points[0].any()
    assert found.extent == 1


def test_a_head_that_looks_back_by_one_is_found() -> None:
    even = np.tril(np.ones((5, 5))) / np.arange(1, 6)[:, None]
    back = np.eye(5, k=-1)
    back[0, 0] = 1
    attention = np.stack([even, back])[None]
    np.testing.assert_allclose(
        forming.weight_on_the_one_before(attention)[0], [float(np.mean([1 / 2, 1 / 3, 1 / 4, 1 / 5])), 1.0]
    )
    assert forming.most_changed_head(np.stack([even, even])[None], attention) == (0, 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_prompts_are_beginnings_that_no_model_has_read(language: str) -> None:
    text = shipped_text(language)
    prompts = forming.prompts_of(text)
    assert len(prompts) == forming.N_PROMPTS
    for prompt in prompts:
        assert len(prompt) <= forming.PROMPT_CHARS
        assert f"\n{prompt} " in text
    assert forming.prompts_of("aaaaaaaaaaaaaaaaaaaaaaaa") == ("a" * forming.PROMPT_CHARS,)


def test_bits_of_the_tables_are_nats_over_ln_2() -> None:
    table = frames.curves({"it": ([(1, np.log(4))], [(0, np.log(256)), (1, float("inf"))])}, {1: 4.5})
    assert table["bits"].tolist()[:2] == pytest.approx([2, 8])
    assert table["bits"].isna().tolist() == [False, False, True, False, False]
    assert table[table["data"] == "line"][["order", "bits"]].to_numpy().tolist() == [[0, 8], [1, 4.5]]
    assert frames.halves({"read": [(3, np.log(2))]})["bits"].tolist() == pytest.approx([1])


def test_milestones_without_a_word_have_no_share() -> None:
    table = frames.word_shares({"it": [(0, 0, 0), (10, 1, 4)]})
    assert table[["step", "share", "n"]].to_numpy().tolist() == [[10, 0.25, 4]]
    assert table["low"][0] < 0.25 < table["high"][0]


def test_every_byte_has_a_label_and_a_kind() -> None:
    table = frames.byte_map(range(256), np.zeros((256, 2)))
    assert table["label"].nunique() == 256
    letters = table[table["kind"].isin(["vowel", "consonant"])]["byte"]
    assert bytes(letters).decode() == "abcdefghijklmnopqrstuvwxyz"
    assert set(table[table["byte"] >= 128]["kind"]) == {"first", "next"}
