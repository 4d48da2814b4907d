"""Three prompts on the same problems: what may be said of the counts, and the code shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.core.few_shot import Example
from playground.core.sampling import GREEDY
from playground.core.voting import last_number
from playground.engine.process import SharedEngine
from playground.settings import Settings
from playground.ui import show
from tests.pages.conftest import OpenApp
from tests.pages.shown import HALF, run_script
from tests.pages.thinking.thought import (
    CHAT,
    NO_CHAT,
    SHORT,
    answered,
    engines_own,
    run_of,
    tables,
    words_of,
)


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch, tiny_settings: Settings) -> list[str]:
    """The code of every picture of this panel that was drawn."""
    shown: list[str] = []
    code = show.code

    def seen(name: str, **values: object) -> str:
        script = code(name, **values)
        if name == "thinking":
            shown.append(script)
        return script

    monkeypatch.setattr(show, "settings", lambda: tiny_settings)
    monkeypatch.setattr(show, "code", seen)
    return shown


def test_what_the_intervals_allow_to_say(
    open_app: OpenApp, tiny_engine: SharedEngine, problems: list[Example]
) -> None:
    """Twenty times a problem that the plain prompt answers with the label and the last one does not."""
    engine = tiny_engine.get(timeout_s=180)

    def number(prompt: str, text: str) -> str | None:
        return last_number(engines_own(engine, f"{prompt} {text} =", CHAT, sampling=GREEDY))

    texts = (f"{word} {digit}" for word in ("cat", "dog", "3 +", "the") for digit in range(10))
    text, label = next(
        (text, found)
        for text in texts
        if (found := number("plain", text)) is not None and found != number("steps", text)
    )
    problems[:] = [Example(text, label)] * 20
    app = answered(open_app, **(SHORT | {"pro_think_role_en": SHORT["pro_think_plain_en"]}))
    assert tables(app)[0]["n_right"].tolist() == [20, 20, 0]
    assert ":blue[**Step by step**] makes this model **worse**" in words_of(app)
    assert "Of :blue[**Role**] nothing can be said" in words_of(app)
    turned = {"plain": SHORT["pro_think_steps_en"], "steps": SHORT["pro_think_plain_en"]}
    app = answered(open_app, **(SHORT | {f"pro_think_{one}_en": text for one, text in turned.items()}))
    assert ":blue[**Step by step**] **helps** this model" in words_of(app)
    problems[:] = [Example(text, "-1")] * 20
    app = answered(open_app, **SHORT)
    assert "**nothing can be said** about which prompt is better" in words_of(app)
    assert "**worse**" not in words_of(app)


@pytest.mark.parametrize(("votes", "model"), [("1", CHAT), ("1", NO_CHAT), ("3", CHAT)])
@pytest.mark.usefixtures("problems")
def test_the_code_shown_gives_transcripts_and_accuracies(
    votes: str, model: str, open_app: OpenApp, scripts: list[str], tmp_path: Path
) -> None:
    app = answered(open_app, model=model, pro_think_votes=votes, **SHORT)
    run = run_of(app)
    found, _printed = run_script(scripts[-1], tmp_path)
    mine = [one.text for one in run.written]
    written = [text for texts in found["transcripts"] for text in texts]
    assert len(written) == len(mine)
    assert all(text in (own, own + HALF) for text, own in zip(written, mine, strict=True))
    assert found["accuracies"] == pytest.approx(tables(app)[0]["accuracy"].tolist())
    for text in (*mine, "10-4. Answer: 1,200.0 won", "7, 8, 답: 없음", "-5"):
        assert found["number"](text) == last_number(text)
