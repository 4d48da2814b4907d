"""The objectives machine and the minimal pairs on tiny models: examples, losses, counts, code, files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.objectives.span_corruption import restore
from playground.engine.contract.engine import Engine
from playground.engine.contract.filling import FillRequest
from playground.settings import Settings
from playground.ui import show, state
from playground.ui.masked.pairs import ours
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.shown import charts, run_script, upload

TEXT = "The cat sat on the mat. The dog sat on the cat. He said no."
ASKED = ("mlm", "words", "next", "tlm")
ALONE = ("spans", "boundary", "replaced", "nsp", "sop")
Shown = Callable[[str], str]


def told(app: AppTest) -> str:
    assert not app.exception
    return "\n".join(str(element.value) for element in (*app.markdown, *app.info, *app.caption, *app.warning))


def example(app: AppTest) -> list[dict[str, Any]]:
    assert not app.exception
    protos = [element.proto for element in app.get("bidi_component")]
    found = next(proto for proto in protos if proto.component_name == "playground.example_rows")
    rows: list[dict[str, Any]] = json.loads(found.json)["rows"]
    return rows


@pytest.fixture
def shown_code(tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """The code under a picture, once its page was opened."""
    monkeypatch.setattr(show, "settings", lambda: tiny_settings)
    codes: dict[str, str] = {}
    under = show.under_picture

    def seen(name: str, *, code: Any, **values: Any) -> None:
        codes[name] = code() if callable(code) else code
        under(name, code=code, **values)

    monkeypatch.setattr(show, "under_picture", seen)
    return codes.__getitem__


# ---------------------------------------------------------------- objectives


@pytest.mark.parametrize("objective", ["mlm", "words", "tlm"])
def test_the_code_makes_the_same_example_with_the_same_losses(
    objective: str, open_app: OpenApp, shown_code: Shown, tmp_path: Path
) -> None:
    link = {"mas_source": "mine", "mas_objective": objective, "mas_seed": "3"}
    app = open_app("masked", lang="en", text=TEXT, **link)
    losses = charts(app)[1]
    code, _printed = run_script(shown_code("objective"), tmp_path)
    np.testing.assert_allclose(losses["surprisal_bits"], code["losses"], atol=1e-4)
    assert (losses["step"] - 1).tolist() == code["chosen"]
    kinds = {"mask": "masked", "random": "replaced", "kept": "kept"}
    assert [kinds[kind] for kind in losses["kind"]] == code["fates"].tolist()
    pieces = [piece for row in example(app) for piece in row["pieces"]]
    assert [at for at, (_label, _kind, below) in enumerate(pieces) if below] == code["chosen"]
    counts = [int((code["fates"] == fate).sum()) for fate in ("masked", "replaced", "kept")]
    assert "{} masked, {} replaced, {} left".format(*counts) in told(app)


def test_the_next_token_is_the_text_one_step_later(
    open_app: OpenApp, shown_code: Shown, tmp_path: Path
) -> None:
    app = open_app("masked", lang="en", text=TEXT, mas_source="mine", mas_objective="next")
    (row,) = example(app)
    labels = [label for label, _kind, _below in row["pieces"]]
    assert [below for _label, _kind, below in row["pieces"]] == [*labels[1:], ""]
    code, _printed = run_script(shown_code("objective"), tmp_path)
    np.testing.assert_allclose(charts(app)[1]["surprisal_bits"], code["surprisals"], atol=1e-4)


def test_spans_and_their_code_restore_the_text(
    open_app: OpenApp, engine: Engine, shown_code: Shown, tmp_path: Path
) -> None:
    app = open_app("masked", lang="en", text=TEXT, mas_source="mine", mas_objective="spans", mas_seed="5")
    code, _printed = run_script(shown_code("objective"), tmp_path)

    def ids(sequence: list[int | str]) -> tuple[int, ...]:
        return tuple(-1 - int(re.sub(r"\D", "", one)) if isinstance(one, str) else one for one in sequence)

    whole = engine.tokenizers.tokenize(tiny.MASKED, TEXT, add_special_tokens=False)
    assert restore(ids(code["encoder"]), ids(code["decoder"])) == whole.input_ids
    read, written = example(app)
    assert len(read["pieces"]) == len(code["encoder"])
    for piece, one in zip(written["pieces"], code["decoder"], strict=True):
        assert piece[0] == one if isinstance(one, str) else piece[1] == "plain"
    assert "No model here writes sentinels" in told(app)


def test_the_border_and_the_generator_are_those_of_the_code(
    open_app: OpenApp, shown_code: Shown, tmp_path: Path
) -> None:
    link = {"mas_source": "mine", "mas_seed": "4"}
    app = open_app("masked", lang="en", text=TEXT, mas_objective="boundary", **link)
    code, _printed = run_script(shown_code("objective"), tmp_path)
    read, answers = example(app)
    assert len(answers["pieces"]) == len(code["targets"])
    hidden = [at for at, (_label, _kind, below) in enumerate(read["pieces"]) if below]
    assert hidden == [at for at, *_rest in code["targets"]]
    for piece, (at, left, right, offset) in zip(answers["pieces"], code["targets"], strict=True):
        assert piece[0] == read["pieces"][at][2]
        assert piece[2] == f"{read['pieces'][left][0]} … {read['pieces'][right][0]}, {offset}"

    app = open_app("masked", lang="en", text=TEXT, mas_objective="replaced", **link)
    code, _printed = run_script(shown_code("objective"), tmp_path)
    (row,) = example(app)
    new = [at for at, (_label, kind, _below) in enumerate(row["pieces"]) if kind == "false"]
    assert new == [at for at, (a, b) in enumerate(zip(code["ids"], code["input_ids"], strict=True)) if a != b]


@pytest.mark.parametrize("objective", ["nsp", "sop"])
def test_sentence_pairs_are_those_of_the_code(
    objective: str, open_app: OpenApp, shown_code: Shown, tmp_path: Path
) -> None:
    answers = set()
    for seed in range(4):
        link = {"mas_source": "mine", "mas_objective": objective, "mas_seed": str(seed)}
        app = open_app("masked", lang="en", text=TEXT, **link)
        code, printed = run_script(shown_code("objective"), tmp_path)
        first, _second, answer = example(app)
        assert code["first"] in TEXT
        assert len(first["pieces"]) > 3
        ((_label, kind, _below),) = answer["pieces"]
        assert kind == ("true" if code["is_true"] else "false")
        answers.add(printed.split("\n")[2])
    assert len(answers) == 2, "both answers within four seeds"
    one = open_app("masked", lang="en", text="One sentence", mas_source="mine", mas_objective=objective)
    assert "one sentence only" in told(one)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_who_cannot_be_asked_is_told(language: str, open_app: OpenApp) -> None:
    for objective in (*ASKED, *ALONE):
        app = open_app("masked", lang=language, text=TEXT, mas_source="mine", mas_objective=objective)
        captions = " ".join(one.value for one in app.caption)
        alone = re.search("the example alone|예시만 보여", captions)
        assert bool(alone) is (objective in ALONE), objective
        assert len(charts(app)) == (1 if objective in ALONE else 2)


def test_more_places_than_are_asked_are_an_example_without_losses(
    open_app: OpenApp, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = tiny_settings.model_copy(update={"max_tokens_all_heads": 2})
    monkeypatch.setattr(state, "settings", lambda: few)
    app = open_app("masked", lang="en", text=TEXT, mas_objective="mlm")
    assert sum(bool(below) for row in example(app) for _label, _kind, below in row["pieces"]) > 2
    assert "too long for the model" in told(app)
    assert example(app)


# ---------------------------------------------------------------- minimal pairs


def pll(engine: Engine, text: str) -> float:
    """Bits of a text, one reading per token."""
    tokens, total = engine.tokenizers.tokenize(tiny.MASKED, text, add_special_tokens=True), 0.0
    mask = engine.tokenizers.info(tiny.MASKED).mask_id
    assert mask is not None
    for at, special in enumerate(tokens.special):
        if not special:
            ids = (*tokens.input_ids[:at], mask, *tokens.input_ids[at + 1 :])
            filled = engine.fill(FillRequest(tiny.MASKED, input_ids=ids, token_ids=(tokens.input_ids[at],)))
            total -= float(filled.token_logprobs[0, 0]) / float(np.log(2))
    return total


CSV = (
    "group,sentence_a,sentence_b\n"
    "one,the cat sat,the dog sat\n"
    "one,the mat,the cat on\n"
    "two,the dog and the cat,the cat and the dog\n"
    f"two,{'the ' * 45},short\n"  # more tokens than are masked one by one
)


def test_own_pairs_are_measured_as_sums_of_single_masks(
    open_app: OpenApp, engine: Engine, shown_code: Shown, tmp_path: Path
) -> None:
    app = open_app("masked", lang="en", text=TEXT, mas_panel="pairs", mas_pairs_of="mine")
    assert "Upload a file" in told(app)
    csv = CSV.replace("the " * 45, "a b c d e f g h i j k l m n o p q r s t u v w x y z " * 3)
    upload(app, "mas_pairs_upload", "pairs.csv", csv.encode())
    app.button(key="mas_measure").click().run()
    table = charts(app)[1]
    assert table["group"].tolist() == ["one", "one", "two"]
    for row in table.itertuples():
        assert row.bits_a == pytest.approx(pll(engine, row.sentence_a), abs=1e-3)
        assert row.difference_bits == pytest.approx(row.bits_b - row.bits_a)
    assert "pairs 4" in told(app)
    code, _printed = run_script(shown_code("minimal_pairs"), tmp_path)
    np.testing.assert_allclose(table["difference_bits"], code["differences"], atol=1e-3)
    counts = app.dataframe[-1].value
    assert counts["Pairs"].tolist() == [2, 1]
    assert counts["A preferred"].sum() == (table["difference_bits"] > 0.01).sum()
    assert f"in {counts['A preferred'][0]} of 2 pairs" in told(app)


def test_one_pair_of_ours_is_measured_at_once(open_app: OpenApp) -> None:
    app = open_app("masked", lang="ko", text=TEXT, mas_panel="pairs")
    assert len(charts(app)[1]) == 1
    assert app.button(key="mas_measure").label == f"나머지 {len(ours('ko')) - 1}쌍도 재기"


def test_a_file_without_pairs_is_refused(open_app: OpenApp) -> None:
    app = open_app("masked", lang="en", text=TEXT, mas_panel="pairs", mas_pairs_of="mine")
    upload(app, "mas_pairs_upload", "pairs.csv", b"sentence_a,sentence_b\nsame,same\n", use=False)
    assert any("no row with two different sentences" in one.value for one in app.error)
    assert app.button(key="mas_pairs_upload_use").disabled


def test_pairs_beyond_the_limit_are_told_with_that_limit(open_app: OpenApp, tiny_settings: Settings) -> None:
    app = open_app("masked", lang="en", text=TEXT, mas_panel="pairs", mas_pairs_of="mine")
    limit = tiny_settings.max_minimal_pairs
    rows = "".join(f"he is {n},she is {n}\n" for n in range(limit + 1))
    upload(app, "mas_pairs_upload", "pairs.csv", f"sentence_a,sentence_b\n{rows}".encode(), use=False)
    assert f"The file is longer than {limit} rows: the last one was not read." in [
        one.value for one in app.warning
    ]
