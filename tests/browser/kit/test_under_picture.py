"""What a reader takes away from a picture: values, CSV, PNG, SVG, code."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.reader import wait_run


@pytest.fixture
def row(look_at: OpenPage) -> Locator:
    """The row under the second picture of the sampling page."""
    page = look_at("/sampling?lang=en")
    row = page.locator(".st-key-entropy_under")
    row.scroll_into_view_if_needed()
    return row


def downloaded(page: Page, button: Locator) -> tuple[str, bytes]:
    with page.expect_download() as waiting:
        button.click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def test_csv_is_marked_utf_8_with_a_header_and_numbers(row: Locator) -> None:
    name, data = downloaded(row.page, row.get_by_role("button", name="CSV"))
    assert name == "entropy.csv"
    assert data.startswith(b"\xef\xbb\xbf")
    header, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig")))
    assert header[0] == "temperature"
    assert len(rows) > 5
    assert all(len(fields) == len(header) for fields in rows)
    assert {float(fields[0]) for fields in rows} >= {0.0, 1.0, 3.0}


def test_png_and_svg_hold_the_picture(row: Locator) -> None:
    name, png = downloaded(row.page, row.get_by_role("button", name="PNG"))
    assert (name, png[:8]) == ("entropy.png", b"\x89PNG\r\n\x1a\n")
    assert len(png) > 5_000
    name, svg = downloaded(row.page, row.get_by_role("button", name="SVG"))
    assert name == "entropy.svg"
    assert svg.startswith(b"<svg")
    assert b"Temperature" in svg


def test_values_and_code_open_below_the_picture(row: Locator) -> None:
    page = row.page
    row.get_by_role("button", name="Values").click()
    wait_run(page)
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    page.keyboard.press("Escape")
    row.get_by_role("button", name="Show the code").click()
    wait_run(page)
    code = page.get_by_test_id("stCode")
    expect(code).to_contain_text("text = 'The capital of England is'")
    name, script = downloaded(page, page.get_by_role("button", name="Download the code"))
    assert name == "entropy.py"
    compile(script, name, "exec")
