"""Prompts word for word, examples from a seed, labels from log-probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.core.demonstrations import (
    CONDITIONS,
    MAX_LABELS,
    N_OTHERS,
    draw_demonstrations,
    relabelled,
    split,
    with_others,
)
from playground.core.few_shot import (
    FORMATS,
    Example,
    PromptBlock,
    PromptTask,
    blocks,
    calibrated,
    candidates,
    chat_blocks,
    label_probabilities,
    messages,
)

DEMOS = (Example("The soup was cold.", "negative"), Example("A lovely room.", "positive"))
TASK = PromptTask("Positive or negative?", "Review", "Sentiment", DEMOS)
MANY = [Example(f"text {i}", "abc"[i % 3]) for i in range(30)]


def joined(found: tuple[PromptBlock, ...]) -> str:
    return "".join(block.text for block in found)


def test_formats_word_for_word() -> None:
    assert joined(blocks(TASK, DEMOS[:1], "Too salty.", "labelled")) == (
        "Positive or negative?\n\nReview: The soup was cold.\nSentiment: negative\n\n"
        "Review: Too salty.\nSentiment:"
    )
    assert joined(blocks(TASK, DEMOS[:1], "Too salty.", "qa")) == (
        "Positive or negative?\n\nQ: The soup was cold.\nA: negative\n\nQ: Too salty.\nA:"
    )
    assert joined(blocks(TASK, DEMOS[:1], "Too salty.", "arrow")) == (
        "Positive or negative?\n\nThe soup was cold. -> negative\nToo salty. ->"
    )


@pytest.mark.parametrize("style", [style for style in FORMATS if style != "chat"])
def test_a_label_in_the_prompt_is_what_is_scored_for_the_query(style: str) -> None:
    made = blocks(TASK, DEMOS, "Too salty.", style)  # type: ignore[arg-type]
    assert candidates([DEMOS[0].label], style)[0] == made[2].text.rstrip("\n")  # type: ignore[arg-type]
    assert [block.number for block in made] == [0, 1, 1, 2, 2, 0]
    assert not joined(made).endswith(" "), "a space would belong to the label's first token"


def test_chat_blocks_are_the_messages_and_the_template_between() -> None:
    said = messages(TASK, DEMOS, "user")  # what a message says may stand in the template, too

    def template(contents: list[str]) -> str:
        roles = zip(said, contents, strict=True)
        return "".join(f"<{one['role']}>{content}</>" for one, content in roles) + "<assistant>"

    rendered = template([one["content"] for one in said])
    found = chat_blocks(rendered, template(["|"] * len(said)).split("|"), said)
    assert joined(found) == rendered
    own = [(block.kind, block.text, block.number) for block in found if block.kind != "template"]
    assert own == [
        ("instruction", TASK.instruction, 0),
        ("demonstration", DEMOS[0].text, 1),
        ("label", "negative", 1),
        ("demonstration", DEMOS[1].text, 2),
        ("label", "positive", 2),
        ("query", "user", 0),
    ]


def test_nested_labels_are_scored_with_their_end() -> None:
    assert candidates(["good", "good enough"], "labelled") == (" good\n\n", " good enough\n\n")
    assert candidates(["good", "bad"], "chat") == ("good", "bad")


# ---------------------------------------------------------------- examples


@given(st.integers(0, 50), st.integers(0, 10_000))
def test_no_text_is_on_both_sides_and_none_is_lost(n_test: int, seed: int) -> None:
    pool, test = split([*MANY, *MANY[:5]], n_test, seed)
    texts = [one.text for one in (*pool, *test)]
    assert sorted(texts) == sorted({one.text for one in MANY})
    assert len(test) == min(n_test, len(MANY) // 2)


def test_the_first_of_two_equal_texts_counts() -> None:
    pool, test = split([Example("a", "x"), Example("a", "y"), Example("b", "y")], 1, 0)
    assert {(one.text, one.label) for one in (*pool, *test)} == {("a", "x"), ("b", "y")}


@given(st.integers(0, 2**31))
def test_more_shots_only_add_and_labels_take_turns(seed: int) -> None:
    whole = draw_demonstrations(MANY, 30, seed)
    assert sorted(one.text for one in whole) == sorted(one.text for one in MANY)
    for n_shot in (0, 1, 3, 7):
        assert draw_demonstrations(MANY, n_shot, seed) == whole[:n_shot]
    for start in range(0, 30, 3):
        assert {one.label for one in whole[start : start + 3]} == set("abc")


def test_another_seed_is_another_choice() -> None:
    assert len({tuple(one.text for one in draw_demonstrations(MANY, 4, seed)) for seed in range(10)}) == 10


def test_labels_flipped_and_random() -> None:
    demos = [Example("t", "a"), Example("u", "b"), Example("v", "c")]
    assert [one.label for one in relabelled(demos, "abc", "flipped", 0)] == ["b", "c", "a"]
    assert relabelled(demos, "abc", "true", 0) == demos
    many = relabelled([Example("t", "a")] * 300, "abc", "random", 0)
    counts = [sum(one.label == label for one in many) for label in "abc"]
    assert min(counts) > 70
    assert relabelled(many, "abc", "random", 5) == relabelled(many, "abc", "random", 5)
    open_answer = [Example("7 + 5", "12", ("11", "13", "10"))]
    for condition in CONDITIONS[1:]:
        (one,) = relabelled(open_answer, ["12"], condition, 1)
        assert one.label in ("10", "11", "12", "13")
        assert condition != "flipped" or one.label == "13"


def test_open_answers_get_wrong_ones_of_their_own() -> None:
    countries = [Example(f"country {i}", f"city {i}") for i in range(MAX_LABELS + 1)]
    made = with_others(countries, seed=3)
    task = PromptTask("", "", "", made)
    for one in made:
        assert len(set(one.others)) == N_OTHERS
        assert one.label not in one.others
        assert set(task.options(one)) == {one.label, *one.others}
    assert with_others(countries, seed=3) == made
    few = countries[:MAX_LABELS]
    assert with_others(few, seed=3) == tuple(few)


# ---------------------------------------------------------------- labels


@given(st.lists(st.floats(-300, 0), min_size=1, max_size=8), st.booleans())
def test_shares_sum_to_one_and_keep_the_order(logprobs: list[float], by_length: bool) -> None:
    probs = label_probabilities(logprobs, [1] * len(logprobs), by_length=by_length)
    assert probs.sum() == pytest.approx(1)
    assert probs[int(np.argmax(logprobs))] == probs.max()


def test_by_length_is_the_mean() -> None:
    probs = label_probabilities([-2.0, -3.0], [1, 2], by_length=True)
    assert probs[1] / probs[0] == pytest.approx(np.exp(-1.5 + 2.0))


def test_calibration_takes_a_bias_out() -> None:
    """Zhao et al. 2021, section 5: a content-free query then gets every label with the same probability."""
    bias = np.array([0.7, 0.2, 0.1])
    assert calibrated(bias, [bias]).tolist() == pytest.approx([1 / 3] * 3)
    mean = [np.array([0.8, 0.1, 0.1]), np.array([0.6, 0.3, 0.1])]
    expected = np.array([0.5, 0.3, 0.2]) / bias
    assert calibrated(np.array([0.5, 0.3, 0.2]), mean).tolist() == pytest.approx(
        (expected / expected.sum()).tolist()
    )
