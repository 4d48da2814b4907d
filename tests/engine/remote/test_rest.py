"""The rest of a constrained text that another replica takes over is what would have come."""

from __future__ import annotations

from playground.core.sampling import Sampling
from playground.engine.contract.constraints import Constraint
from playground.engine.contract.generation import GenerateRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.remote.writing import _rest
from tests import tiny


def test_the_rest_goes_on_in_the_middle_of_a_match(tiny_engine: LocalEngine) -> None:
    date = Constraint("regex", r"\d{4}-\d{2}-\d{2}")
    for stop in ((), ("never",)):  # with stop strings it begins anew
        asked = GenerateRequest(
            tiny.LLAMA,
            "the cat",
            sampling=Sampling(1.2),
            seed=6,
            max_new_tokens=20,
            stop=stop,
            constraint=date,
        )
        whole = [step.token_id for step in tiny_engine.generate(asked)]
        for n in range(1, len(whole)):
            rest = _rest(asked, whole[:n])
            found = [step.token_id for step in tiny_engine.generate(rest)]
            assert found == (whole if stop else whole[n:])
