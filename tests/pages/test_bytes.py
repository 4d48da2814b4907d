"""Pieces of characters: no page shows bytes alone where a character can be named."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from tests import tiny
from tests.pages.conftest import OpenApp

KOREAN, EMOJI = "대한민국의 수도는", "I 😀 cats 👍🏽"
# Bytes of a character with a letter among their digits, so that no number is taken for one.
BYTES = r"(?:20 )?[89A-F][0-9A-F](?: [89A-F][0-9A-F])*"
BARE = re.compile(rf"(?<![\w#/+.-])(?<!… )(?=[0-9A-F ]*[A-F]){BYTES}(?![\w/+-]| ?[(…]| [89A-F][0-9A-F])")
MIDDLE = re.compile(r"… [89A-F][0-9A-F]")  # goes on with a character that is not said
# What draws bytes under the characters they are of.
UNDER_CHARACTERS = ("playground.token_chips", "playground.token_rows", "playground.journey")
VOCABULARY = ("playground.bpe_lab",)  # entries of a vocabulary stand in no text


def strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        two_lines = len(value) == 2 and str(value[1]).startswith("(")
        for one in [" ".join(value)] if two_lines else value:
            yield from strings(one)
    elif isinstance(value, str):
        yield value


def shown(app: AppTest) -> Iterator[tuple[str, str]]:
    """(where, text) of everything that this page sends to be read."""
    for kind in ("markdown", "caption", "info", "warning", "error", "success", "text"):
        for one in getattr(app, kind):
            yield kind, str(one.value).replace("\\", "")
    for box in (*app.selectbox, *app.radio, *app.multiselect):
        yield from (("options", option.replace("\\", "")) for option in box.options)
    for element in app.get("bidi_component"):
        name = element.proto.component_name
        if name not in UNDER_CHARACTERS:
            yield from ((name, text) for text in strings(json.loads(element.proto.json or "null")))
    for chart in app.get("vega_lite_chart"):
        yield from (("chart", text) for text in strings(json.loads(chart.proto.spec)))
        for data in (chart.proto.data.data, *(one.data.data for one in chart.proto.datasets)):
            yield from (("chart", text) for text in cells(data))
    for table in app.get("arrow_data_frame"):
        yield from (("table", text) for text in cells(table.proto.data))


def cells(data: bytes) -> Iterator[str]:
    if data:
        yield from strings(pa.ipc.open_stream(io.BytesIO(data)).read_all().to_pydict())


VIEWS: list[tuple[str, dict[str, str]]] = [
    ("home", {}),
    ("tokenization", {"tok_source": "ko"}),
    ("tokenization", {"tok_source": "sentence", "tok_word": "수도는", "tok_merges": "0"}),
    ("embeddings", {}),
    ("embeddings", {"emb_view": "context", "emb_sample": "own", "emb_ctx_word": "수도",
                    "emb_ctx_text": "대한민국의 수도는\n\n영국의 수도는 런던"}),
    ("positions", {"pos_far": "true"}),
    ("attention", {}),
    *(("attention", {"att_panel": panel}) for panel in ("off", "masks", "flow", "bertviz")),
    ("inside", {}),
    *(("sampling", {"sam_panel": panel}) for panel in ("write", "many", "compare", "beam", "text", "guess")),
    *(("prompting", {"pro_shots": "0", "pro_panel": panel}) for panel in ("shots", "which", "chat")),
    *(("finetuning", {"fin_panel": panel}) for panel in ("data", "weights", "compare")),
]  # fmt: skip


@pytest.mark.parametrize("text", [KOREAN, EMOJI])
@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(("page", "link"), VIEWS)
def test_no_byte_is_shown_without_its_character(
    page: str, link: dict[str, str], language: str, text: str, open_app: OpenApp
) -> None:
    app = open_app(page, lang=language, model=tiny.GPT2, text=text, token="3", **link)
    assert not app.exception
    named = [(kind, text.replace("E5 small", "")) for kind, text in shown(app)]  # a model's name
    told = [one for one in named if "$" not in one[1]]  # formulas of the lesson: the matrices BA
    assert len(told) > 20
    assert [one for one in told if BARE.search(one[1]) and one[0] not in VOCABULARY] == []
    if page != "embeddings":  # the neighbours of a token stand in no text
        assert [one for one in told if MIDDLE.search(one[1]) and one[0] not in VOCABULARY] == []


@pytest.mark.parametrize(
    ("text", "is_bare"),
    [
        ("EB (대)", False),
        ("EC 95 …", False),
        ("8C 80 (대) 20 ED (·한)", False),
        ("3: EB", True),
        ("`EB 8C` 99 %", True),
        (":blue[**20 EC**]", True),
        ("80 %, 94 tokens, 2026", False),
        ("BERT, ABC", False),
    ],
)
def test_what_counts_as_a_byte_alone(text: str, is_bare: bool) -> None:
    assert bool(BARE.search(text)) == is_bare
