"""GLUE in small: its figures are scikit-learn's and SciPy's, its intervals hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st_
from scipy.stats import norm, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from playground.core import glue
from playground.core.glue_answers import Told as Answered
from playground.core.glue_answers import chance_of, figure_of, held_out, read, words_told, written
from playground.core.labelled_sets import LabelledItem
from playground.core.metrics.intervals import wilson_interval

RNG = np.random.default_rng(5)
SIZES = (1_043, 872, 408, 1_500, 40_430, 9_815, 5_463, 277, 71)  # of the real validation sets


def items(task: str, *languages: str) -> tuple[LabelledItem, ...]:
    return glue.data_of(task).part("held_out", languages or ("en", "ko"))


def some_answers(task: str, n: int) -> tuple[str, ...] | tuple[float, ...]:
    labels = glue.data_of(task).labels
    return tuple(RNG.choice(labels, n).tolist()) if labels else tuple(RNG.uniform(0, 5, n).tolist())


# ---------------------------------------------------------------- figures


@pytest.mark.parametrize("task", glue.TASKS)
def test_figures_are_those_of_the_libraries(task: str) -> None:
    asked = items(task)
    right, told = [item.label for item in asked], some_answers(task, len(asked))
    found = glue.figure(glue.data_of(task), asked, told)
    expected = {
        "accuracy": lambda: accuracy_score(right, told),
        "matthews": lambda: matthews_corrcoef(right, told),
        "f1": lambda: f1_score(right, told, pos_label=glue.data_of(task).labels[-1]),
        "spearman": lambda: spearmanr(right, told).statistic,
    }[glue.data_of(task).metric]()
    assert found.value == pytest.approx(expected)
    assert found.low <= found.value <= found.high
    assert found == glue.figure(glue.data_of(task), asked, told)


@pytest.mark.parametrize("task", glue.TASKS)
def test_all_right_is_1_and_the_best_blind_answer_is_chance(task: str) -> None:
    data, asked = glue.data_of(task), items(task)
    right = tuple(item.label for item in asked)
    perfect = glue.figure(data, asked, right)  # type: ignore[arg-type]
    assert perfect.value == pytest.approx(1)
    assert perfect.against(glue.chance(data, asked)) == "above"
    if not data.labels:
        return
    blind = [glue.figure(data, asked, (label,) * len(asked)) for label in data.labels]
    assert max(one.value for one in blind) == pytest.approx(glue.chance(data, asked))
    assert {one.against(glue.chance(data, asked)) for one in blind} <= {"undecided", "below"}


def test_the_same_number_for_every_pair_has_no_rank_correlation() -> None:
    found = glue.figure(glue.data_of("stsb"), items("stsb"), (2.5,) * len(items("stsb")))
    assert np.isnan(found.value)
    assert found.against(0.0) == "undecided"


def test_an_interval_of_accuracy_in_one_language_is_wilsons() -> None:
    asked = items("rte", "ko")
    told = tuple(item.label if n % 4 else "?" for n, item in enumerate(asked))
    found = glue.figure(glue.data_of("rte"), asked, told)  # type: ignore[arg-type]
    assert (found.low, found.high) == pytest.approx(wilson_interval(30, 40))


@pytest.mark.parametrize("task", ["rte", "mrpc", "cola", "stsb"])
def test_the_same_answers_in_both_languages_make_no_interval_narrower(task: str) -> None:
    english, korean = items(task, "en"), items(task, "ko")
    told = some_answers(task, len(english))
    twins = tuple(
        LabelledItem("ko", "held_out", two.texts, one.label) for one, two in zip(english, korean, strict=True)
    )
    alone = glue.figure(glue.data_of(task), english, told)
    both = glue.figure(glue.data_of(task), (*english, *twins), (*told, *told))  # type: ignore[arg-type]
    assert both.n == 2 * alone.n
    assert (both.value, both.low, both.high) == pytest.approx((alone.value, alone.low, alone.high))


def test_a_guesser_is_called_better_than_chance_about_once_in_forty() -> None:
    asked = items("cola", "en")
    named = [
        glue.figure(glue.data_of("cola"), asked, some_answers("cola", 40)).against(0.0) for _ in range(200)
    ]
    assert named.count("above") / 200 < 0.08
    assert named.count("undecided") / 200 > 0.85


def test_too_few_answers_and_no_items_are_refused() -> None:
    with pytest.raises(ValueError, match="1 answers to 40 items"):
        glue.figure(glue.data_of("rte"), items("rte", "en"), ("entailment",))
    with pytest.raises(ValueError, match="0 answers to 0 items"):
        glue.figure(glue.data_of("rte"), (), ())


# ---------------------------------------------------------------- what a decoder reads


@pytest.mark.parametrize("task", glue.TASKS)
def test_a_prompt_shows_training_items_only_and_ends_before_the_label(task: str) -> None:
    learned = {item.fingerprint for item in glue.data_of(task).part("train", ("en", "ko"))}
    for language in ("en", "ko"):
        shown = glue.shots(task, language)
        assert {item.fingerprint for item in shown} <= learned
        counts = [sum(one.label == label for one in shown) for label in {one.label for one in shown}]
        assert len(set(counts)) == 1
        item = items(task, language)[0]
        text = glue.prompt(task, item, few_shot=True)
        assert all(part in text for part in item.texts)
        assert text.count(f"{glue.TASKS[task].output}:") == len(shown) + 1
        assert text.endswith(f"{glue.TASKS[task].output}:")
        bare = glue.prompt(task, item, few_shot=False)
        assert text.endswith(bare.partition("\n\n")[2])
        assert len(glue.TASKS[task].words) == (len(glue.data_of(task).labels) or 6)


@given(st_.lists(st_.floats(0.01, 1), min_size=6, max_size=6))
def test_of_grades_the_mean_is_told_and_of_labels_the_most_probable(weights: list[float]) -> None:
    probs = np.array(weights) / sum(weights)
    assert glue.answer_of("stsb", probs.tolist()) == pytest.approx(sum(n * p for n, p in enumerate(probs)))
    three = probs[:3] / probs[:3].sum()
    assert glue.answer_of("mnli", three.tolist()) == glue.data_of("mnli").labels[int(three.argmax())]


def test_the_real_sizes_are_those_of_the_data_cards() -> None:
    assert tuple(task.n_validation for task in glue.TASKS.values()) == SIZES


# ---------------------------------------------------------------- how many items


@pytest.mark.parametrize(("worse", "better"), [(0.7, 0.75), (0.5, 0.6), (0.9, 0.95)])
def test_so_many_items_tell_two_models_apart_in_8_of_10_measurements(worse: float, better: float) -> None:
    n = glue.items_to_tell(worse, better)
    first, second = (RNG.binomial(n, share, 20_000) / n for share in (worse, better))
    mean = (first + second) / 2
    z = (second - first) / np.sqrt(2 * mean * (1 - mean) / n)
    told = np.mean(2 * norm.sf(np.abs(z)) < 0.05)
    assert told == pytest.approx(0.8, abs=0.02)


def test_items_to_tell_refuses_what_is_no_difference() -> None:
    for worse, better in ((0.7, 0.7), (0.8, 0.7), (-0.1, 0.5), (0.5, 1.2)):
        with pytest.raises(ValueError, match="shares"):
            glue.items_to_tell(worse, better)


# ---------------------------------------------------------------- the file


def test_answers_come_back_from_their_file() -> None:
    told = [
        Answered("head", task, "a/b", "c", some_answers(task, 80), n_trained=7)  # type: ignore[arg-type]
        for task in ("mnli", "rte")
    ]
    assert read(written(told)) == tuple(told)
    numbers = Answered("few", "stsb", "a/b", "c", (1.23456, 5.0))
    assert read(written([numbers]))[0].answers == (1.2346, 5.0)


def test_the_baseline_answers_every_held_out_item() -> None:
    for task in glue.TASKS:
        assert (
            len(words_told(task)) == len(held_out(task)) == figure_of(task, ("en", "ko"), words_told(task)).n
        )
        assert 0 <= chance_of(task, ("en",)) < 1
