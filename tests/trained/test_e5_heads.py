"""The shipped task heads: what their notes say is true, and their script makes them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from playground.core.labelled_sets import read_labelled_set
from playground.engine.models import whole_folder
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.shipped import trained_assets
from playground.engine.task_heads.trained import SHIPPED, WEIGHTS, shipped
from playground.paths import site_root
from playground.settings import Settings
from playground.trained import e5_heads as script
from playground.trained.scripts import SCRIPTS

MAX_BYTES = 10**6


@pytest.fixture(scope="module")
def encoder(with_e5: Settings) -> LoadedModel:
    return script.read_encoder(with_e5)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_byte_of_a_head_is_in_its_note(name: str) -> None:
    folder = trained_assets() / name
    said = json.loads((folder / whole_folder.METADATA).read_text("utf-8"))
    assert said["revision"] == said["files"][WEIGHTS]["sha256"] == whole_folder.sha256_of(folder / WEIGHTS)
    assert said["files"].keys() == {WEIGHTS}
    assert (folder / WEIGHTS).stat().st_size <= MAX_BYTES
    assert said["source"] == f"python -m playground.trained {name}"
    assert (said["script"], said["seed"]) == (script.__name__, script.SEED)
    assert said["figures"] == dict(shipped(name).figures)
    assert name in SCRIPTS
    settings = shipped(name).settings
    assert settings == replace(script.RECIPES[name], batch_size=len(shipped(name).trained_on)), "all at once"


def test_the_sentiment_head_has_learned_from_the_training_part_alone() -> None:
    text = (site_root() / "assets" / "samples" / "jobs" / "classification.json").read_text("utf-8")
    items = read_labelled_set(text).items
    learned = set(shipped(script.SENTIMENT).trained_on)
    assert learned == {one.fingerprint for one in items if one.split == "train"}
    assert not learned & {one.fingerprint for one in items if one.split == "held_out"}


@pytest.mark.real
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_head_answers_as_its_note_says(name: str, encoder: LoadedModel) -> None:
    head, texts = shipped(name), script.read_texts(name, encoder)
    held_out = {one.fingerprint for part in texts.held_out.values() for one in part}
    assert not held_out & set(head.trained_on)
    assert script.measured(head, texts, encoder) == pytest.approx(dict(head.figures), abs=1 / 44)


@pytest.mark.real
def test_the_script_makes_the_shipped_head_again(encoder: LoadedModel) -> None:
    texts = script.read_texts(script.SENTIMENT, encoder)
    *_before, (head, loss) = script.trained(script.RECIPES[script.SENTIMENT], texts.train, encoder)
    assert loss < 0.45
    torch.testing.assert_close(head.weight, shipped(script.SENTIMENT).weight, atol=0.05, rtol=0)
    assert head.weight.abs().max() > 1
