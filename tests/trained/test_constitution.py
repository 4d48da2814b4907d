"""The shipped chains of a constitution: their note is true, their script writes them again."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from playground.core import constitution as core
from playground.core.constitution_chains import FILE, FOLDER, shipped
from playground.engine import create_engine
from playground.engine.contract.traces import TraceRequest
from playground.engine.models import whole_folder
from playground.engine.models.shipped import trained_assets
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained import constitution as script
from playground.trained.scripts import SCRIPTS


def test_the_note_counts_the_chains() -> None:
    folder = trained_assets() / FOLDER
    said = json.loads((folder / whole_folder.METADATA).read_text("utf-8"))
    assert said["revision"] == said["files"][FILE]["sha256"] == whole_folder.sha256_of(folder / FILE)
    assert said["script"] == script.__name__
    assert FOLDER in SCRIPTS
    assert said["figures"] == asdict(script.counted_all(shipped()))
    rules = core.constitution("en").rules[: script.N_RULES]
    assert {rule: tuple(one.attack for one in chains) for rule, chains in shipped().chains.items()} == {
        one.rule: one.attacks for one in rules
    }


@pytest.mark.real
def test_the_script_writes_the_first_chain_again(real_settings: Settings) -> None:
    words = core.constitution("en")
    rule = words.rules[0]
    engine = create_engine(real_settings)
    try:
        engine.trace(TraceRequest(DEFAULT_DECODER, "a"))
        (again,) = script.chains_of(engine, words, [(rule.rule, rule.attacks[0])])
    finally:
        engine.close()
    known = shipped().chains[rule.rule][0]
    assert again.answer[:40] == known.answer[:40]
