"""The tokenization page in Chromium: ribbon, rows, the lab's steps, links, an upload."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from playground.core import bpe, pieces
from playground.core.tokens import readable
from playground.engine.models.named_tokenizers import NamedTokenizers
from playground.engine.models.table import ModelTable
from playground.settings import DEFAULT_DECODER, DEFAULT_ENCODER, MULTILINGUAL_ENCODER, Settings
from playground.ui.tokenization.granularity import corpus
from tests.browser.conftest import OpenPage
from tests.browser.reader import Watch, hears_once, wait_run, write

SCROLL_TO = """async (node) => {
    node.scrollIntoView();
    for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
}"""
SENTENCE = "나는 최근 파리 여행을 다녀왔다"
LINK = f"/tokenization?lang=en&text={quote(SENTENCE)}"


@pytest.fixture(scope="module")
def named() -> NamedTokenizers:
    settings = Settings()
    return NamedTokenizers(settings, ModelTable(settings).tokenizer)


@pytest.fixture
def open_rows(look_at: OpenPage) -> OpenPage:
    """Opens the page and waits until its rows are drawn: a component comes after the script has run."""

    def open_(path: str) -> Page:
        page = look_at(path)
        page.locator(".st-key-tok_rows .character").first.wait_for()
        return page

    return open_


def row_chips(page: Page, row: int) -> list[str]:
    return page.locator(f".st-key-tok_rows .chip[data-row='{row}']").all_inner_texts()


def is_hex(label: str) -> bool:
    return re.fullmatch(r"[0-9A-F]{2}( [0-9A-F]{2})*", label) is not None


# ---------------------------------------------------------------- ribbon and rows


@pytest.mark.parametrize("language", ["ko", "en"])
def test_both_languages_show_the_bytes_of_each_syllable(language: str, open_rows: OpenPage) -> None:
    page = open_rows(f"/tokenization?lang={language}&text={quote(SENTENCE)}")
    for row in range(4):  # byte-level rows
        found = page.locator(f".st-key-tok_rows .chip[data-row='{row}']").all_inner_texts()
        as_hex = "".join(text if is_hex(text) else text.replace("·", " ").encode().hex() for text in found)
        assert bytes.fromhex(as_hex).decode() == SENTENCE


def test_pointing_at_the_ribbon_tells_id_bytes_and_place(open_rows: OpenPage) -> None:
    page = open_rows(LINK)
    chip = page.locator(".ribbon .chip").nth(7)
    expect(chip).to_have_text("B5")
    chip.hover()
    about = page.locator(".st-key-token_chips .about")
    expect(about).to_contain_text("bytes B5")
    expect(about).to_contain_text("token 8 of 37")
    expect(about.locator("mark")).to_have_text("최")
    expect(about.locator(".place")).to_have_text("나는 최근 파리 여행을 다…")


def test_pointing_at_a_token_lights_its_characters_in_every_row(open_rows: OpenPage) -> None:
    page = open_rows(LINK)
    page.locator(".st-key-tok_rows .chip[data-row='3']").nth(1).hover()  # ·최근 of o200k_base
    expect(page.locator(".st-key-tok_rows .character.lit")).to_have_text(["·", "최", "근"])
    expect(page.locator(".st-key-tok_rows .chip.lit[data-row='2']")).to_have_text(["·최", "EA B7", "BC"])
    expect(page.locator(".st-key-tok_rows .about")).to_contain_text("characters 3-5")


def test_rows_show_what_the_tokenizers_say_and_cut_over_the_same_characters(
    open_rows: OpenPage, named: NamedTokenizers
) -> None:
    page = open_rows(LINK)
    named_ones = ["r50k_base", "cl100k_base", "o200k_base", "unigram"]
    names = [DEFAULT_DECODER, *named_ones, MULTILINGUAL_ENCODER, DEFAULT_ENCODER]
    for i, name in enumerate(names):
        expected = [
            piece.bare for piece in pieces.pieces(named.tokenize(name, SENTENCE, add_special_tokens=False))
        ]
        assert row_chips(page, i) == expected
    edges = page.locator(".st-key-tok_rows .line").first.evaluate(
        """line => [...line.querySelectorAll('.track')].map(track =>
             [...track.querySelectorAll('.cell, .character')].map(node => node.getBoundingClientRect().x))"""
    )
    characters = {round(x) for x in edges[0]}
    for row in edges[1:]:
        assert {round(x) for x in row} <= characters


def test_arrow_keys_walk_along_a_row_and_between_rows(open_rows: OpenPage) -> None:
    page = open_rows(LINK)
    page.locator(".st-key-tok_rows .chip[data-row='3']").first.focus()
    page.keyboard.press("ArrowRight")
    about = page.locator(".st-key-tok_rows .about")
    expect(about).to_contain_text("·최근")
    page.keyboard.press("ArrowUp")
    expect(about).to_contain_text("GPT-4 · cl100k_base")
    expect(about.locator("b")).to_have_text("·최")


def test_clicking_the_ribbon_selects_the_token_in_the_rows_and_in_the_link(open_rows: OpenPage) -> None:
    page = open_rows(LINK)
    page.locator(".ribbon .chip").nth(2).click()
    wait_run(page)
    expect(page.locator(".st-key-tok_rows .chip[aria-selected=true]")).to_have_text("98")
    expect(page).to_have_url(re.compile(r"[?&]token=2(&|$)"))
    page.locator(".st-key-tok_rows .chip[data-row='0']").nth(5).click()
    wait_run(page)
    expect(page.locator(".ribbon .chip[aria-selected=true]")).to_have_text("94")


def test_tokens_follow_while_typing(open_rows: OpenPage) -> None:
    page = open_rows("/tokenization?lang=en&text=Hello")
    field = page.get_by_label("Type here: the tokens follow")
    field.press("End")
    field.press_sequentially(" world")
    expect(page.locator(".ribbon .chip")).to_have_text(["Hello", "·world"])
    expect(page.locator(".st-key-tok_rows .chip[data-row='1']")).to_have_text(["Hello", "·world"])
    expect(field).to_be_focused()
    expect(page).to_have_url(re.compile(r"text=Hello(\+|%20)world"))
    assert hears_once(page.locator(".st-key-tok_rows .rows"))


def test_a_short_ribbon_drawn_out_of_sight_takes_the_room_it_will_take(open_rows: OpenPage) -> None:
    page = open_rows("/tokenization?lang=en&text=Hello")
    main, ribbon = page.get_by_test_id("stMain"), page.locator(".st-key-token_chips .ribbon")
    main.evaluate("main => main.scrollTo(0, main.scrollHeight)")
    write(page, "Good morning to you")
    expect(ribbon.locator(".chip")).to_have_count(4)
    kept = ribbon.evaluate("ribbon => ribbon.offsetHeight")
    ribbon.evaluate(SCROLL_TO)
    assert ribbon.evaluate("ribbon => ribbon.offsetHeight") == kept


def test_a_link_restores_two_tokenizers_and_a_text(open_page: OpenPage) -> None:
    page = open_page(LINK + "&tok_with=cl100k_base&tok_with=unigram")
    names = page.locator(".st-key-tok_rows .line").first.locator(".name b")
    expect(names).to_have_text(["SmolLM2 135M Instruct", "GPT-4 · cl100k_base", "Unigram"])
    expect(page.get_by_role("textbox", name="Your sentence")).to_have_value(SENTENCE)


def test_right_to_left_letters_stand_over_their_own_chips_and_marks_with_their_letter(
    open_rows: OpenPage,
) -> None:
    page = open_rows(f"/tokenization?lang=en&tok_with=cl100k_base&text={quote('שלום עולם é👨‍👩‍👧')}")
    characters = page.locator(".st-key-tok_rows .text .character")
    expect(characters).to_have_text([*"שלום", "·", *"עולם", "·", "é", "👨‍👩‍👧"])
    chip = page.locator(".st-key-tok_rows .chip[data-row='0']").first
    letter = page.locator(".st-key-tok_rows .text .character").first
    cell, above = chip.locator("..").bounding_box(), letter.bounding_box()
    assert cell is not None
    assert above is not None
    assert abs(cell["x"] + cell["width"] - above["x"] - above["width"]) < 1, "both begin at the right"
    assert above["x"] > page.locator(".st-key-tok_rows .text .character").last.evaluate(
        "node => node.getBoundingClientRect().x"
    )
    directions = page.locator(".ribbon .chip.bytes").evaluate_all(
        "chips => chips.map(chip => getComputedStyle(chip).direction)"
    )
    assert set(directions) <= {"ltr"}


# ---------------------------------------------------------------- the lab


@pytest.fixture
def lab(look_at: OpenPage) -> Page:
    return show_lab(look_at("/tokenization?lang=en"))


def show_lab(page: Page) -> Page:
    page.locator(".lab .step").wait_for()
    page.locator(".lab .step").scroll_into_view_if_needed()
    return page


def words_in_lab(page: Page) -> list[list[str]]:
    return page.locator(".lab .word").evaluate_all(
        "words => words.map(word => [...word.querySelectorAll('.chip')].map(chip => chip.textContent))"
    )


def expected_words(
    trained: bpe.BytePairEncoding, n_merges: int, n_words: int, language: str = "en"
) -> list[list[str]]:
    here = trained.first(n_merges)
    shown = bpe.words(corpus(language))[:n_words]
    return [
        list(pieces.sequence_labels([readable(here.vocab[i]) for i in here.encode(word)])) for word in shown
    ]


def test_first_tree_has_merges_and_fits(lab: Page) -> None:
    lab.locator(".lab .tree .when").first.wait_for()
    assert lab.locator(".lab .tree .when").count() >= 2
    assert lab.locator(".lab .tree").evaluate("node => node.scrollWidth <= node.clientWidth")


def test_steps_forward_and_back_are_core_bpes_and_ask_nobody(lab: Page, seen: Watch) -> None:
    page, trained = lab, bpe.train(corpus("en"), 60)
    assert seen.n_sent, "frames are seen"
    seen.sent.clear()
    position = page.locator(".lab .position")
    page.locator(".lab .start").click()
    expect(position).to_have_text("merge 0 of 200")
    n_words = len(words_in_lab(page))
    assert n_words > 20
    assert words_in_lab(page) == expected_words(trained, 0, n_words)
    for k in (1, 2, 3):
        page.locator(".lab .step").click()
        expect(position).to_have_text(f"merge {k} of 200")
        assert words_in_lab(page) == expected_words(trained, k, n_words)
        expect(page.locator(".lab .merges li")).to_have_count(k)
    page.locator(".lab .back").click()
    expect(position).to_have_text("merge 2 of 200")
    assert words_in_lab(page) == expected_words(trained, 2, n_words)
    expect(page.locator(".lab .merges li")).to_have_count(2)
    page.locator(".lab .slider").fill("60")
    assert words_in_lab(page) == expected_words(trained, 60, n_words)
    assert seen.sent == []


def test_bars_are_the_counts_of_the_next_merge(lab: Page) -> None:
    trained = bpe.train(corpus("en"), 20)
    lab.locator(".lab .slider").fill("7")
    shown = lab.locator(".lab svg .count").all_text_contents()[:10]
    assert [int(text.split()[0]) for text in shown] == [n for _pair, n in trained.steps[7].candidates]


def test_every_sample_can_follow_every_other_and_the_lab_lives(open_page: OpenPage) -> None:
    text = "many small birds sing loudly every morning"
    lab = show_lab(open_page(f"/tokenization?lang=en&text={quote(text)}"))
    position, last = lab.locator(".lab .position"), lab.locator(".lab .slider")
    sentence = bpe.train(text, 200)
    n_of = {"English story": 200, "Textbook: aaabdaaabac": 7, "Your sentence": len(sentence.steps)}
    assert len(bpe.train("aaabdaaabac", 200).steps) == 7
    for name in ("Textbook: aaabdaaabac", "English story", "Your sentence", "Textbook: aaabdaaabac"):
        last.fill(last.get_attribute("max") or "")  # the last merge of a long training is none of a short one
        lab.locator(".lab .words .word").last.click()
        lab.locator("[class*='st-key-tok_source_choice']").get_by_text(name, exact=True).click()
        expect(position).to_have_text(f"merge {min(12, n_of[name] // 2)} of {n_of[name]}")
        last.fill("0")
        expect(position).to_have_text(f"merge 0 of {n_of[name]}")
        lab.locator(".lab .step").click()
        expect(lab.locator(".lab .merges li")).to_have_count(1)


def test_a_tie_names_all_pairs_that_stand_together_as_often(open_page: OpenPage) -> None:
    text = "many small birds sing loudly every morning"
    lab = show_lab(open_page(f"/tokenization?lang=en&tok_source=sentence&text={quote(text)}"))
    lab.locator(".lab .slider").fill("4")
    expect(lab.locator(".lab .reading")).to_contain_text("27 pairs are equally frequent (1×)")
    expect(lab.locator(".lab svg .bar")).to_have_count(10)


def test_play_goes_on_by_itself_and_pause_stops_it(lab: Page) -> None:
    lab.locator(".lab .start").click()
    lab.locator(".lab .play").click()
    expect(lab.locator(".lab .position")).to_have_text("merge 2 of 200")
    lab.locator(".lab .play").click()
    stopped = lab.locator(".lab .position").inner_text()
    lab.wait_for_timeout(1_600)
    assert lab.locator(".lab .position").inner_text() == stopped


def test_tree_of_a_chosen_word_ends_in_its_bytes(lab: Page) -> None:
    lab.locator(".lab .slider").fill("200")
    word = lab.locator(".lab .word").filter(has_text="lighthouse").first
    word.click()
    leaves = lab.locator(".lab .tree svg text").all_text_contents()
    for letter in "lighthouse":
        assert letter in leaves
    assert lab.locator(".lab .tree .when").count() >= 3


def test_watched_word_is_drawn_while_typing(lab: Page) -> None:
    lab.get_by_label("Word to watch").fill("가")
    expect(lab.locator(".lab .head").last).to_contain_text("“·가”")


def test_korean_words_in_the_lab_never_show_a_byte_without_its_syllable(look_at: OpenPage) -> None:
    lab = show_lab(look_at("/tokenization?lang=ko&tok_source=ko"))
    trained = bpe.train(corpus("ko"), 200)
    for n_merges in (0, 40, 200):
        lab.locator(".lab .slider").fill(str(n_merges))
        words = words_in_lab(lab)
        assert words == expected_words(trained, n_merges, len(words), "ko")
        assert n_merges or any("(" in label for word in words for label in word)
    word = lab.locator(".lab .word").filter(has_text="(").first
    word.click()
    leaves = lab.locator(".lab .tree svg text:not(.when)").all_text_contents()
    assert any("(" in label for label in leaves)
    assert not [label for label in leaves if re.fullmatch(r"(… )?[0-9A-F]{2}( [0-9A-F]{2})*( …)?", label)]
    assert re.search("[가-힣]", lab.locator(".lab .head").last.inner_text())


def test_a_csv_saved_by_korean_excel_can_be_trained_on(open_page: OpenPage) -> None:
    lab = show_lab(open_page("/tokenization?lang=en"))
    lab.get_by_role("button", name="Your file").or_(lab.get_by_role("radio", name="Your file")).first.click()
    wait_run(lab)
    table = "번호,문장,점수\n1,나는 나는 나는 학교에 간다,3\n2,나는 집에 간다,5\n".encode("cp949")
    lab.locator(".st-key-tok_upload_field input[type=file]").set_input_files(
        {"name": "korean.csv", "mimeType": "text/csv", "buffer": table}
    )
    lab.get_by_role("button", name="Train on this text").click()
    expect(lab.locator(".lab .slider")).not_to_have_attribute("max", "200")
    lab.locator(".lab .slider").evaluate(
        "node => { node.value = node.max; node.dispatchEvent(new Event('input')) }"
    )
    assert "나는" in "".join(lab.locator(".lab .merges li").all_inner_texts())
