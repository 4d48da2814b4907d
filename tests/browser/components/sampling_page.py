"""The sampling page's sampler, taken hold of."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def sentence(page: Page) -> str:
    return page.locator(".sampler .sentence").inner_text()


def wait_drawn(page: Page) -> None:
    """Until the sampler has its logits; on a busy machine that takes a while."""
    expect(page.locator(".sampler .sentence")).not_to_be_empty()
