"""The sampler in Chromium: its numbers are core.sampling's, and a moving slider asks the server nothing."""

from __future__ import annotations

import base64
import csv
import itertools
import math
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, expect

from playground.core.ranking import RankedLogits, rank
from playground.core.sampling import LIMITS, Sampling, distribution
from playground.ui.components import sampler, script
from playground.ui.components.sampler.packing import pack
from tests.browser.conftest import OpenPage
from tests.browser.reader import Watch, choose_language, wait_run, wait_sent

SCRIPT = script("sampler/ranked")
D_VOCAB = 49_152
GRID = list(
    itertools.product(
        (0.0, 0.05, 0.3, 0.7, 1.0, 1.5, 2.2, 3.0),
        (0, 1, 40, 20_000, D_VOCAB),
        (1.0, 0.999, 0.9, 0.3),
        (0.0, 1e-4, 0.05, 1.0),
        (1.0,),
        ("transformers",),
    )
)
GRID += itertools.product(
    (0.0, 0.3, 1.0, 1.5),
    (0, 40),
    (1.0, 0.9),
    (0.0, 0.05),
    (1.0, 0.999, 0.5, 0.05),
    ("transformers", "llama.cpp"),
)
GRID += itertools.product((0.3, 1.5), (0, 40), (1.0, 0.9), (0.0, 0.05, 0.5), (1.0,), ("vllm",))
# Every probability of all those settings would be 250 MB; these ranks hold head, middle and last token.
RANKS = np.unique(np.geomspace(1, D_VOCAB, 300).astype(int) - 1).tolist()
COMPUTE = """
async ([source, packed, n, settings, ranks]) => {
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const ranked = new module.Ranked(module.unpack(bytes, n));
  const found = settings.map(([temperature, top_k, top_p, min_p, typical_p, order]) => {
    const d = ranked.distribution({ temperature, top_k, top_p, min_p, typical_p, order });
    const probs = ranks.map((i) => d.after(i));
    return { first: d.first, n_kept: d.n_kept, entropy_bits: d.entropy_bits, mass: d.mass, probs };
  });
  return { logits: Array.from(ranked.logits), found };
}
"""


def in_chromium(page: Page, ranked: RankedLogits, grid: list[Any], ranks: list[int]) -> dict[str, Any]:
    """What `ranked.js` makes of these logits."""
    packed = base64.b64encode(pack(ranked.logits[: ranked.n_finite])).decode()
    found: dict[str, Any] = page.evaluate(COMPUTE, [SCRIPT, packed, ranked.n_finite, grid, ranks])
    return found


def vocabulary(kind: str) -> NDArray[np.float32]:
    """Logits of one position: smooth, with ties and banned tokens, or all equal."""
    rng = np.random.default_rng(4)
    logits = rng.normal(scale=3.5, size=D_VOCAB).astype(np.float32)
    if kind == "ties":
        logits = np.round(logits * 4) / 4
        logits[rng.random(D_VOCAB) < 0.2] = -np.inf
    return np.zeros(D_VOCAB, dtype=np.float32) if kind == "uniform" else logits


@pytest.mark.parametrize("kind", ["smooth", "ties", "uniform"])
def test_javascript_equals_core_sampling_over_the_whole_range(kind: str, page: Page) -> None:
    ranked = rank(vocabulary(kind))
    result = in_chromium(page, ranked, GRID, [r for r in RANKS if r < ranked.n_finite])
    ranks = np.array([r for r in RANKS if r < ranked.n_finite])
    assert np.array_equal(np.array(result["logits"], dtype=np.float32), ranked.logits[: ranked.n_finite])
    largest_nucleus = 0
    everything = {
        t: distribution(ranked, Sampling(temperature=t)) for t in {settings[0] for settings in GRID}
    }
    for setting, found in zip(GRID, result["found"], strict=True):
        temperature, _top_k, top_p, *_rest = setting
        kept = distribution(ranked, Sampling(*setting))
        probs = np.zeros(ranked.n_finite)
        probs[found["first"] : found["first"] + kept.n_kept] = kept.probs
        everyone = everything[temperature]
        held = everyone.probs[np.isin(everyone.token_ids, kept.token_ids)].sum()
        assert found["n_kept"] == kept.n_kept, setting
        assert found["entropy_bits"] == pytest.approx(kept.entropy_bits, abs=1e-5)
        assert found["mass"] == pytest.approx(held, abs=1e-5)
        np.testing.assert_allclose(found["probs"], probs[ranks], atol=1e-5, rtol=0)
        assert ranked.token_ids[found["first"]] == kept.token_ids[0]
        if top_p < 1:
            largest_nucleus = max(largest_nucleus, kept.n_kept)
    assert largest_nucleus > 20_000


def test_one_token_vocabulary(page: Page) -> None:
    found = in_chromium(
        page,
        rank(np.array([-3.25], dtype=np.float32)),
        [(0, 0, 1, 0, 1, "vllm"), (1, 5, 0.1, 1, 0.5, "llama.cpp")],
        [0],
    )
    assert found["logits"] == [-3.25]
    assert [row["probs"] for row in found["found"]] == [[1], [1]]


TYPE = """
async ([source, data, typed]) => {
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const host = document.createElement("div");
  host.innerHTML = '<div class="sampler"></div>';
  document.body.append(host);
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  module.default({ parentElement: host, data: bytes, setStateValue: () => {} });
  const ends = [...host.querySelectorAll("input[type=range]")].map(({ min, max }) => [+min, +max]);
  const taken = [...host.querySelectorAll("input[type=number]")].map((field) =>
    typed.map((value) => {
      field.value = value;
      field.dispatchEvent(new Event("change"));
      return field.valueAsNumber;
    }),
  );
  return { ends, taken };
}
"""


@pytest.mark.parametrize("others", [{}, {"temperature": (0.25, 1.5), "top_k": (2, 9), "min_p": (0.08, 0.4)}])
def test_the_browser_takes_its_limits_from_the_data_alone(
    others: dict[str, tuple[float, float]], page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = sampler.limits(D_VOCAB) | others
    monkeypatch.setattr(sampler, "limits", lambda _d_vocab: limits)
    state = {"revision": 0, "settings": asdict(Sampling()), "defaults": asdict(Sampling())}
    data = sampler._data(rank(vocabulary("smooth")), ["a", "b"], "en", **state)
    source = script("sampler/ranked", "sampler/bars", "sampler/sliders", "sampler/sampler")
    found = page.evaluate(TYPE, [source, base64.b64encode(data).decode(), [-1e9, 1e9]])
    assert found["taken"] == [list(limits[name]) for name in LIMITS]
    hundredths = [
        [math.ceil(100 * least), math.floor(100 * most)]
        for name, (least, most) in limits.items()
        if name != "top_k"
    ]
    assert [found["ends"][at] for at in (0, 2, 3, 4)] == hundredths


# ---------------------------------------------------------------- on the page


def sliders(page: Page) -> Locator:
    return page.locator(".sampler input[type=range]")


def sentence(page: Page) -> str:
    return page.locator(".sampler .sentence").inner_text()


def wait_drawn(page: Page) -> None:
    """Until the sampler has its logits; on a busy machine that takes a while."""
    expect(page.locator(".sampler .sentence")).not_to_be_empty()


def drag(page: Page, slider: Locator, shares: list[float]) -> None:
    """Press on the slider's handle, move over these shares of its length, stay pressed."""
    box = slider.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    at = float(slider.input_value()) / float(slider.get_attribute("max") or 1)
    page.mouse.move(box["x"] + 8 + at * (box["width"] - 16), y)
    page.mouse.down()
    for share in shares:
        page.mouse.move(box["x"] + share * box["width"], y)


@pytest.fixture
def sampling(look_at: OpenPage) -> Page:
    page = look_at("/sampling")
    wait_drawn(page)
    return page


def test_the_real_distribution_is_shown(sampling: Page) -> None:
    assert sentence(sampling) == (
        "Kept: 8 of 49,152 tokens, together 75.1 % of the probability. Entropy of the draw: 1.25 bits."
    )
    first = sampling.locator(".rows svg > g", has_text="London")
    expect(first).to_contain_text("·London")
    sampling.locator(".rows").focus()
    detail = sampling.locator(".sampler .detail").inner_text()
    own = re.search(r"own p (\d\.\d+)", detail)
    assert own
    assert float(own[1]) == pytest.approx(0.589, abs=0.005)


@pytest.mark.parametrize(("name", "magic"), [("PNG", b"\x89PNG"), ("SVG", b"<svg")])
def test_the_picture_can_be_saved(name: str, magic: bytes, sampling: Page) -> None:
    with sampling.expect_download() as download:
        sampling.get_by_role("button", name=f"Picture ({name})").click()
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(magic)
    assert len(content) > 10_000
    if name == "SVG":
        assert "·London" in content.decode()


def test_dragging_repaints_all_the_time_and_sends_only_the_value_of_the_release(
    sampling: Page, seen: Watch
) -> None:
    before, told = len(seen.sent), set()
    for index in range(4):
        drag(sampling, sliders(sampling).nth(index), [])
        for share in np.linspace(0.1, 0.8, 15):
            box = sliders(sampling).nth(index).bounding_box()
            assert box is not None
            sampling.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
            told.add(sentence(sampling))
        assert len(seen.sent) - before == 0
        sampling.mouse.up()
        wait_sent(sampling, seen, before + 1)
        wait_run(sampling)
        assert len(seen.sent) - before == 1
        before = len(seen.sent)
    assert len(told) > 20
    value = sampling.locator(".sampler input[type=number]").nth(0).input_value()
    assert value != "1"
    expect(sampling).to_have_url(re.compile(f"sam_temperature={value}"))
    sampling.get_by_role("button", name="Show the code").first.click()
    expect(sampling.get_by_text(f"temperature = {value}", exact=False).first).to_be_visible()


def test_a_release_sends_little_and_survives_a_walk_to_another_page_and_to_korean(
    seen: Watch, open_page: OpenPage
) -> None:
    page = open_page("/sampling")
    wait_drawn(page)
    assert sum(map(len, seen.received)) > 70_000  # the packed logits, once
    wait_run(page)
    seen.received.clear()
    temperature = page.locator(".sampler input[type=number]").nth(0)
    for value in ("1.3", "1.7", "0.4"):
        temperature.fill(value)
        page.keyboard.press("Enter")
        wait_run(page)
    assert sum(map(len, seen.received)) < 3 * 40_000
    assert max(map(len, seen.received)) < 40_000  # and never again
    page.get_by_test_id("stSidebarNav").get_by_role("link").first.click()
    wait_run(page)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Sampling").click()
    wait_run(page)
    expect(temperature).to_have_value("0.4")
    temperature.fill("1")
    page.keyboard.press("Enter")
    choose_language(page, "한국어")
    expect(page.locator(".sampler .sentence")).to_contain_text("토큰 49,152개 가운데 8개가 남았고")
    expect(page.locator(".sampler .control .name").first).to_have_text("온도")


def test_a_link_brings_the_settings_back_and_so_does_the_back_button(page: Page, open_page: OpenPage) -> None:
    open_page("/sampling?sam_temperature=0&sam_top_k=12&sam_top_p=0.5&sam_min_p=0.25")
    wait_drawn(page)
    numbers = page.locator(".sampler input[type=number]")
    expect(page.locator(".sampler .sentence")).to_contain_text("Greedy: kept 1 of 49,152")
    assert [numbers.nth(i).input_value() for i in range(4)] == ["0", "12", "0.5", "0.25"]
    numbers.nth(0).fill("2")
    page.keyboard.press("Enter")
    wait_run(page)
    expect(page).to_have_url(re.compile("sam_temperature=2"))
    page.go_back()
    wait_run(page)
    expect(numbers.nth(0)).to_have_value("0")


def test_everything_is_reached_by_keyboard(sampling: Page, seen: Watch) -> None:
    temperature = sliders(sampling).nth(0)
    temperature.focus()
    before = len(seen.sent)
    for _ in range(5):
        sampling.keyboard.press("ArrowRight")
    expect(sampling.locator(".sampler input[type=number]").nth(0)).to_have_value("1.05")
    wait_run(sampling)
    assert len(seen.sent) - before <= 2
    assert temperature.get_attribute("aria-label") == "Temperature"
    rows = sampling.get_by_role("listbox", name="The most probable next tokens")
    rows.focus()
    sampling.keyboard.press("ArrowDown")
    expect(sampling.locator(".sampler .detail")).to_contain_text("2. ·the")
    sampling.keyboard.press("End")
    expect(sampling.locator(".sampler .detail")).to_contain_text("64. ")
    sampling.keyboard.press("Tab")
    assert sampling.evaluate("() => document.activeElement.shadowRoot.activeElement.textContent") == "Reset"


def test_three_libraries_keep_other_tokens_with_the_same_settings(page: Page, follow: OpenPage) -> None:
    follow("/sampling?sam_temperature=1.6&sam_top_p=0.8&sam_min_p=0.01")
    wait_drawn(page)
    buttons = page.locator(".sampler .orders [role=radio]")
    kept = [int(re.sub(r"\D", "", text.split(":")[1])) for text in buttons.all_inner_texts()]
    assert kept[0] > 5 * kept[2], "llama.cpp cuts before it heats"
    for at, n_kept in enumerate(kept):
        buttons.nth(at).click()
        expect(page.locator(".sampler .sentence")).to_contain_text(f"Kept: {n_kept:,} of")
        marks = page.locator(".sampler .rows svg > g:visible").evaluate_all(
            "(rows, at) => rows.flatMap((row) => [...row.querySelectorAll('[data-kept]')].slice(at, at + 1))"
            ".filter((mark) => mark.dataset.kept === 'true').length",
            at,
        )
        assert marks == min(n_kept, 64)
    steps = page.locator(".sampler .chain li b").all_inner_texts()
    assert [step.split(" ")[0] for step in steps] == ["Top-k", "Typical-p", "Top-p", "Min-p", "Temperature"]
    expect(page).to_have_url(re.compile("sam_order=llama.cpp"))


def test_a_click_on_a_token_shows_what_the_model_expected_and_asks_nobody(
    page: Page, follow: OpenPage, seen: Watch
) -> None:
    follow("/sampling?sam_panel=text&text=The capital of England is London")
    token = page.locator(".scored-text .tokens .token")
    expect(token).to_have_count(6)
    before = len(seen.sent)
    token.last.click()
    detail = page.locator(".scored-text .detail")
    expect(detail).to_contain_text(re.compile(r"·London: 0\.7\d bits, p = 0\.58\d\d, rank 1"))
    expect(detail.locator(".row.own")).to_contain_text(re.compile(r"·London.*58\.\d %"))
    page.keyboard.press("Home")
    expect(detail).to_contain_text("The: the first token.")
    page.keyboard.press("ArrowRight")
    expect(detail).to_contain_text("·capital: ")
    assert len(seen.sent) == before


def test_another_token_makes_a_path_and_the_first_one_can_be_walked_again(
    page: Page, open_page: OpenPage, seen: Watch
) -> None:
    open_page("/sampling?sam_temperature=0&sam_max_new_tokens=10&text=Once upon a time")
    wait_drawn(page)
    seen.received.clear()
    page.get_by_role("button", name="Generate").click()
    tokens = page.locator(".scored-text .tokens .token")
    expect(tokens).to_have_count(10)
    wait_run(page)
    received = b"".join(frame for frame in seen.received if isinstance(frame, bytes))
    assert b"sam_go_on" in received
    assert b"Guess" not in received, "a click in the generator draws the generator alone, not the panels"
    first = tokens.all_inner_texts()
    tokens.nth(3).click()
    instead = page.locator(".scored-text .row:not(.own)").first
    wanted = instead.locator(".name").inner_text()
    instead.get_by_role("button", name="Go on from here").click()
    expect(tokens.nth(3)).to_have_text(wanted)
    path = page.get_by_role("combobox", name="Path")
    expect(path).to_have_value(f"2: 4 {wanted}")
    second = tokens.all_inner_texts()
    assert second[:4] == [*first[:3], wanted]
    assert len(second) == 10
    expect(page.locator(".st-key-sam_tree")).to_be_visible()
    path.click()
    page.get_by_role("option").first.click()
    expect(tokens.nth(3)).to_have_text(first[3])
    assert tokens.all_inner_texts() == first


def test_twenty_uploaded_prompts_become_a_table_and_its_file(
    page: Page, open_page: OpenPage, tmp_path: Path
) -> None:
    lines = [f"The number {i} is" for i in range(20)]
    (tmp_path / "mine.txt").write_text("\n".join(lines))
    open_page("/sampling?sam_panel=batch&sam_batch_tokens=4")
    wait_drawn(page)
    page.get_by_role("button", name="My prompts").first.click()
    page.locator("input[type=file]").first.set_input_files(tmp_path / "mine.txt")
    page.get_by_role("button", name="Use these prompts").click()
    expect(page.get_by_text("20 prompts were read.")).to_be_visible()
    wait_run(page)
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Continue all 20").click()
    expect(page.get_by_text("20 of 20 prompts continued")).to_be_visible()
    with page.expect_download() as download:
        page.locator(".st-key-batch_run_csv button").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text("utf-8-sig").splitlines()))
    assert [row["prompt"] for row in rows] == lines
    assert all(float(row["perplexity"]) >= 1 for row in rows)


def test_a_number_that_cannot_be_does_not_stay_in_its_field(page: Page, open_page: OpenPage) -> None:
    open_page("/sampling?lang=en&sam_panel=many")
    field = page.locator(".st-key-sam_many_tokens input")
    for typed, used in (("500", "64"), ("1", "4"), ("700", "64"), ("800", "64")):
        field.fill(typed)
        field.press("Enter")
        expect(page.get_by_text(f"{typed} is not possible, only 4 to 64; it is {used} now")).to_be_visible()
        expect(field).to_have_value(used)
    field.fill("30")
    field.press("Enter")
    expect(page.get_by_text("is not possible")).to_have_count(0)
    expect(page).to_have_url(re.compile("sam_many_tokens=30"))


def test_token_by_token_then_on_then_stopped_then_to_the_end(page: Page, open_page: OpenPage) -> None:
    open_page("/sampling?sam_max_new_tokens=40&sam_temperature=1")
    wait_drawn(page)
    text = page.get_by_text("The capital of England is│")
    for told in ("writes more. 1 token,", "writes more. 2 tokens,"):
        page.get_by_role("button", name="One token").click()
        expect(page.get_by_text(told)).to_be_visible()
    two = text.inner_text()
    page.get_by_role("button", name="Go on", exact=True).click()
    expect(text).to_contain_text(re.compile(r"│[\s\S]{16,}"))
    page.locator(".st-key-sam_stop button").click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    expect(page.get_by_role("button", name="Go on", exact=True)).to_be_enabled()
    stopped = text.inner_text()
    assert stopped.startswith(two)
    page.wait_for_timeout(1_000)
    assert text.inner_text() == stopped
    page.get_by_role("button", name="Go on", exact=True).click()
    ended = re.compile("The model ended the text|The chosen length is reached")
    expect(page.get_by_text(ended)).to_be_visible()
    assert text.inner_text().startswith(stopped)
    expect(page.get_by_role("button", name="Go on", exact=True)).to_be_disabled()


def test_a_link_sets_a_and_b_and_a_released_slider_is_compared_at_once(
    page: Page, open_page: OpenPage
) -> None:
    link = "sam_panel=compare&sam_temperature=1&sam_top_p=1&sam_b_temperature=2&sam_b_top_k=5"
    open_page(f"/sampling?{link}")
    told = page.get_by_text("Tokens kept:")
    expect(told).to_contain_text("49,152 in A, 5 in B")
    expect(page.locator(".st-key-sam_both svg.marks")).to_be_visible()
    before = told.inner_text()
    page.locator(".sampler input[type=number]").nth(0).fill("1.5")
    page.keyboard.press("Enter")
    expect(told).not_to_have_text(before)
    page.get_by_role("button", name="Copy A to B").click()
    expect(told).to_contain_text("They agree on 100.0 %")
    expect(page).not_to_have_url(re.compile("sam_b_top_k"))


def test_a_search_grows_its_tree_and_names_the_best_text(page: Page, open_page: OpenPage) -> None:
    open_page("/sampling?sam_panel=beam&sam_beam_tokens=6&sam_n_beams=3")
    page.get_by_role("button", name="Start the search").click()
    expect(page.get_by_text("The best beam,")).to_contain_text("bits of surprisal per token", timeout=60_000)
    expect(page.locator(".st-key-sam_beam_tree svg.marks")).to_be_visible()
    expect(page.locator(".st-key-sam_beam_lines svg.marks")).to_be_visible()


def test_a_guess_is_answered_and_a_token_given_up_is_scored(page: Page, open_page: OpenPage) -> None:
    open_page("/sampling?sam_panel=guess")
    text = page.locator(".scored-text .tokens")
    field = page.locator(".st-key-sam_guess input")
    expect(field).to_be_visible()
    expect(text.locator(".token")).to_have_count(2)
    field.fill("<b>xylophone</b>")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Not <b>xylophone</b>.")).to_be_visible()
    page.get_by_role("button", name="Show it").click()
    expect(page.get_by_text("You found 0 of 1 tokens")).to_be_visible()
    expect(page.get_by_text("By Shannon's bound")).to_be_visible()
    expect(text.locator(".token")).to_have_count(3)


def test_a_greedy_choice_that_typical_cut_the_first_token_from_is_said(page: Page, follow: OpenPage) -> None:
    follow("/sampling?sam_temperature=0&sam_top_p=1&sam_typical_p=0.1&sam_order=llama.cpp")
    wait_drawn(page)
    assert "the most probable one of those that typical-p leaves" in sentence(page)
    rows = page.locator(".rows svg > g:visible").filter(has=page.locator("[data-kept]"))
    expect(rows.nth(0)).to_contain_text("·London")
    expect(rows.nth(0)).to_contain_text("cut")
    expect(rows.nth(1)).to_contain_text("100 %")
    assert page.locator(".sampler .chain li b").all_inner_texts()[-1].startswith("Temperature")
    page.locator(".sampler .orders [role=radio]").nth(0).click()
    expect(page.locator(".sampler .sentence")).to_contain_text("tokens, the most probable one. Entropy")
    expect(rows.nth(0)).to_contain_text("100 %")
