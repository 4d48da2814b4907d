"""Beam search for the target of a source is the library's `generate(num_beams=…)`."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.errors import BadValue, TooManyTokens
from playground.settings import Settings
from tests import tiny
from tests.engine.conftest import oracle

TEXT = "The capital of England is London."


@pytest.mark.parametrize(("n_beams", "length_penalty"), [(2, 1.0), (4, 1.0), (5, 2.0), (3, 0.0), (4, -0.5)])
def test_the_best_targets_and_their_scores_are_the_librarys(
    tiny_engine: LocalEngine, tiny_settings: Settings, n_beams: int, length_penalty: float
) -> None:
    for text in (TEXT, "the cat", "서울은"):
        asked = BeamsRequest(tiny.T5, text, n_beams=n_beams, length_penalty=length_penalty, max_new_tokens=10)
        *_, last = tiny_engine.beams(asked)
        ids = torch.tensor(
            [tiny_engine.tokenizers.tokenize(tiny.T5, text, add_special_tokens=True).input_ids]
        )
        net = oracle(tiny_settings, tiny.T5)
        with torch.no_grad():
            out = net.generate(
                ids, num_beams=n_beams, num_return_sequences=n_beams, do_sample=False, max_new_tokens=10,
                length_penalty=length_penalty, output_scores=True, return_dict_in_generate=True,
            )  # fmt: skip
        sums = net.compute_transition_scores(
            out.sequences, out.scores, out.beam_indices, normalize_logits=False
        ).sum(1)
        lengths = (out.beam_indices >= 0).sum(1)
        expected = [row[1:][:n].tolist() for row, n in zip(out.sequences, lengths, strict=True)]
        assert [list(one.token_ids) for one in last.hypotheses] == expected
        np.testing.assert_allclose([one.score for one in last.hypotheses], out.sequences_scores, atol=1e-4)
        np.testing.assert_allclose([one.logprob for one in last.hypotheses], sums, atol=1e-4)


def test_two_searches_take_turns_and_a_closed_one_costs_nothing(tiny_engine: LocalEngine) -> None:
    def ask(text: str) -> BeamsRequest:
        return BeamsRequest(tiny.T5, text, n_beams=3, max_new_tokens=6)

    alone = [[step.hypotheses for step in tiny_engine.beams(ask(text))] for text in (TEXT, "the cat sat")]
    first, second = tiny_engine.beams(ask(TEXT)), tiny_engine.beams(ask("the cat sat"))
    both = [(one.hypotheses, other.hypotheses) for one, other in zip(first, second, strict=False)]
    assert [list(each) for each in zip(*both, strict=True)] == [one[: len(both)] for one in alone]
    steps = tiny_engine.beams(ask("a"))
    next(steps)
    steps.close()
    tiny_engine.trace(TraceRequest(tiny.T5, "a fence", Capture(logits="last")))
    before = tiny_engine.stats().n_forwards
    tiny_engine.trace(TraceRequest(tiny.T5, "another fence", Capture(logits="last")))
    assert tiny_engine.stats().n_forwards == before + 1


def test_a_search_that_cannot_be_is_refused(tiny_engine: LocalEngine) -> None:
    with pytest.raises(BadValue):
        list(tiny_engine.beams(BeamsRequest(tiny.T5, "a", n_beams=0)))
    with pytest.raises(TooManyTokens):
        list(tiny_engine.beams(BeamsRequest(tiny.T5, input_ids=(5,) * 600)))
