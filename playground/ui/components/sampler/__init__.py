"""The sampler: the exact next-token distribution under four sliders, repainted in the browser.

The browser holds every logit of the vocabulary (packed, see `packing`) and applies the settings itself while
a slider moves; Python learns the values once, when it is let go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import streamlit as st

from playground.core.ranking import RankedLogits
from playground.core.sampling import ORDERS, Order, in_order
from playground.ui.components import packed, script, style
from playground.ui.components import synced as two_way
from playground.ui.components.sampler.packing import pack
from playground.ui.text import _

_COMPONENT = st.components.v2.component(
    "playground.sampler",
    html='<div class="sampler"></div>\n',
    css=style("keyboard", "sampler/sampler", "touch"),
    js=script("sampler/ranked", "sampler/sliders", "sampler/bars", "sampler/sampler"),
)
_PACKED: WeakKeyDictionary[RankedLogits, bytes] = WeakKeyDictionary()
N_ROWS = 64  # tokens that have a name and a row; the rest counts in every number


class SamplerValue(NamedTuple):
    """Sampling settings; `_asdict()` gives the keywords of `core.sampling.distribution`."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 0.75  # so that the first picture has a cut in it
    min_p: float = 0.0
    typical_p: float = 1.0
    order: Order = "transformers"


DEFAULT = SamplerValue()


def sampler(
    ranked: RankedLogits,
    texts: Sequence[str],
    settings: SamplerValue,
    *,
    key: str,
    language: str,
    on_release: Callable[[SamplerValue], None],
) -> None:
    """Draw the sliders and the distribution; `on_release` runs once, before the rerun, when one was let go.

    The data stay byte for byte the same while the reader only moves sliders, so Streamlit sends a hash.

    Args:
        ranked: The logits, float32.
        texts: How the most probable tokens are shown, best first, at most `N_ROWS`.
        settings: What the sliders stand at; when it is not what they show, they move there.
        key: Widget key.
        language: The code of the session's.
        on_release: Given the new settings.
    """

    def read(values: Mapping[str, Any]) -> SamplerValue | None:
        return valid(values, len(ranked))

    revision, shown = two_way.shown(key, settings, read, "settings")

    def released() -> None:
        value = two_way.changed(key, read, "settings")
        if value is not None:
            on_release(value)

    _COMPONENT(
        key=key,
        data=_data(ranked, texts, revision, shown, language),
        default={"settings": None},
        on_settings_change=released,
    )


def valid(values: Mapping[str, Any], d_vocab: int) -> SamplerValue | None:
    """Settings read from outside (browser, URL), or None when a value is missing, no number or out of range.

    Example:
        >>> valid({**DEFAULT._asdict(), "temperature": 0, "top_k": 5}, 100)
        SamplerValue(temperature=0.0, top_k=5, top_p=0.75, min_p=0.0, typical_p=1.0, order='transformers')
        >>> valid({**DEFAULT._asdict(), "temperature": -1}, 100)
    """
    try:
        value = SamplerValue(
            float(values["temperature"]),
            int(values["top_k"]),
            float(values["top_p"]),
            float(values["min_p"]),
            float(values["typical_p"]),
            values["order"],
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    in_range = (
        0 <= value.temperature <= 3
        and 0 <= value.top_k <= d_vocab
        and 0 < value.top_p <= 1
        and 0 <= value.min_p <= 1
        and 0 < value.typical_p <= 1
        and value.order in ORDERS
    )
    return possible(value) if in_range else None


def possible(value: SamplerValue) -> SamplerValue:
    """Without a setting that the chosen library has not."""
    return SamplerValue(**in_order(value._asdict(), value.order))


def _data(
    ranked: RankedLogits, texts: Sequence[str], revision: int, shown: SamplerValue, language: str
) -> bytes:
    n_rows = min(N_ROWS, len(texts))
    head = {
        "n_vocab": len(ranked),
        "n_finite": ranked.n_finite,
        "ids": ranked.token_ids[:n_rows].tolist(),
        "texts": list(texts[:n_rows]),
        "revision": revision,
        "settings": shown._asdict(),
        "defaults": DEFAULT._asdict(),
        "language": language,
        "words": _words(language),
    }
    return packed(head, np.frombuffer(_logits(ranked), np.uint8))


def _logits(ranked: RankedLogits) -> bytes:
    """Packed once for each ranking, for as long as that lives."""
    if ranked not in _PACKED:
        _PACKED[ranked] = pack(ranked.logits[: ranked.n_finite].astype(np.float32))
    return _PACKED[ranked]


@lru_cache
def _words(language: str) -> dict[str, str]:
    """The words in the reader's language, which `language` names; the browser fills the braces."""
    return {
        "temperature": _("Temperature"),
        "top_k": "Top-k",
        "top_p": "Top-p",
        "min_p": "Min-p",
        "typical_p": "Typical-p",
        "order": _("In the order of"),
        "library": _("{name}: {n} left"),
        "step_off": _("off"),
        "step_shape": _("reshapes"),
        "step_greedy": _("greedy: 1 left"),
        "step_cut": _("cuts {n}, {mass}"),
        "greedy": _("greedy"),
        "all": _("all"),
        "exact": _("{name}, exact value"),
        "top_k_range": _("1 to {n}; 0 = all"),
        "cut": _("cut"),
        "axis_bars": _("probability"),
        "axis_line": _("cumulative"),
        "picture": _("The most probable next tokens; arrow keys move through them"),
        "reset": _("Reset"),
        "png": _("Picture (PNG)"),
        "svg": _("Picture (SVG)"),
        "reading": _(
            "Kept: {n} of {total} tokens, together {mass} of the probability. Entropy of the draw: "
            "{entropy} bits."
        ),
        "reading_greedy": _(
            "Greedy: kept 1 of {total} tokens, the most probable one. Entropy of the draw: 0 bits."
        ),
        "reading_greedy_cut": _(
            "Greedy: kept 1 of {total} tokens, the most probable one of those that typical-p leaves. "
            "Entropy of the draw: 0 bits."
        ),
        "legend": _(
            "Solid bar: kept, probability after the cuts. Hatched bar: cut. Thin mark: the model's own "
            "probability (temperature 1). Line: cumulative probability before the cuts. "
            "Squares: kept by transformers, vLLM, llama.cpp. Point at a row for exact values."
        ),
        "detail_kept": _(
            "{rank}. {token} (id {id}): logit {logit}, the model's own p {own}, at this temperature "
            "{before}, after the cuts {after}, cumulative {cumulative}."
        ),
        "detail_cut": _(
            "{rank}. {token} (id {id}): logit {logit}, the model's own p {own}, at this temperature "
            "{before}, cut, cumulative {cumulative}."
        ),
    }
