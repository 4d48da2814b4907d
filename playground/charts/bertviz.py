"""BertViz's head view and model view as one HTML page each: offline, the same bytes for the same numbers.

BertViz's own functions write tokens into a script unescaped and load their libraries from a CDN. So its two
scripts are read from the installed package and get the same parameters as from its functions, as JSON without
"<"; it is never imported.

Source:
    Vig 2019, "A Multiscale Visualization of Attention in the Transformer Model", ACL demos, arXiv:1906.05714.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from playground.charts.labels import width
from playground.paths import site_root

N_TOKENS: Final = {"head": 64, "model": 24}  # more freeze the browser (bertviz issues 74 and 82)
N_LAYERS: Final = 6  # of a model view
DECIMALS: Final = 4
LIBRARIES: Final = ("vendor/d3-5.16.0.min.js", "vendor/jquery-3.7.1.min.js")

_PAPER = {False: ("#FFFFFF", "#121418", "#DDE3EA"), True: ("#0F1216", "#F2F3F5", "#2E3742")}
_MARGIN = 4
_ROOT = "bertviz"
_WIDTHS = {  # as wide as the column; tokens are read from the back of a room
    "head_view": {"const BOXWIDTH = 110;": "const BOXWIDTH = window.innerWidth < 640 ? 120 : 160;",
                  "const MATRIX_WIDTH = 115;":
                  "const MATRIX_WIDTH = Math.max(90, Math.min(300, window.innerWidth - 2 * BOXWIDTH - 16));"},
    "model_view": {"const DIV_WIDTH = 970;": "const DIV_WIDTH = 860;",
                   "const DETAIL_WIDTH = 300;": "const DETAIL_WIDTH = 380;",
                   "const DETAIL_BOX_WIDTH = 80;": "const DETAIL_BOX_WIDTH = 120;"},
}  # fmt: skip
_NUMBERS = {  # as every page counts: layers and heads from 1
    "head_view": {".val(layer).text(layer)": ".val(layer).text(layer + 1)"},
    "model_view": {".text(config.heads[i])": ".text(config.heads[i] + 1)",
                   ".text(config.layers[i])": ".text(config.layers[i] + 1)",
                   "'Layer ' + config.layers[layerIndex] +": "'Layer ' + (config.layers[layerIndex] + 1) +",
                   '", Head " + config.heads[headIndex]': '", Head " + (config.heads[headIndex] + 1)'},
}  # fmt: skip
_FONT = "@font-face { font-family: Pretendard; src: url(assets/fonts/PretendardVariable.woff2) }"
_PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><style>
{font}
body {{ margin: 0; padding: {margin}px; background: {paper}; color: {ink}; font: 15px Pretendard, Arial }}
svg {{ display: block }}
select {{ min-height: 40px; margin-bottom: 6px; font: inherit; color: {ink}; background: {paper} }}
text {{ fill: {ink} }}
.background {{ fill: {hover} }}
</style></head><body><div id="{root}">{choice}<div id="vis"></div></div>
{libraries}
<script>
const libraries = {{ d3: window.d3, jquery: window.jQuery }};
const requirejs = (names, draw) => libraries.d3 && libraries.jquery
  ? draw(...names.map((name) => libraries[name])) : document.body.append({missing});
const require = {{ config() {{}} }};
{script}
</script></body></html>
"""


class BertvizView(NamedTuple):
    """A page for an iframe.

    Attributes:
        html: The page; it loads its libraries from this server.
        height: Height in pixels.
    """

    html: str
    height: int


def head_view(
    weights: NDArray[np.floating],
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    layer: int,
    words: Mapping[str, str],
    dark: bool = False,
) -> BertvizView:
    """One layer: lines from queries on the left to keys on the right, a colour for each head.

    Args:
        weights: Attention weights of all layers. Shape [layer, head, query, key].
        queries: Label of each query, at most `N_TOKENS["head"]`.
        keys: Label of each key; of a self-attention the same.
        layer: The layer, the first is 0; shown as 1.
        words: missing, in the reader's language: the sentence shown when the libraries are not served.
        dark: True for the dark theme.

    Raises:
        ValueError: Too many tokens, or labels that do not fit the weights.
    """
    _check(weights, queries, keys, N_TOKENS["head"])
    params = {"layer": None, "heads": None, "include_layers": [layer]}
    data = _data(weights[[layer]], queries, keys, pixels=150, font=15)
    page = _page("head_view", data | params, {}, words, dark)
    return BertvizView(page, math.ceil(22.5 * max(len(queries), len(keys))) + 30 + 2 * _MARGIN)


class Part(NamedTuple):
    """One of the attentions of an encoder-decoder.

    Attributes:
        name: Its name, in the reader's language.
        weights: Attention weights of all layers. Shape [layer, head, query, key].
        queries, keys: Labels of the tokens, at most `N_TOKENS["head"]`.
    """

    name: str
    weights: NDArray[np.floating]
    queries: Sequence[str]
    keys: Sequence[str]


def encoder_decoder_view(
    parts: Sequence[Part], *, layer: int, words: Mapping[str, str], dark: bool = False
) -> BertvizView:
    """The head view of several attentions, of which a list in the picture chooses one.

    Args:
        parts: The attentions.
        layer: The layer of each, the first is 0.
        words: choice (before the list) and missing, in the reader's language.
        dark: True for the dark theme.

    Raises:
        ValueError: Too many tokens, or labels that do not fit the weights.
    """
    for part in parts:
        _check(part.weights, part.queries, part.keys, N_TOKENS["head"])
    views = [
        _view(part.name, part.weights[[layer]], part.queries, part.keys, pixels=150, font=15)
        for part in parts
    ]
    options = "".join(f'<option value="{i}">{escape(part.name)}</option>' for i, part in enumerate(parts))
    choice = f'<label>{escape(words["choice"])} <select id="filter">{options}</select></label>'
    params = {
        "attention": views, "default_filter": "0", "root_div_id": _ROOT,
        "layer": None, "heads": None, "include_layers": [layer],
    }  # fmt: skip
    page = _page("head_view", params, {}, words, dark, choice)
    n = max(max(len(part.queries), len(part.keys)) for part in parts)
    return BertvizView(page, math.ceil(22.5 * n) + 80 + 2 * _MARGIN)


def model_view(
    weights: NDArray[np.floating],
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    layers: Sequence[int],
    words: Mapping[str, str],
    dark: bool = False,
) -> BertvizView:
    """Every head of some layers as a thumbnail; a click enlarges one.

    Args:
        weights: Attention weights of all layers. Shape [layer, head, query, key].
        queries: Label of each query, at most `N_TOKENS["model"]`.
        keys: Label of each key; of a self-attention the same.
        layers: The layers, the first is 0 and shown as 1; at most `N_LAYERS`.
        words: heads, layers, layer, head, missing, in the reader's language.
        dark: True for the dark theme.

    Raises:
        ValueError: Too many tokens or layers, or labels that do not fit the weights.
    """
    _check(weights, queries, keys, N_TOKENS["model"])
    if not 0 < len(layers) <= N_LAYERS:
        raise ValueError(f"{len(layers)} layers, at most {N_LAYERS}")
    n_heads = weights.shape[1]
    params = {
        "display_mode": "dark" if dark else "light",
        "include_layers": list(layers),
        "include_heads": list(range(n_heads)),
        "total_heads": n_heads,
    }
    replaced = {
        '"Heads"': _script_json(words["heads"]),
        '"Layers"': _script_json(words["layers"]),
        "'Layer '": _script_json(f"{words['layer']} "),
        '", Head "': _script_json(f", {words['head']} "),
    }
    if dark:
        paper, _ink, hover = _PAPER[dark]
        replaced |= {"'background': 'black'": f"'background': '{paper}'", "'#222'": f"'{hover}'"}
    data = _data(weights[list(layers)], queries, keys, pixels=112, font=13)
    page = _page("model_view", data | params, replaced, words, dark)
    n = max(len(queries), len(keys))
    thumbnails = len(layers) * (n * 7 * 12 / n_heads + 10) + 38
    return BertvizView(page, math.ceil(max(thumbnails, 18 * n + 55)) + 2 * _MARGIN)


def standalone(page: str) -> str:
    """The same page with its libraries inside: one file that needs no server."""
    page = _replace(page, _FONT, "")
    for path in LIBRARIES:
        library = (site_root() / "assets" / path).read_text("utf-8")
        page = _replace(page, _tag(path), f"<script>{library}</script>")
    return page


def _check(weights: NDArray[np.floating], queries: Sequence[str], keys: Sequence[str], limit: int) -> None:
    if weights.ndim != 4 or weights.shape[2:] != (len(queries), len(keys)):
        raise ValueError(f"weights {weights.shape} for {len(queries)} queries and {len(keys)} keys")
    if max(weights.shape[2:]) > limit:
        raise ValueError(f"{max(weights.shape[2:])} tokens, at most {limit}")


def _data(
    weights: NDArray[np.floating], queries: Sequence[str], keys: Sequence[str], *, pixels: int, font: int
) -> dict[str, Any]:
    view = _view(None, weights, queries, keys, pixels=pixels, font=font)
    return {"attention": [view], "default_filter": "0", "root_div_id": _ROOT}


def _view(
    name: str | None,
    weights: NDArray[np.floating],
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    pixels: int,
    font: int,
) -> dict[str, Any]:
    return {
        "name": name,
        "attn": weights.astype(np.float64).round(DECIMALS).tolist(),
        "left_text": [_fit(label, pixels, font) for label in queries],
        "right_text": [_fit(label, pixels, font) for label in keys],
    }


def _fit(label: str, pixels: int, font: int) -> str:
    """The label, or as much of it as has room."""
    if width(label, font) <= pixels:
        return label
    while label and width(label + "…", font) > pixels:
        label = label[:-1]
    return label + "…"


def _page(
    name: str,
    params: Mapping[str, Any],
    replaced: Mapping[str, str],
    words: Mapping[str, str],
    dark: bool,
    choice: str = "",
) -> str:
    script = _script(name)
    for old, new in {**_WIDTHS[name], **_NUMBERS[name], **replaced}.items():
        script = _replace(script, old, new)
    before, mark, after = script.partition("const params = PYTHON_PARAMS;")
    if not mark:
        raise LookupError(f"bertviz's {name}.js has changed: no place for its parameters")
    paper, ink, hover = _PAPER[dark]
    return _PAGE.format(
        font=_FONT,
        margin=_MARGIN,
        paper=paper,
        ink=ink,
        hover=hover,
        root=_ROOT,
        choice=choice,
        libraries="\n".join(map(_tag, LIBRARIES)),
        missing=_script_json(words["missing"]),
        script=f"{before}const params = {_script_json(params)};{after}",
    )


@lru_cache
def _script(name: str) -> str:
    path = distribution("bertviz").locate_file(f"bertviz/{name}.js")
    return Path(str(path)).read_text("utf-8")


def _replace(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise LookupError(f"{old!r} stands {text.count(old)} times, expected once: has bertviz changed?")
    return text.replace(old, new)


def _script_json(value: object) -> str:
    """JSON that is safe inside a script: ASCII without "<"."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _tag(path: str) -> str:
    return f'<script src="assets/{path}"></script>'
