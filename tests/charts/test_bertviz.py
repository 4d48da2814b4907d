"""BertViz's views: what BertViz itself would draw, from no other machine, and no text becomes a script."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import bertviz as original
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st_

from playground.charts import bertviz
from playground.charts.labels import width
from playground.paths import site_root
from tests.bertviz_views import HOSTILE, WORDS, draw, names, random_weights


def params(page: str) -> dict[str, Any]:
    """What the script of a view, ours or BertViz's own, is given."""
    found = re.search(r"const params = (\{.*?\}); // HACK", page)
    assert found
    return dict(json.loads(found[1]))


# ---------------------------------------------------------------- the same as BertViz


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("view", ["head", "model"])
@pytest.mark.parametrize("cross", [False, True])
def test_the_script_gets_what_bertviz_itself_gives_it(view: str, cross: bool) -> None:
    weights = random_weights(3, 4, 5, 6 if cross else 5)
    queries, keys = names(5), names(weights.shape[-1])
    tensors = [torch.round(torch.tensor(layer, dtype=torch.float64)[None], decimals=4) for layer in weights]
    kind: dict[str, Any] = (
        {"cross_attention": tensors, "decoder_tokens": queries, "encoder_tokens": keys}
        if cross
        else {"attention": tensors, "tokens": queries}
    )
    if view == "head":
        theirs = original.head_view(**kind, include_layers=[1], html_action="return")
    else:
        theirs = original.model_view(
            **kind, include_layers=[1, 2], display_mode="light", html_action="return"
        )
    expected, found = params(theirs.data), params(draw(view, weights, queries, keys))
    for given_, root in ((expected, "bertviz-"), (found, "bertviz")):
        assert given_.pop("root_div_id").startswith(root)
        given_["attention"][0].pop("name")
    assert found == expected


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_view_of_an_encoder_decoder_gets_what_bertviz_itself_gives_it() -> None:
    encoder, decoder, cross = (random_weights(3, 4, *shape) for shape in ((6, 6), (5, 5), (5, 6)))
    source, target = names(6), [f"w{place}" for place in range(5)]
    tensors = [
        [torch.round(torch.tensor(layer, dtype=torch.float64)[None], decimals=4) for layer in weights]
        for weights in (encoder, decoder, cross)
    ]
    theirs = original.head_view(
        encoder_attention=tensors[0], decoder_attention=tensors[1], cross_attention=tensors[2],
        encoder_tokens=source, decoder_tokens=target, include_layers=[1], html_action="return",
    )  # fmt: skip
    parts = [
        bertviz.Part("Encoder", encoder, source, source),
        bertviz.Part("Decoder", decoder, target, target),
        bertviz.Part("Cross", cross, target, source),
    ]
    page = bertviz.encoder_decoder_view(parts, layer=1, words=WORDS | {"choice": "<b>"}).html
    expected, found = params(theirs.data), params(page)
    assert expected.pop("root_div_id").startswith("bertviz-")
    assert found.pop("root_div_id") == "bertviz"
    assert found == expected
    assert re.findall("<option.*?</option>", page) == re.findall("<option.*?</option>", theirs.data)
    assert "<b>" not in page


def test_the_numbers_are_the_weights_to_four_decimals() -> None:
    weights = random_weights(3, 4, 7, 7)
    attention = params(draw("model", weights, names(7), names(7)))["attention"][0]["attn"]
    np.testing.assert_allclose(attention, weights[1:], atol=5.0001e-5, rtol=0)
    assert all(len(number) <= 6 for number in re.findall(r"0\.\d+", json.dumps(attention)))


def test_a_bertviz_that_changed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    script = bertviz._script("head_view")
    for old in ("const BOXWIDTH = 110;", "const params = PYTHON_PARAMS;"):
        with monkeypatch.context() as patch:
            patch.setattr(bertviz, "_script", lambda _name, old=old: script.replace(old, ""))
            with pytest.raises(LookupError, match="changed"):
                draw("head", random_weights(2, 1, 2, 2), names(2), names(2))


# ---------------------------------------------------------------- nothing escapes, nothing leaves


@pytest.mark.parametrize("view", ["head", "model"])
@given(labels=st_.lists(st_.one_of(st_.text(max_size=6), st_.sampled_from(HOSTILE)), min_size=1, max_size=5))
def test_no_label_becomes_html_or_script(view: str, labels: list[str]) -> None:
    weights = random_weights(3, 2, len(labels), len(labels))
    tame_labels = names(len(labels))
    page, tame = draw(view, weights, labels, labels), draw(view, weights, tame_labels, tame_labels)
    for sign in "<\n":
        assert page.count(sign) == tame.count(sign)
    page.encode()  # a lone surrogate would end the session's websocket
    room = (150, 15) if view == "head" else (112, 13)
    given_ = params(page)["attention"][0]
    assert given_["left_text"] == given_["right_text"] == [bertviz._fit(label, *room) for label in labels]


@pytest.mark.parametrize("view", ["head", "model"])
def test_the_libraries_are_ours(view: str) -> None:
    page = draw(view, random_weights(3, 2, 2, 2), HOSTILE[:2], HOSTILE[:2])
    sources = re.findall(r"""(?:src=|url\()["']?([^"')>]+)""", page)
    assert len(sources) == 1 + len(bertviz.LIBRARIES)
    for source in sources:
        assert source.startswith("assets/")  # of whatever path a proxy shows the playground below
        assert (site_root() / source.removeprefix("/")).is_file()
    alone = bertviz.standalone(page)
    assert not re.findall(r"<script [^>]*src=|url\(/", alone)
    assert "https://d3js.org v5.16.0" in alone
    assert "jQuery v3.7.1" in alone


def test_the_libraries_bring_their_licences() -> None:
    for name in ("d3", "jquery"):
        assert "Copyright" in (site_root() / "assets" / "vendor" / f"{name}-LICENSE.txt").read_text("utf-8")


@pytest.mark.parametrize("view", ["head", "model"])
def test_same_numbers_same_bytes(view: str) -> None:
    weights = random_weights(3, 2, 4, 4)
    assert draw(view, weights, names(4), names(4)) == draw(view, weights.copy(), names(4), names(4))


# ---------------------------------------------------------------- size and colour


@pytest.mark.parametrize("n", [64, 65])
def test_head_view_ends_at_its_cap(n: int) -> None:
    weights = random_weights(1, 2, n, n)
    if n <= bertviz.N_TOKENS["head"]:
        view = bertviz.head_view(weights, names(n), names(n), layer=0, words=WORDS)
        assert len(view.html) < 2 * n * n * 7 + 20_000
        return
    with pytest.raises(ValueError, match="65 tokens, at most 64"):
        bertviz.head_view(weights, names(n), names(n), layer=0, words=WORDS)


def test_model_view_ends_at_its_caps() -> None:
    weights = random_weights(7, 2, 25, 25)
    with pytest.raises(ValueError, match="25 tokens, at most 24"):
        bertviz.model_view(weights, names(25), names(25), layers=[0], words=WORDS)
    with pytest.raises(ValueError, match="7 layers, at most 6"):
        bertviz.model_view(weights[:, :, :3, :3], names(3), names(3), layers=range(7), words=WORDS)


def test_labels_must_fit_the_weights() -> None:
    with pytest.raises(ValueError, match="3 queries"):
        bertviz.head_view(random_weights(1, 1, 2, 2), names(3), names(2), layer=0, words=WORDS)


def test_a_long_token_is_cut_where_its_room_ends() -> None:
    for label in ("internationalization" * 3, "가나다라마바사아자차카타파하"):
        cut = bertviz._fit(label, 150, 15)
        assert cut.endswith("…")
        assert label.startswith(cut[:-1])
        assert width(cut, 15) <= 150 < width(label[: len(cut)] + "…", 15)
    assert bertviz._fit("short", 150, 15) == "short"


@pytest.mark.parametrize("dark", [False, True])
def test_paper_and_ink_are_the_pages_own(dark: bool) -> None:
    config = tomllib.loads((site_root() / ".streamlit" / "config.toml").read_text("utf-8"))
    theme = config["theme"]["dark" if dark else "light"]
    weights = random_weights(1, 1, 2, 2)
    for view in (
        bertviz.head_view(weights, names(2), names(2), layer=0, words=WORDS, dark=dark),
        bertviz.model_view(weights, names(2), names(2), layers=[0], words=WORDS, dark=dark),
    ):
        assert f"background: {theme['backgroundColor']}" in view.html
        assert f"text {{ fill: {theme['textColor']} }}" in view.html
