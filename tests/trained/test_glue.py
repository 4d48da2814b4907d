"""The shipped answers to the nine sets: what their note says, and what the models tell again."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from playground.core.glue import TASKS, data_of, figure
from playground.core.glue_answers import FILE, FOLDER, WAYS, held_out, read, shipped, written
from playground.engine import create_engine
from playground.engine.local.engine import LocalEngine
from playground.engine.models import whole_folder
from playground.engine.models.shipped import trained_assets
from playground.settings import DEFAULT_DECODER, MULTILINGUAL_ENCODER, Settings
from playground.trained import glue as script
from playground.trained.scripts import SCRIPTS

PLACE = trained_assets() / FOLDER
MARGIN = 2  # answers: another processor rounds otherwise


def test_every_byte_is_in_the_note() -> None:
    said = json.loads((PLACE / whole_folder.METADATA).read_text("utf-8"))
    assert whole_folder.damage(PLACE) == ""
    assert {path.name for path in PLACE.iterdir()} == {FILE, whole_folder.METADATA}
    assert said["revision"] == whole_folder.sha256_of(PLACE / FILE)
    assert (said["script"], said["seed"]) == (script.__name__, script.SEED)
    assert said["figures"] == {"n_answers": len(shipped())}
    assert said["source"] == f"python -m playground.trained {FOLDER}"
    assert FOLDER in SCRIPTS
    assert (PLACE / FILE).stat().st_size < 100_000


def test_every_task_is_answered_whole_by_every_way() -> None:
    asked = {(one.way, one.task) for one in shipped()}
    assert len(asked) == len(shipped())
    assert asked == {
        (way, task) for way in WAYS for task in TASKS if way != "adapter" or task in script.ADAPTED
    }
    for one in shipped():
        data, items = data_of(one.task), held_out(one.task)
        assert len(one.answers) == len(items)
        assert set(one.answers) <= set(data.labels) or not data.labels
        assert -1 <= figure(data, items, one.answers).value <= 1
        assert one.model_id == (MULTILINGUAL_ENCODER if one.way == "head" else DEFAULT_DECODER)
        assert (one.n_trained > 0) is (one.way in ("head", "adapter"))
    assert read(written(shipped())) == shipped()


@pytest.fixture(scope="module")
def real_engine() -> Iterator[LocalEngine]:
    engine = create_engine(Settings(device="cpu", torch_threads=1))
    assert isinstance(engine, LocalEngine)
    yield engine
    engine.close()


@pytest.mark.real
@pytest.mark.parametrize(("way", "task"), [("head", "sst2"), ("zero", "cola"), ("few", "cola")])
def test_the_models_tell_the_same_again(
    real_engine: LocalEngine, with_e5: Settings, monkeypatch: pytest.MonkeyPatch, way: str, task: str
) -> None:
    """A shortened run: some of the items, and the head's training items all of them."""
    known = next(one for one in shipped() if (one.way, one.task) == (way, task))
    items = held_out(task)
    some = items if way == "head" else items[:6]
    monkeypatch.setattr(script, "held_out", lambda _task: some)
    if way == "head":
        told = script.by_head(real_engine, script._ready(real_engine, MULTILINGUAL_ENCODER), task)
        assert told.n_trained == known.n_trained
    else:
        decoder = script._ready(real_engine, DEFAULT_DECODER)
        told = script.by_words(real_engine, decoder, task, way)  # type: ignore[arg-type]
    differ = sum(a != b for a, b in zip(told.answers, known.answers[: len(some)], strict=True))
    assert differ <= MARGIN
    assert told.revision == known.revision
