"""The shipped answers of the ways: what their note says is true, and their script gives them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

import pytest

from playground.core.glue import SENTIMENT
from playground.core.ways import FILE, FOLDER, WAYS, WayAnswers, held_out, joined, right, scored, shipped
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.contract.scores import ScoreRequest
from playground.engine.models import whole_folder
from playground.engine.models.shipped import trained_assets
from playground.settings import Settings
from playground.trained import ways as script
from playground.trained.scripts import SCRIPTS

N_ASKED = 6  # items of the short version


def of(way: str, *languages: str) -> WayAnswers:
    return next(one for one in shipped() if (one.way, one.languages) == (way, languages))


def test_the_note_has_the_accuracy_of_every_way() -> None:
    folder = trained_assets() / FOLDER
    said = json.loads((folder / whole_folder.METADATA).read_text("utf-8"))
    assert said["revision"] == said["files"][FILE]["sha256"] == whole_folder.sha256_of(folder / FILE)
    assert (said["script"], said["seed"]) == (script.__name__, script.SEED)
    assert FOLDER in SCRIPTS
    assert len(shipped()) == len(WAYS) * len(script.GROUPS)
    for one in shipped():
        hits = right(SENTIMENT, one.languages, one.answers)
        name = f"{one.way}_{'_'.join(one.languages)}"
        assert said["figures"][name] == pytest.approx(sum(hits) / len(hits))
        assert scored(SENTIMENT, one.languages, one.answers).accuracy == pytest.approx(sum(hits) / len(hits))
        assert one.seconds > 0
        assert (one.training_s > 0) == (one.n_trained > 0) == (one.way in ("frozen", "whole", "adapter"))


@pytest.mark.parametrize("way", ["zero", "few"])
def test_a_prompt_answers_both_languages_as_each_alone(way: str) -> None:
    parts = [of(way, language) for language in ("en", "ko")]
    assert joined(parts, ("en", "ko")).answers == of(way, "en", "ko").answers


@pytest.fixture(scope="module")
def engine(with_e5: Settings) -> Iterator[Engine]:
    made = create_engine(with_e5)
    yield made
    made.close()


@pytest.mark.real
def test_the_script_trains_the_same_head_again(engine: Engine, with_e5: Settings) -> None:
    [again] = script.asked(engine, with_e5, ["frozen"], [("en",)])
    same = sum(a == b for a, b in zip(again.answers, of("frozen", "en").answers, strict=True))
    assert same >= len(again.answers) - 2
    assert again.n_trained == of("frozen", "en").n_trained == 2 * 384 + 2


@pytest.mark.real
def test_the_decoder_answers_the_first_items_as_it_did(engine: Engine) -> None:
    one = of("few", "en")
    items = held_out(SENTIMENT, ("en",))[:N_ASKED]
    texts = tuple(script.prompt(SENTIMENT, item, few_shot=True) for item in items)
    asked = engine.score(ScoreRequest(one.model_id, texts, (script.words(SENTIMENT),) * N_ASKED))
    told = [scores.logprobs.index(max(scores.logprobs)) for _place, scores in asked]
    labels = ("negative", "positive")
    assert [labels[place] for place in told] == list(islice(one.answers, N_ASKED))
