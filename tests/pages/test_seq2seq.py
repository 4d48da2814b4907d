"""The page Seq2seq: what it draws is what its networks compute, its code, its tasks, its bad input."""

from __future__ import annotations

from tests.pages.conftest import OpenApp


def test_x(open_app: OpenApp) -> None:
    app = open_app("seq2seq", lang="en")
    print([e.value for e in app.exception], [e.value for e in app.error])
    for m in [*app.markdown, *app.caption]:
        print(m.value[:200])
    for p in ("gradient", "writing", "cost"):
        app = open_app("seq2seq", lang="en", seq_panel=p, seq_data="reverse")
        print(p, [e.value for e in app.exception], [e.value for e in app.error])
        for m in [*app.markdown, *app.caption]:
            print(m.value[:200])
