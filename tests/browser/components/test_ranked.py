"""The sampler's numbers in Chromium are core.sampling's."""

from __future__ import annotations

import base64
import itertools
import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page

from playground.core.ranking import RankedLogits, rank
from playground.core.sampling import LIMITS, Sampling, distribution
from playground.ui.components import sampler, script
from playground.ui.components.sampler.packing import pack

SCRIPT = script("sampler/ranked")


D_VOCAB = 49_152


GRID = list(
    itertools.product(
        (0.0, 0.05, 0.3, 0.7, 1.0, 1.5, 2.2, 3.0),
        (0, 1, 40, 20_000, D_VOCAB),
        (1.0, 0.999, 0.9, 0.3),
        (0.0, 1e-4, 0.05, 1.0),
        (1.0,),
        ("transformers",),
    )
)


GRID += itertools.product(
    (0.0, 0.3, 1.0, 1.5),
    (0, 40),
    (1.0, 0.9),
    (0.0, 0.05),
    (1.0, 0.999, 0.5, 0.05),
    ("transformers", "llama.cpp"),
)


GRID += itertools.product((0.3, 1.5), (0, 40), (1.0, 0.9), (0.0, 0.05, 0.5), (1.0,), ("vllm",))


# Every probability of all those settings would be 250 MB; these ranks hold head, middle and last token.
RANKS = np.unique(np.geomspace(1, D_VOCAB, 300).astype(int) - 1).tolist()


COMPUTE = """
async ([source, packed, n, settings, ranks]) => {
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const ranked = new module.Ranked(module.unpack(bytes, n));
  const found = settings.map(([temperature, top_k, top_p, min_p, typical_p, order]) => {
    const d = ranked.distribution({ temperature, top_k, top_p, min_p, typical_p, order });
    const probs = ranks.map((i) => d.after(i));
    return { first: d.first, n_kept: d.n_kept, entropy_bits: d.entropy_bits, mass: d.mass, probs };
  });
  return { logits: Array.from(ranked.logits), found };
}
"""


def in_chromium(page: Page, ranked: RankedLogits, grid: list[Any], ranks: list[int]) -> dict[str, Any]:
    """What `ranked.js` makes of these logits."""
    packed = base64.b64encode(pack(ranked.logits[: ranked.n_finite])).decode()
    found: dict[str, Any] = page.evaluate(COMPUTE, [SCRIPT, packed, ranked.n_finite, grid, ranks])
    return found


def vocabulary(kind: str) -> NDArray[np.float32]:
    """Logits of one position: smooth, with ties and banned tokens, or all equal."""
    rng = np.random.default_rng(4)
    logits = rng.normal(scale=3.5, size=D_VOCAB).astype(np.float32)
    if kind == "ties":
        logits = np.round(logits * 4) / 4
        logits[rng.random(D_VOCAB) < 0.2] = -np.inf
    return np.zeros(D_VOCAB, dtype=np.float32) if kind == "uniform" else logits


@pytest.mark.parametrize("kind", ["smooth", "ties", "uniform"])
def test_javascript_equals_core_sampling_over_the_whole_range(kind: str, page: Page) -> None:
    ranked = rank(vocabulary(kind))
    result = in_chromium(page, ranked, GRID, [r for r in RANKS if r < ranked.n_finite])
    ranks = np.array([r for r in RANKS if r < ranked.n_finite])
    assert np.array_equal(np.array(result["logits"], dtype=np.float32), ranked.logits[: ranked.n_finite])
    largest_nucleus = 0
    everything = {
        t: distribution(ranked, Sampling(temperature=t)) for t in {settings[0] for settings in GRID}
    }
    for setting, found in zip(GRID, result["found"], strict=True):
        temperature, _top_k, top_p, *_rest = setting
        kept = distribution(ranked, Sampling(*setting))
        probs = np.zeros(ranked.n_finite)
        probs[found["first"] : found["first"] + kept.n_kept] = kept.probs
        everyone = everything[temperature]
        held = everyone.probs[np.isin(everyone.token_ids, kept.token_ids)].sum()
        assert found["n_kept"] == kept.n_kept, setting
        assert found["entropy_bits"] == pytest.approx(kept.entropy_bits, abs=1e-5)
        assert found["mass"] == pytest.approx(held, abs=1e-5)
        np.testing.assert_allclose(found["probs"], probs[ranks], atol=1e-5, rtol=0)
        assert ranked.token_ids[found["first"]] == kept.token_ids[0]
        if top_p < 1:
            largest_nucleus = max(largest_nucleus, kept.n_kept)
    assert largest_nucleus > 20_000


def test_one_token_vocabulary(page: Page) -> None:
    found = in_chromium(
        page,
        rank(np.array([-3.25], dtype=np.float32)),
        [(0, 0, 1, 0, 1, "vllm"), (1, 5, 0.1, 1, 0.5, "llama.cpp")],
        [0],
    )
    assert found["logits"] == [-3.25]
    assert [row["probs"] for row in found["found"]] == [[1], [1]]


TYPE = """
async ([source, data, typed]) => {
  const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const host = document.createElement("div");
  host.innerHTML = '<div class="sampler"></div>';
  document.body.append(host);
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  module.default({ parentElement: host, data: bytes, setStateValue: () => {} });
  const ends = [...host.querySelectorAll("input[type=range]")].map(({ min, max }) => [+min, +max]);
  const taken = [...host.querySelectorAll("input[type=number]")].map((field) =>
    typed.map((value) => {
      field.value = value;
      field.dispatchEvent(new Event("change"));
      return field.valueAsNumber;
    }),
  );
  return { ends, taken };
}
"""


@pytest.mark.parametrize("others", [{}, {"temperature": (0.25, 1.5), "top_k": (2, 9), "min_p": (0.08, 0.4)}])
def test_the_browser_takes_its_limits_from_the_data_alone(
    others: dict[str, tuple[float, float]], page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = sampler.limits(D_VOCAB) | others
    monkeypatch.setattr(sampler, "limits", lambda _d_vocab: limits)
    state = {"revision": 0, "settings": asdict(Sampling()), "defaults": asdict(Sampling())}
    data = sampler._data(rank(vocabulary("smooth")), ["a", "b"], "en", **state)
    source = script("sampler/ranked", "sampler/bars", "sampler/sliders", "sampler/sampler")
    found = page.evaluate(TYPE, [source, base64.b64encode(data).decode(), [-1e9, 1e9]])
    assert found["taken"] == [list(limits[name]) for name in LIMITS]
    hundredths = [
        [math.ceil(100 * least), math.floor(100 * most)]
        for name, (least, most) in limits.items()
        if name != "top_k"
    ]
    assert [found["ends"][at] for at in (0, 2, 3, 4)] == hundredths
