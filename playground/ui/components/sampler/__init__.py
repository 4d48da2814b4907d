"""The sampler: the exact next-token distribution under five sliders, repainted in the browser.

The browser holds every logit of the vocabulary (packed, see `packing`) and applies the settings itself while
a slider moves; Python learns the values once, when it is let go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import streamlit as st

from playground.core.ranking import RankedLogits
from playground.core.sampling import LIMITS, ORDERS, Sampling
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


def limits(d_vocab: int) -> dict[str, tuple[float, float]]:
    """From where to where the reader can choose each setting: name -> the least, the most.

    A view's range, within what a request may be (`core.sampling.LIMITS`): the picture of temperatures ends
    at 3, a field shows three digits, and there are no more than `d_vocab` tokens.
    """
    share = (0.001, 1.0)
    return {**LIMITS, "temperature": (0.0, 3.0), "top_k": (0, d_vocab), "top_p": share, "typical_p": share}


def sampler(
    ranked: RankedLogits,
    texts: Sequence[str],
    settings: Sampling,
    *,
    defaults: Sampling,
    key: str,
    language: str,
    on_release: Callable[[Sampling], None],
) -> None:
    """Draw the sliders and the distribution; `on_release` runs once, before the rerun, when one was let go.

    The data stay byte for byte the same while the reader only moves sliders, so Streamlit sends a hash.

    Args:
        ranked: The logits, float32.
        texts: Labels of the most probable tokens, best first, at most `N_ROWS`.
        settings: Values of the sliders; sliders that show others move there.
        defaults: Values that *Reset* restores.
        key: Widget key.
        language: The code of the session's.
        on_release: Called with the new settings.
    """

    def read(values: Mapping[str, Any]) -> Sampling | None:
        return valid(values, len(ranked))

    revision, shown = two_way.shown(key, settings, read, "settings")

    def released() -> None:
        value = two_way.changed(key, read, "settings")
        if value is not None:
            on_release(value)

    _COMPONENT(
        key=key,
        data=_data(
            ranked, texts, language, revision=revision, settings=asdict(shown), defaults=asdict(defaults)
        ),
        default={"settings": None},
        on_settings_change=released,
    )


def valid(values: Mapping[str, Any], d_vocab: int) -> Sampling | None:
    """Settings read from outside (browser, URL); None when a value is missing, not a number or out of range.

    Example:
        >>> usual = {"temperature": 0, "top_k": 5, "top_p": 0.75, "min_p": 0, "typical_p": 1}
        >>> valid({**usual, "order": "transformers"}, 100)
        Sampling(temperature=0.0, top_k=5, top_p=0.75, min_p=0.0, typical_p=1.0, order='transformers')
        >>> valid({**usual, "order": "transformers", "temperature": -1}, 100)
    """
    settings: dict[str, Any] = {}
    try:
        for name, (least, most) in limits(d_vocab).items():
            settings[name] = int(values[name]) if name == "top_k" else float(values[name])
            if not least <= settings[name] <= most:
                return None
        order = values["order"]
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return Sampling(**settings).in_order(order) if order in ORDERS else None


def _data(ranked: RankedLogits, texts: Sequence[str], language: str, **state: object) -> bytes:
    n_rows = min(N_ROWS, len(texts))
    head = {
        "n_vocab": len(ranked),
        "n_finite": ranked.n_finite,
        "ids": ranked.token_ids[:n_rows].tolist(),
        "texts": list(texts[:n_rows]),
        "limits": limits(len(ranked)),
        **state,
        "language": language,
        "words": _words(language),
    }
    return packed(head, np.frombuffer(_logits(ranked), np.uint8))


def _logits(ranked: RankedLogits) -> bytes:
    """The logits, packed once per ranking, for as long as that lives."""
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
            "Squares: kept by transformers, vLLM, llama.cpp. Point at or tap a row for exact values."
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
