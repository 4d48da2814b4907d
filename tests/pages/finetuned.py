"""The page on fine-tuning with a run on it."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def told(app: AppTest) -> str:
    boxes = (*app.markdown, *app.caption, *app.info, *app.error, *app.warning, *app.success)
    return " ".join(one.value for one in boxes).replace("\\", "")


def choose(app: AppTest, key: str, value: str) -> AppTest:
    app.session_state[key] = value
    return app.run()
