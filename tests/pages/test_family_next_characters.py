"""Next characters on a tiny model of every family of decoders, against plain transformers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from playground.core.inside import log_probabilities
from playground.core.next_characters import Floats, NextCharacters, Path, Spelling, next_characters
from playground.engine import create_engine
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.models.families.table import FAMILIES
from playground.settings import Settings
from tests import families
from tests.engine.conftest import oracle
from tests.families import family_of

DECODERS = tuple(
    one for one in families.VARIANTS
    if one.endswith("-plain") and FAMILIES[family_of(one)].kind == "decoder"
)  # fmt: skip
LAST = Capture(logits="last")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return families.make(tmp_path_factory.mktemp("families"), DECODERS)


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[LocalEngine]:
    engine = create_engine(settings)
    assert isinstance(engine, LocalEngine)
    yield engine
    engine.close()


@pytest.mark.parametrize("model", DECODERS)
def test_next_characters_of_every_family_are_sums_of_plain_transformers_probabilities(
    model: str, settings: Settings, engine: LocalEngine
) -> None:
    """With the keys and values of the text where the family gives them, as the page asks."""
    has_keys = "query_key" not in FAMILIES[family_of(model)].lacks
    ids = engine.tokenizers.tokenize(model, "나는 밥을", add_special_tokens=False).input_ids
    capture = Capture(logits="last", query_key=has_keys)
    start = engine.trace(TraceRequest(model, input_ids=tuple(ids), capture=capture))
    net = oracle(settings, model)

    def ours(path: Path) -> Floats:
        asked = TraceRequest(model, input_ids=(*ids, *path), capture=LAST, after=start if path else None)
        logits = (engine.trace(asked) if path else start).logits
        assert logits is not None
        return np.exp(log_probabilities(logits[-1]))

    def theirs(path: Path) -> Floats:
        import torch

        with torch.no_grad():
            logits = net(torch.tensor([[*ids, *path]])).logits[0, -1]
        return logits.double().softmax(-1).numpy()

    spelling = Spelling(engine.tokenizers.bytes_of_tokens(model, families.D_VOCAB))
    found, expected = (_summed(spelling, probabilities) for probabilities in (ours, theirs))
    assert found.n_followed > 0, "characters of several tokens"
    assert found.probs == pytest.approx(expected.probs, abs=1e-5)
    assert (found.ended, found.left) == pytest.approx((expected.ended, expected.left), abs=1e-5)


def _summed(spelling: Spelling, probabilities: Callable[[Path], Floats]) -> NextCharacters:
    return next_characters(
        spelling, lambda paths: list(map(probabilities, paths)), max_followed=8, enough=0.02
    )
