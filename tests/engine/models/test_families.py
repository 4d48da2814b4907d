"""Every family x capability is plain transformers' own to 1e-5, or refused by name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from playground.engine import create_engine
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.models.families.table import FAMILIES
from playground.errors import TooManyTokens, Unsupported
from playground.settings import Settings
from tests import families
from tests.engine import family_table
from tests.engine.target_measures import ALL, measure

LIMIT = 1e-5
TABLE = family_table.read()


def test_the_table_of_the_docs_has_every_family_and_capability() -> None:
    assert set(TABLE) == set(families.CASES) == set(FAMILIES)
    assert all(tuple(row) == ALL for row in TABLE.values())


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return families.make(tmp_path_factory.mktemp("families"))


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[LocalEngine]:
    engine = create_engine(settings)
    assert isinstance(engine, LocalEngine)
    yield engine
    engine.close()


def refused(model: str, capability: str) -> str:
    """What the refusal must say, "" where there is none."""
    family = FAMILIES[families.family_of(model)]
    if capability == "fill":
        return "" if family.masked_head else "masked-token prediction"
    if family.kind == "encoder-decoder":
        query_key = dict.fromkeys(("query_key", "block_outputs", "attribution", "one_head"), "query_key")
        trained = dict.fromkeys(("finetuning", "adapters_in", "adapters_out"), "fine-tuning")
        others = {"lens": "next-token prediction", "positions": "positions that can be chosen"}
        return (query_key | trained | others).get(capability, "")
    if family.kind == "encoder":
        needs_head = {"lens": "next-token prediction", "attribution": "next-token prediction"}
        only_decoders = dict.fromkeys(("generate", "score", "beams"), "generate")
        trained = dict.fromkeys(("finetuning", "adapters_in", "adapters_out"), "fine-tuning")
        return (needs_head | only_decoders | trained).get(capability, "")
    if "query_key" in family.lacks and capability in (
        "query_key",
        "block_outputs",
        "attribution",
        "one_head",
    ):
        return "query_key"
    return "output of a single head" if capability == "one_head" and family.block.attention_norm else ""


@pytest.mark.parametrize(
    ("model", "limit"), [("window", 5), ("alternate", 6), ("layers", 4), ("full", 0), ("plain", 65)]
)
def test_keys_of_a_text_that_a_layer_sees_in_stretches_are_refused(
    engine: LocalEngine, model: str, limit: int
) -> None:
    """Pages compute weights from keys, and know of no stretch; the weights themselves are there."""

    def ask(n_tokens: int) -> TraceRequest:
        keys = Capture(query_key=True)
        return TraceRequest(f"tiny/modernbert-{model}", input_ids=(9,) * n_tokens, capture=keys)

    info = next(one for one in engine.models() if one.model_id == f"tiny/modernbert-{model}")
    assert info.seen_whole == limit
    engine.trace(ask(min(limit, families.N_CTX) or families.N_CTX))
    if 0 < limit < families.N_CTX:
        with pytest.raises(TooManyTokens):
            engine.trace(ask(limit + 1))


@pytest.mark.parametrize("capability", ALL)
@pytest.mark.parametrize("model", families.VARIANTS)
def test_a_capability_is_that_of_plain_transformers(
    engine: LocalEngine, settings: Settings, model: str, capability: str
) -> None:
    says = refused(model, capability)
    assert (TABLE[families.family_of(model)][capability] == family_table.REFUSED) == bool(says)
    if says:
        with pytest.raises(Unsupported, match=says):
            measure(engine, settings, model, capability)
    else:
        found = measure(engine, settings, model, capability)
        assert found < LIMIT
        assert found <= max(10 * float(TABLE[families.family_of(model)][capability]), LIMIT / 10)
