"""The allow-list says what each model can do, and lets nothing else in."""

from __future__ import annotations

import json
import re
from itertools import groupby
from pathlib import Path

import pytest

from playground.engine.models.catalogue import GROUPS, catalogue, group_of, model_folder
from playground.engine.models.embedded import WHEELS, find_weights
from playground.engine.models.families.table import FAMILIES
from playground.engine.models.listed_models import COMMITS, LISTED
from playground.engine.models.shipped import SHIPPED
from playground.errors import BadValue
from playground.settings import DEFAULT_DECODER, DEFAULT_ENCODER, MULTILINGUAL_ENCODER, Settings
from tests import tiny


def test_the_embedded_models_come_first() -> None:
    entries = list(catalogue(Settings()).values())
    embedded = [DEFAULT_DECODER, DEFAULT_ENCODER, MULTILINGUAL_ENCODER, *SHIPPED]
    assert [entry.model_id for entry in entries if entry.source == "embedded"] == embedded
    assert [entry.model_id for entry in entries[: len(embedded)]] == embedded == [*WHEELS, *SHIPPED]


def test_every_entry_says_languages_licence_and_size() -> None:
    for entry in catalogue(Settings()).values():
        assert entry.languages
        assert entry.licence
        least = 0 if entry.model_id in SHIPPED else 50 * 10**6
        assert least < entry.size_bytes < Settings().max_download_bytes


def test_models_are_listed_by_what_they_read_and_each_family_in_one_place() -> None:
    listed = [entry for entry in catalogue(Settings()).values() if entry.source == "hub"]
    groups = [group_of(entry) for entry in listed]
    assert groups == sorted(groups, key=GROUPS.index)
    assert set(groups) == {"korean", "english", "many"}
    runs = [families for families, _same in groupby((group_of(entry), entry.kind) for entry in listed)]
    assert len(runs) == len(set(runs)), "decoders, encoders, encoder-decoders"


def test_no_row_is_written_twice_and_every_pin_is_of_a_row() -> None:
    for column in ([row.model_id for row in LISTED], [row.name for row in LISTED]):
        assert len(set(column)) == len(column)
    assert set(COMMITS) <= {row.model_id for row in LISTED}
    assert all(re.fullmatch(r"[0-9a-f]{40}|refs/pr/\d+", commit) for commit in COMMITS.values())


def test_a_model_that_is_said_to_fill_masks_is_of_a_family_with_a_head_for_it() -> None:
    for row in LISTED:
        assert not row.fills or FAMILIES[row.family].masked_head
        assert not row.chats or FAMILIES[row.family].kind == "decoder"


def test_there_is_a_model_that_reads_korean_for_every_kind_of_page() -> None:
    read_korean = [entry for entry in catalogue(Settings()).values() if "ko" in entry.languages]
    abilities = {ability for entry in read_korean for ability in entry.capabilities}
    assert {"generate", "fill", "chat_template", "attentions", "hidden_states"} <= abilities


@pytest.mark.parametrize(
    ("kind", "can", "cannot"),
    [
        ("decoder", {"attentions", "hidden_states", "logits", "generate"}, set()),
        ("encoder", {"attentions", "hidden_states"}, {"logits", "generate", "chat_template"}),
        ("encoder-decoder", {"attentions", "hidden_states", "logits", "generate_target"}, {"generate"}),
    ],
)
def test_capabilities_follow_the_kind(
    tiny_settings: Settings, kind: str, can: set[str], cannot: set[str]
) -> None:
    found = [entry for entry in catalogue(tiny_settings).values() if entry.kind == kind]
    assert found
    for entry in found:
        assert can <= entry.capabilities
        assert not cannot & entry.capabilities


def test_a_teachers_model_is_described_by_its_folder(tiny_settings: Settings) -> None:
    entries = catalogue(tiny_settings)
    assert [entries[model_id].family for model_id in tiny.FAMILIES] == ["llama", "gpt2", "bert", "t5"]
    assert "chat_template" not in entries[tiny.LLAMA].capabilities


def test_a_chat_template_in_the_folder_is_a_capability(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path, extra_models=("a/chat", "a/old-chat"))
    for model_id in settings.extra_models:
        folder = model_folder(model_id, settings)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text('{"model_type": "llama"}')
    (model_folder("a/chat", settings) / "chat_template.jinja").write_text("{{ messages }}")
    (model_folder("a/old-chat", settings) / "tokenizer_config.json").write_text(
        json.dumps({"chat_template": "{{ messages }}"})
    )
    for model_id in settings.extra_models:
        assert "chat_template" in catalogue(settings)[model_id].capabilities


def test_makers_say_how_much_of_a_text_is_in_a_sentence_vector(tmp_path: Path) -> None:
    weights = find_weights(WHEELS[DEFAULT_ENCODER])
    assert weights is not None
    theirs = json.loads((weights.parent / "sentence_bert_config.json").read_text("utf-8"))
    assert catalogue(Settings())[DEFAULT_ENCODER].max_seq_length == theirs["max_seq_length"] == 256
    settings = Settings(cache_dir=tmp_path, extra_models=("a/says", "a/says-not"))
    for model_id in settings.extra_models:
        folder = model_folder(model_id, settings)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text('{"model_type": "bert"}')
    (model_folder("a/says", settings) / "sentence_bert_config.json").write_text('{"max_seq_length": 128}')
    found = catalogue(settings)
    assert (found["a/says"].max_seq_length, found["a/says-not"].max_seq_length) == (128, 0)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "sentence_bert_config.json"])
@pytest.mark.parametrize("damage", ["", '{"model_type": "be', "1", '["bert"]'])
def test_a_damaged_file_of_a_teachers_model_leaves_the_list_whole(
    tmp_path: Path, name: str, damage: str
) -> None:
    settings = Settings(cache_dir=tmp_path, extra_models=("a/damaged",))
    folder = model_folder("a/damaged", settings)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / name).write_text(damage)
    assert "a/damaged" in catalogue(settings)


def test_a_teachers_model_of_an_unknown_family_can_do_nothing(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path, extra_models=("a/mamba",))
    folder = model_folder("a/mamba", settings)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "mamba"}')
    assert catalogue(settings)["a/mamba"].capabilities == frozenset()


def test_a_model_of_the_list_keeps_its_line_when_a_teacher_adds_it_again() -> None:
    assert catalogue(Settings(extra_models=("gpt2",)))["gpt2"].licence == "MIT"


@pytest.mark.parametrize(
    "model_id",
    [
        "",
        "..",
        "a/..",
        "../b",
        "/etc/passwd",
        "a/b/c",
        "a b",
        "a\\b",
        "a/b\n",
        "모델/이름",
        "https://x/y",
        ".",
    ],
)
def test_an_id_that_is_no_model_id_is_refused(model_id: str) -> None:
    with pytest.raises(BadValue):
        catalogue(Settings(extra_models=(model_id,)))


def test_a_bare_legacy_name_is_a_model_id(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path, extra_models=("t5-small",))
    assert catalogue(settings)["t5-small"].name == "t5-small"
    assert model_folder("t5-small", settings) == tmp_path / "models" / "t5-small"
