"""What the page on the layers shows, read back."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from playground.engine.local.engine import LocalEngine
from tests import tiny

TEXT = "The cat sat on the mat"


OTHER = "The dog sat on the mat"


DECODERS = (tiny.LLAMA, tiny.GPT2)


def ids(engine: LocalEngine, model: str, text: str = TEXT) -> tuple[int, ...]:
    return engine.tokenizers.tokenize(model, text, add_special_tokens=True).input_ids


def told(app: AppTest) -> str:
    return " ".join(element.value for element in app.markdown).replace("\\", "")
