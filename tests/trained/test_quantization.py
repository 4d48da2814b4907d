"""The shipped quantizations: their note, their arithmetic, and one of them measured again."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from playground.core.measured_quantization import FILE, FOLDER, SCHEMES, passage, shipped
from playground.core.quantization import Scheme
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.models import whole_folder
from playground.engine.models.shipped import trained_assets
from playground.paths import site_root
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained import quantization as script
from playground.trained.scripts import SCRIPTS


@pytest.fixture(scope="module")
def engine(real_settings: Settings) -> Iterator[Engine]:
    made = create_engine(real_settings)
    yield made
    made.close()


def test_the_note_says_where_the_figures_come_from() -> None:
    folder = trained_assets() / FOLDER
    said = json.loads((folder / whole_folder.METADATA).read_text("utf-8"))
    assert said["revision"] == said["files"][FILE]["sha256"] == whole_folder.sha256_of(folder / FILE)
    assert said["script"] == script.__name__
    assert FOLDER in SCRIPTS
    model = shipped()
    assert said["figures"]["perplexity"] == model.perplexity
    assert [row.scheme for row in model.rows] == list(SCHEMES)
    assert (model.sentence, model.next_token) == ("The capital of England is", " London")
    assert model.n_tokens >= 300
    assert len(passage("ko")) > 500


@pytest.mark.real
@pytest.mark.parametrize("scheme", [Scheme(4, "group", 64, is_symmetric=False)])
def test_the_script_measures_a_row_again(engine: Engine, scheme: Scheme) -> None:
    [found] = script.quantized(engine, [scheme])
    again = script.measured([found], engine.tokenizers)
    model = shipped()
    own, [row] = model.of(scheme), again.rows
    assert own is not None
    assert again.revision == model.revision
    assert again.n_tokens == model.n_tokens
    assert again.perplexity == pytest.approx(model.perplexity, rel=1e-3)
    assert again.p_next == pytest.approx(model.p_next, rel=1e-3)
    assert row.perplexity == pytest.approx(own.perplexity, rel=1e-3)
    assert row.p_next == pytest.approx(own.p_next, rel=5e-3)
    assert row.kl_bits == pytest.approx(own.kl_bits, rel=5e-3)
    assert (row.top, row.n_bytes) == (own.top, own.n_bytes)
    assert row.bits_a_weight == own.bits_a_weight == 4 + (32 + 4) / 64
    assert row.error == pytest.approx(own.error, rel=1e-5)


@pytest.mark.real
def test_the_embedded_model_has_been_through_4_bits(engine: Engine) -> None:
    """At most 16 values among 32 neighbours, in the linear layers of its blocks; its table has more."""
    from playground.core.quantization import most_values

    listed = engine.quantization.matrices(DEFAULT_DECODER, whole=True)
    inside = [one for one in listed if one.layer in (0, 14, 29)]
    assert len(inside) == 3 * 7
    for one in inside:
        assert most_values(engine.quantization.weights(DEFAULT_DECODER, one.name).weights, 32) <= 16
    table = next(one for one in listed if one.layer is None)
    assert most_values(engine.quantization.weights(DEFAULT_DECODER, table.name).weights, 32) > 16


def test_fewer_bits_never_cost_less_and_smaller_groups_help() -> None:
    model = shipped()
    for granularity in ("tensor", "channel", "group"):
        errors = [model.of(Scheme(bits, granularity)).error for bits in (8, 4, 3, 2)]  # type: ignore[union-attr]
        assert errors == sorted(errors)
    for bits in (8, 4, 3):
        rows = [model.of(Scheme(bits, one)) for one in ("tensor", "channel", "group")]  # type: ignore[arg-type]
        errors = [row.error for row in rows if row is not None]
        assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_lesson_says_what_was_measured(language: str) -> None:
    lesson = (site_root() / "assets" / "lessons" / language / "memory.md").read_text("utf-8")
    model = shipped()
    four = [model.of(Scheme(4, one)) for one in ("tensor", "channel", "group")]  # type: ignore[arg-type]
    told = [f"{row.perplexity:,.0f}" for row in four if row is not None]
    assert told == ["633,563", "79", "52"]
    worst = max(row.perplexity for row in model.rows if row.scheme.bits == 8)
    assert (f"{model.perplexity:.1f}", f"{worst:.1f}") == ("36.6", "37.9")
    assert min(row.perplexity for row in model.rows if row.scheme.bits == 2) > 10_000
    misleading = model.of(Scheme(3, "group", 64, is_symmetric=False, outliers=0.005))
    assert misleading is not None
    assert f"{misleading.p_next:.0%}" == "58%"
    assert misleading.perplexity > 2 * model.perplexity
    for figure in (*told, "36.6", "37.9", "58 %", "17", "255 / 15"):
        assert figure in lesson
