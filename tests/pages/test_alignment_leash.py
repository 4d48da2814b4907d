"""The panel of the leash: its numbers by the code shown, by hand, and with bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.policy.leash import kl_divergence, tilted
from playground.core.policy.outcomes import outcomes, path, sampled
from playground.core.rewards import TextReward, rewards_of
from playground.core.tables import alignment_leash as frames
from playground.engine.local.engine import LocalEngine
from playground.settings import Settings
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import folder, run_code

PROMPT = "the cat sat"


def sent(app: AppTest) -> dict[str, Any]:
    """The data of the picture."""
    assert not app.exception
    protos = [element.proto for element in app.get("bidi_component")]
    return dict(json.loads(next(one.json for one in protos if one.component_name == "playground.tilt")))


def test_groups_of_outcomes_lose_nothing() -> None:
    random = np.random.default_rng(0)
    probs, rewards = random.dirichlet(np.ones(500)), random.integers(0, 9, 500).astype(float)
    choice = outcomes(probs, rewards)
    assert 8 <= len(choice.probs) <= 14
    for beta in (0.05, 0.5, 3.0):
        whole = tilted(np.log(probs), rewards, beta)
        found = choice.at(beta)
        np.testing.assert_allclose(found.probs, np.exp(whole)[choice.places])
        assert found.reward == pytest.approx(float(np.exp(whole) @ rewards))
        assert found.kl == pytest.approx(float(kl_divergence(whole, np.log(probs))))
    slack = path(choice, (0.1, 1.0, 10.0))
    assert (np.diff(slack, axis=0) < 0).all()  # a shorter leash: less reward, less KL


def test_samples_weigh_the_same_and_reach_at_most_the_log_of_their_number() -> None:
    choice = sampled([1.0, 1.0, 4.0, 2.0])
    assert choice.at(1e9).probs.tolist() == pytest.approx([0.25] * 4)
    assert choice.at(0.01).kl == pytest.approx(np.log(4))
    assert choice.at(0.01).reward == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("model", "kind", "wanted"),
    [(tiny.LLAMA, "characters", ""), (tiny.GPT2, "mentions", "a"), (tiny.LLAMA, "pattern", r"[aeiou]")],
)
def test_the_code_shown_gives_the_numbers_of_the_next_token(
    open_app: OpenApp,
    engine: LocalEngine,
    tiny_settings: Settings,
    tmp_path: Path,
    model: str,
    kind: str,
    wanted: str,
) -> None:
    link = {"al_panel": "leash", "al_asked": PROMPT, "al_reward": kind, "model": model}
    if wanted:
        link["al_word" if kind == "mentions" else "al_pattern"] = wanted
    data = sent(open_app("alignment", lang="en", **link))
    tokens = engine.tokenizers.tokenize(model, f"{PROMPT}\n", add_special_tokens=True)
    code = run_code(
        "leash", tmp_path, folder=folder(tiny_settings, model), input_ids=list(tokens.input_ids), kind=kind,
        wanted=wanted, sign=1, places=list(range(len(data["labels"]))),
    )  # fmt: skip
    reference, rewards = code["reference"].numpy(), code["rewards"].numpy()
    choice = outcomes(np.exp(reference), rewards)
    np.testing.assert_allclose(data["probs"], choice.probs, rtol=1e-3)
    np.testing.assert_allclose(data["rewards"], choice.rewards)
    np.testing.assert_allclose(data["rest"][0], choice.rest_probs, rtol=1e-3)
    assert data["rest"][1] == choice.rest_rewards.tolist()
    table = frames.outcomes(choice, data["labels"], "others")
    for beta in frames.BETAS:
        of_code = np.exp((reference + rewards / beta) - np.logaddexp.reduce(reference + rewards / beta))
        np.testing.assert_allclose(table[f"beta {beta:g}"][:-1], of_code[choice.places], rtol=1e-6)


def test_sixteen_answers_are_written_once_and_weighed(
    open_app: OpenApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app("alignment", lang="en", al_panel="leash", al_leash_view="answers", al_asked=PROMPT,
                   al_reward="characters")  # fmt: skip
    assert "each is then an outcome" in "".join(one.value for one in app.caption)
    app.button(key="al_leash_write").click().run()
    data = sent(app)
    assert len(data["labels"]) == 16
    assert data["probs"] == [1 / 16] * 16
    texts = app.session_state["al_leash_written"].texts
    assert data["rewards"] == rewards_of(TextReward("characters"), texts).tolist()
    code = run_code("leash_answers", tmp_path, answers=texts, kind="characters", wanted="", sign=1)
    found = frames.outcomes(sampled(data["rewards"]), data["labels"], "")
    for beta in frames.BETAS:
        np.testing.assert_allclose(found[f"beta {beta:g}"], code["table"][beta])


@pytest.mark.parametrize(
    ("kind", "key", "typed", "said"),
    [
        ("pattern", "al_pattern", "(", "a plain regular expression"),
        ("pattern", "al_pattern", "(a+)+$", ""),
        ("mentions", "al_word", " ", "a word of 1 to 40 characters"),
    ],
)
def test_a_reward_that_cannot_be_is_one_sentence(
    open_app: OpenApp, kind: str, key: str, typed: str, said: str
) -> None:
    app = open_app("alignment", lang="en", al_panel="leash", al_reward=kind, al_asked=PROMPT, **{key: typed})
    assert not app.exception
    told = "".join(one.value for one in app.error).replace("\\", "")
    assert said in told
    assert bool(told) == bool(said)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_flat_reward_is_said(open_app: OpenApp, language: str) -> None:
    app = open_app("alignment", lang=language, al_panel="leash", al_reward="mentions", al_word="zzzzzzzz",
                   al_asked=PROMPT)  # fmt: skip
    said = {"en": "no leash moves anything", "ko": "정책이 움직이지 않습니다"}[language]
    assert said in "".join(one.value for one in app.markdown)
