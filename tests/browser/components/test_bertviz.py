"""BertViz's views in a frame like the page's: lines are the weights, tokens are text, nothing from outside.

The tab's own watch fails each test on a dialog, an error, a violation of the policy or a request elsewhere.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import FrameLocator, Page, expect

from playground.charts import bertviz
from tests.bertviz_views import HOSTILE, WORDS, draw, names, random_weights

SANDBOX = (
    "allow-same-origin allow-scripts allow-forms allow-modals allow-popups allow-downloads"  # as st.iframe
)
SHOWN = [label for label in HOSTILE if label != "\ud800"]


def framed(page: Page, server_url: str, html: str, height: int = 600) -> FrameLocator:
    """The view in a frame of a page that carries the app's policy."""
    answer = page.goto(f"{server_url}/manifest.json")  # as high as the pages are: addresses are relative
    assert answer is not None
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    page.evaluate(
        """([srcdoc, height, sandbox]) => {
          const frame = Object.assign(document.createElement("iframe"), { srcdoc, height, width: 877 });
          frame.setAttribute("sandbox", sandbox);
          document.body.replaceChildren(frame);
        }""",
        [html, height, SANDBOX],
    )
    return page.frame_locator("iframe")


def opacities(frame: FrameLocator, lines: str) -> np.ndarray:
    found = frame.locator(lines)
    found.first.wait_for(state="attached")
    return np.array(found.evaluate_all("all => all.map((line) => +line.getAttribute('stroke-opacity'))"))


def test_head_view_draws_the_weights_of_its_layer(page: Page, server_url: str) -> None:
    weights = random_weights(2, 3, 5, 7)
    frame = framed(page, server_url, draw("head", weights, names(5), names(7)))
    drawn = opacities(frame, "#attention line").reshape(3, 5, 7)
    np.testing.assert_allclose(drawn * 3, weights[1].round(4), atol=1e-4)
    frame.locator("svg > g:last-child rect").nth(2).dblclick()
    alone = opacities(frame, "#attention line").reshape(3, 5, 7)
    np.testing.assert_allclose(alone[2], weights[1, 2].round(4), atol=1e-4)
    assert not alone[:2].any()


def test_model_view_draws_every_head_and_enlarges_one(page: Page, server_url: str) -> None:
    weights = random_weights(3, 4, 5, 5)
    frame = framed(page, server_url, draw("model", weights, names(5), names(5)))
    drawn = opacities(frame, "svg g[source-index] line").reshape(2, 4, 5, 5)
    np.testing.assert_allclose(drawn, weights[1:].round(4), atol=1e-4)
    frame.locator("#attn_background_1_2 ~ rect").click()
    np.testing.assert_allclose(
        opacities(frame, ".attn-line-group line").reshape(5, 5), weights[2, 2].round(4), atol=1e-4
    )
    expect(frame.get_by_text("레이어 3, 헤드 3")).to_be_visible()
    expect(frame.locator("svg > text").first).to_have_text("헤드")


@pytest.mark.parametrize("view", ["head", "model"])
def test_hostile_tokens_are_text(page: Page, server_url: str, view: str) -> None:
    n = len(SHOWN)
    frame = framed(page, server_url, draw(view, random_weights(3, 2, n, n), SHOWN, SHOWN))
    if view == "model":
        frame.locator("#attn_background_0_0 ~ rect").click()
    tokens = frame.locator("#left text, #right text" if view == "head" else "text.token")
    expect(tokens).to_have_count(2 * n)
    assert tokens.evaluate_all("all => all.map((one) => one.textContent)") == SHOWN * 2
    assert frame.locator("script").count() == 1 + len(bertviz.LIBRARIES)
    assert frame.locator("img").count() == 0


@pytest.mark.parametrize(
    ("n", "n_heads", "dark"), [(1, 1, True), (3, 16, False), (3, 9, True), (14, 4, False)]
)
def test_the_frame_has_the_height_of_its_view(
    page: Page, server_url: str, n: int, n_heads: int, dark: bool
) -> None:
    weights, labels = random_weights(3, n_heads, n, n), names(n)
    for view, lines in (
        (bertviz.head_view(weights, labels, labels, layer=2, words=WORDS, dark=dark), "#attention line"),
        (bertviz.model_view(weights, labels, labels, layers=range(3), words=WORDS, dark=dark), "svg line"),
    ):
        frame = framed(page, server_url, view.html, view.height)
        frame.locator(lines).first.wait_for(state="attached")
        size = frame.locator("html").evaluate(
            "root => [root.scrollHeight, root.scrollWidth, root.clientWidth]"
        )
        assert size[0] == view.height
        assert size[1] == size[2] == 877
        assert size[0] - frame.locator("svg").evaluate("svg => svg.getBoundingClientRect().bottom") < 6


def test_without_the_libraries_a_sentence_stands_there(page: Page, server_url: str) -> None:
    html = draw("head", random_weights(2, 1, 2, 2), names(2), names(2))
    for path in bertviz.LIBRARIES:
        html = html.replace(bertviz._tag(path), "")
    expect(framed(page, server_url, html).get_by_text(WORDS["missing"])).to_be_visible()


@pytest.mark.parametrize("view", ["head", "model"])
def test_the_saved_file_needs_nobody(page: Page, tmp_path: Path, view: str) -> None:
    saved = tmp_path / "bertviz.html"
    saved.write_text(bertviz.standalone(draw(view, random_weights(3, 2, 4, 4), names(4), names(4))), "utf-8")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(saved.as_uri())
    expect(page.locator("svg line").first).to_be_attached()
    assert asked == [saved.as_uri()]
