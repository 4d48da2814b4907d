"""Small pages of the server itself, shown before Streamlit is asked."""

from __future__ import annotations

import html
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from playground.ui import text
from playground.ui.translations import SOURCE_LANGUAGE, first_of, languages

_PAGE: Final = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>LLM Playground</title><style>
body {{ font: 18px/1.6 system-ui, sans-serif; color: #1a1c20; background: #fff; margin: 12vh auto; max-width: 24rem; padding: 0 1rem }}
h1 {{ font-size: 1.6rem }} label {{ display: block }}
input, button {{ font: inherit; padding: .5rem .8rem; box-sizing: border-box; width: 100%; margin-top: .4rem }}
button {{ background: #0072b2; color: #fff; border: 0; border-radius: .4rem }}
p[role=alert] {{ border-left: 4px solid #d55e00; padding-left: .8rem }}
</style></head><body><main><h1>LLM Playground</h1>{body}</main></body></html>
"""  # noqa: E501


def page(body: str, status: int, language: str = "en", **headers: str) -> HTMLResponse:
    """A page of our own, never kept by the browser.

    Args:
        body: HTML; text from outside is escaped already.
        status: HTTP status.
        language: Language of the page.
        headers: Further headers, `_` for `-`.
    """
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HTMLResponse(
        _PAGE.format(language=language, body=body), status, {"Cache-Control": "no-store"} | named
    )


def in_every_language(msgid: str, other: str) -> str:
    """A sentence as HTML in English and in every other language: for readers who have chosen none yet.

    Args:
        msgid: The English sentence.
        other: HTML around each further language, with places for `language` and `words`.
    """
    further = ((one, text.in_language(one, msgid)) for one in languages() if one != SOURCE_LANGUAGE)
    return html.escape(msgid, quote=False) + "".join(
        other.format(language=one, words=html.escape(words, quote=False))
        for one, words in further
        if words != msgid
    )


def wants_page(headers: Headers) -> bool:
    """True if a person waits for the answer, not a script."""
    return "text/html" in headers.get("accept", "")


def reader_language(headers: Headers) -> str:
    """The first language of ours that the browser asks for; English if none."""
    return first_of(headers.get("accept-language", ""))


def notice(msgid: str, status: int, headers: Headers, retry_s: int = 0, **params: object) -> Response:
    """One sentence of the catalogue, in the reader's language: a page for a person, plain text for a script.

    Args:
        msgid: The English sentence.
        status: HTTP status.
        headers: Headers of the request.
        retry_s: Seconds after which the page asks again by itself; 0 for never.
        params: Values that fill the sentence; shown as text.
    """
    language = reader_language(headers)
    sentence = text.in_language(language, msgid).format(**params)
    again = {"Retry_After": str(retry_s), "Refresh": str(retry_s)} if retry_s else {}
    if wants_page(headers):
        return page(f'<p role="alert">{html.escape(sentence)}</p>', status, language, **again)
    return PlainTextResponse(sentence, status, {"Cache-Control": "no-store"})
