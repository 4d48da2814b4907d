"""One row of attention in Chromium: core.attention's numbers, and dragging asks the server nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from playground.core.attention import entropy_bits, overlaps, row_arithmetic, row_weights
from playground.ui.components import script
from tests.browser.conftest import OpenPage
from tests.browser.reader import Watch, wait_run

MATHS = script("positions/panel", "row_arithmetic/row_arithmetic")
TEXT = "The%20animal%20didn%27t%20cross%20the%20street%20because%20it%20was%20too%20tired"


def in_chromium(page: Page, call: str, arguments: Any) -> Any:
    """What an expression over the module `m` gives for the arguments `a`."""
    return page.evaluate(
        f"""async ([source, a]) => {{
          const url = URL.createObjectURL(new Blob([source], {{ type: "text/javascript" }}));
          const m = await import(url);
          return {call};
        }}""",
        [MATHS, arguments],
    )


# ---------------------------------------------------------------- the arithmetic


@pytest.mark.parametrize(("n", "d_head"), [(1, 16), (15, 32), (64, 64), (60, 128)])
def test_products_and_scores_equal_core(page: Page, n: int, d_head: int) -> None:
    rng = np.random.default_rng(n)
    numbers = (5 * rng.normal(size=(n + 1, d_head))).astype(np.float32)
    call = "((p) => [Array.from(p), Array.from(m.sums(p, a[1]))])(m.products(Float32Array.from(a[0]), a[1]))"
    products, scores = in_chromium(page, call, [numbers.ravel().tolist(), d_head])
    made = row_arithmetic(
        numbers[0], numbers[1:], numbers[1:], np.ones(n, bool), np.eye(d_head, dtype=np.float32)
    )
    np.testing.assert_allclose(np.reshape(products, (n, d_head)), made.products, rtol=1e-12)
    np.testing.assert_allclose(scores, made.scores, atol=1e-9)


@pytest.mark.parametrize("divisor", [1.0, 3.3, 8.0, 32.0])
@pytest.mark.parametrize("size", [0.1, 10.0, 1_000.0])
def test_weights_and_entropy_equal_core(page: Page, divisor: float, size: float) -> None:
    rng = np.random.default_rng(3)
    scores = size * rng.normal(size=64)
    for allowed in (np.ones(64, bool), np.arange(64) <= 20, np.arange(64) < 1, np.zeros(64, bool)):
        call = "((w) => [w, m.entropyBits(w)])(m.rowWeights(...a))"
        found, bits = in_chromium(page, call, [scores.tolist(), allowed.tolist(), divisor])
        expected = row_weights(scores, allowed, divisor)
        np.testing.assert_allclose(found, expected, atol=1e-6, rtol=1e-9)
        assert bits == pytest.approx(entropy_bits(expected), abs=1e-9)


def test_length_of_the_sum_equals_core(page: Page) -> None:
    rng = np.random.default_rng(4)
    values, output = rng.normal(size=(20, 16)), rng.normal(size=(16, 48))
    weights = rng.dirichlet(np.ones(20))
    found = in_chromium(
        page, "m.lengthOfSum(a[0], a[1])", [weights.tolist(), overlaps(values, output).tolist()]
    )
    assert found == pytest.approx(np.linalg.norm(weights @ values @ output))


# ---------------------------------------------------------------- on the page


def picture(page: Page) -> Locator:
    return page.locator(".st-key-att_row_picture .positions")


def shown_weights(page: Page) -> list[float]:
    """The weights as they are written, in the order of the rows."""
    texts = picture(page).locator("svg text.weight").all_text_contents()
    return [float(text.replace("−", "-")) for text in texts]


@pytest.fixture
def row(look_at: OpenPage) -> Page:
    page = look_at(f"/attention?text={TEXT}&token=8")
    expect(picture(page).locator(".sentence")).not_to_be_empty()
    wait_run(page)
    return page


def test_weights_sum_to_one_and_later_keys_have_none(row: Page) -> None:
    weights = shown_weights(row)
    assert len(weights) == 9, "the ninth token sees itself and before"
    assert sum(weights) == pytest.approx(1, abs=0.005)
    expect(picture(row).locator("svg .total")).to_have_text("1.00")
    assert picture(row).locator("svg .row").count() == 12


def test_the_picture_can_be_saved_whole(row: Page) -> None:
    for kind, magic in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        button = row.locator(".st-key-attention_row_save").get_by_role("button", name=kind)
        with row.expect_download() as download:
            button.click()
        content = Path(download.value.path()).read_bytes()
        assert content.startswith(magic)
        assert len(content) > 5_000


def test_dragging_recomputes_the_row_and_sends_nothing_until_released(row: Page, seen: Watch) -> None:
    handle = picture(row).locator("input[type=range][data-name=divisor]")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    at = float(handle.input_value()) / float(handle.get_attribute("max") or 1)
    own = shown_weights(row)
    row.mouse.move(box["x"] + 8 + at * (box["width"] - 16), y)
    row.mouse.down()
    row.wait_for_timeout(300)
    seen.sent.clear()
    largest = []
    for share in (0.02, 0.3, 0.5, 0.8, 0.99):
        row.mouse.move(box["x"] + share * box["width"], y)
        weights = shown_weights(row)
        assert sum(weights) == pytest.approx(1, abs=0.005)
        largest.append(max(weights))
    row.wait_for_timeout(400)
    assert seen.sent == []
    assert largest == sorted(largest, reverse=True)
    assert largest[0] > max(own) > largest[-1]
    assert picture(row).locator("svg .own").count() == 9, "where the weight with √d is"
    row.mouse.up()
    wait_run(row)
    expect(row).to_have_url(re.compile("att_row_divisor="))


def test_a_click_picks_a_key_whose_dimensions_sum_to_its_score_and_rows_can_be_sorted(row: Page) -> None:
    line = picture(row).locator("svg .row[data-key='2']")
    line.locator("text").first.click()
    wait_run(row)
    expect(picture(row).locator("select[data-name=key]")).to_have_value("2")
    score = line.locator("text").nth(1).text_content() or "?"
    expect(picture(row).locator("svg .title")).to_contain_text(score)
    expect(row).to_have_url(re.compile("att_row_key=2"))
    assert picture(row).locator("svg .dimension").count() == 64
    products = []
    bars = picture(row).locator("svg .dimension")
    detail = picture(row).locator(".detail")
    detail.scroll_into_view_if_needed()
    for i in range(0, 64, 16):
        box = bars.nth(i).bounding_box()
        assert box is not None
        row.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(detail).to_contain_text(re.compile(rf"{i}: q "))
        numbers = re.search(r"q (\S+) × k (\S+) = (\S+)", detail.inner_text().replace("−", "-"))
        assert numbers is not None
        q, k, product = map(float, numbers.groups())
        assert product == pytest.approx(q * k, rel=1e-12)
        products.append(product)
    assert len(set(products)) == len(products)
    picture(row).locator("select[data-name=order]").select_option("1")
    wait_run(row)
    weights = shown_weights(row)
    assert weights == sorted(weights, reverse=True)


def test_many_keys_scroll_under_headings_and_above_the_sum(follow: OpenPage) -> None:
    page = follow(f"/attention?text={'a%20cat%20sat%20and%20' * 8}")
    expect(picture(page).locator(".sentence")).not_to_be_empty()
    holder = picture(page).locator(".picture")
    before = {name: height_in(holder, name) for name in ("top", "foot")}
    holder.evaluate("node => node.scrollTo(0, 1e6)")
    page.wait_for_timeout(100)
    assert {name: height_in(holder, name) for name in before} == before


def height_in(holder: Locator, name: str) -> float:
    """How far below the holder's upper edge a part stands."""
    found: float = holder.evaluate(
        """(holder, name) => holder.querySelector(`svg .${name}`).getBoundingClientRect().y
                             - holder.getBoundingClientRect().y""",
        name,
    )
    return found
