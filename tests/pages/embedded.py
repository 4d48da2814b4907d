"""What the embeddings page shows, read back."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pyarrow as pa
from streamlit.testing.v1 import AppTest

from tests import tiny
from tests.pages.conftest import OpenApp

TEXT = "The cat sat on the mat"


HOSTILE = [
    "</script><script>alert(1)</script>",
    "![](http://x)",
    "$E=mc^2$",
    ":red[x]",
    "\u202eabc",
    "👨‍👩‍👧‍👦",
    "  ",
]


def messages(app: AppTest) -> str:
    return " ".join(box.value for box in (*app.error, *app.warning, *app.info)).replace("\\", "")


def chart_data(app: AppTest, at: int = 0) -> pd.DataFrame:
    """The rows of a chart."""
    proto = app.get("vega_lite_chart")[at].proto
    data = proto.datasets[0].data.data if proto.datasets else proto.data.data
    frame: pd.DataFrame = pa.ipc.open_stream(data).read_pandas()
    return frame


def sent_to_map(app: AppTest) -> dict[str, Any]:
    found = (element.proto for element in app.get("bidi_component"))
    return dict(json.loads(next(p.json for p in found if p.component_name == "playground.vector_map")))


# ---------------------------------------------------------------- contexts

OWN = {
    "emb_view": "context",
    "emb_sample": "own",
    "emb_ctx_word": "cat",
    "emb_ctx_text": "the dog sat on the cat\na cat\n\nthe cat sat\nFrance is the cat",
}


def open_map(open_app: OpenApp, **url: str) -> AppTest:
    app = open_app("embeddings", model=tiny.BERT, emb_view="sentences", **url)
    assert not app.exception
    return app
