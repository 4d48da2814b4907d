"""The panel of the constitution: chains by the code shown, the pairs they give, and what cannot be asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground.core import constitution as core
from playground.core.constitution import Constitution
from playground.core.constitution import constitution as words_of
from playground.core.constitution_chains import (
    Chain,
    ShippedChains,
    counted,
    read,
    shipped,
    written,
)
from playground.core.tables import alignment_constitution as frames
from playground.settings import Settings
from playground.ui.alignment import chains, constitution
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import HALF, folder, run_code

LINK = {
    "al_panel": "constitution",
    "al_rule": "own",
    "al_own_rule": "Be polite.",
    "al_attacks_own": "the cat\nthe dog",
}


def said(app: AppTest) -> str:
    """Everything that the page writes."""
    assert not app.exception
    found = (*app.markdown, *app.caption, *app.info, *app.error, *app.text)
    return "\n".join(one.value for one in found).replace("\\", "")


def test_the_first_picture_is_a_shipped_chain(open_app: OpenApp) -> None:
    app = open_app("alignment", lang="en", al_panel="constitution")
    rule = words_of("en").rules[0]
    given = shipped().chains[rule.rule]
    assert [one.attack for one in given] == list(rule.attacks)
    text = said(app)
    for step in ("attack", "answer", "critique", "revision"):
        assert getattr(given[0], step) in text
    count = counted([one for each in shipped().chains.values() for one in each])
    assert f"({count.n}): revisions that say the same as the answer: {count.n_same}" in text
    assert f"others that it prefers itself: {count.n_preferred} of {count.n_asked}" in text


@pytest.mark.parametrize("model", [tiny.LLAMA, tiny.GPT2])
def test_four_steps_are_written_as_the_code_writes_them_and_kept(
    open_app: OpenApp, tiny_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    words = Constitution("why {rule}", "again {rule}", "{a} or {b}", ())  # short: a tiny model reads little
    monkeypatch.setattr(core, "constitution", lambda _language: words)
    monkeypatch.setattr(chains, "MAX_TOKENS", 10)
    app = open_app("alignment", lang="en", model=model, **LINK)
    app.button(key="al_chain_write").click().run()
    assert not app.exception
    found = app.session_state[constitution.WRITTEN]
    assert found.is_whole
    code = run_code(
        "constitution", tmp_path, folder=folder(tiny_settings, model), rule="Be polite.",
        attacks=["the cat", "the dog"], critique=words.critique, revision=words.revision, choice=words.choice,
        max_new_tokens=10,
    )  # fmt: skip
    write, log_odds = code["write"], code["log_odds"]
    for one in found.chains:  # each step from the page's own texts: a half character would part the rest
        turns = chains.conversation(words, "Be polite.", one, "revision")
        for step, n in (("answer", 1), ("critique", 3), ("revision", 5)):
            assert write(list(turns[:n])).rstrip(HALF) == getattr(one, step).rstrip(HALF)
        if one.pair is not None:
            as_b, as_a = (
                log_odds(text)
                for text in core.choices(words, "Be polite.", one.attack, one.answer, one.revision)
            )
            assert one.preference == pytest.approx((as_b - as_a) / 2, abs=1e-3)
    assert len(code["chains"]) == len(found.chains) == 2
    table = frames.chains(found.chains)
    assert table["gives_pair"].tolist() == [one.pair is not None for one in found.chains]
    n_pairs = sum(one.pair is not None for one in found.chains)
    if n_pairs:
        app.button(key="al_keep").click().run()
        app.button(key="al_keep").click().run()
        assert len(app.session_state[constitution.KEPT]) == n_pairs
        app.button(key="al_forget").click().run()
        assert app.session_state[constitution.KEPT] == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"al_own_rule": " "}, "a sentence of 1 to 200 characters"),
        ({"al_attacks_own": " \n "}, "Type at least one attack."),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(open_app: OpenApp, change: dict[str, str], told: str) -> None:
    app = open_app("alignment", lang="en", **(LINK | change))
    assert told in said(app)


def test_chains_are_counted_and_read_back() -> None:
    same = Chain("a", "b", "c", " b")
    mine = Chain("a", "b", "c", "d", -0.5)
    assert same.pair is None
    assert mine.pair is not None
    assert counted([same, mine]).n_preferred == 0
    table = ShippedChains("m", "r", {"rule": (same, mine)})
    assert read(written(table)) == table
    assert "does not prefer it" in constitution._of_chain(mine)
