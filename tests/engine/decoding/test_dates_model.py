"""The shipped encoder-decoder reads and writes as plain transformers does, with its real weights, offline."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import numpy as np
import pytest
import torch

from playground.core.pairs.dates import FORMS, LANGUAGES, date_pairs
from playground.core.sampling import GREEDY
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.errors import Unsupported
from playground.settings import DATES_MODEL, Settings
from tests.engine.conftest import oracle, same_to_rounding

PAIRS = [pair for language in LANGUAGES for pair in date_pairs(15, 11, [language], held_out=True)]
TEXTS = [*(pair.source for pair in PAIRS), "고양이 cat", "Wednesday", "5"]


def ids_of(engine: LocalEngine, text: str) -> tuple[int, ...]:
    return engine.tokenizers.tokenize(DATES_MODEL, text, add_special_tokens=True).input_ids


def written(engine: LocalEngine, text: str) -> tuple[list[int], str]:
    """The greedy target: its tokens and its text."""
    steps = list(engine.generate(GenerateRequest(DATES_MODEL, text, sampling=GREEDY, max_new_tokens=14)))
    return [step.token_id for step in steps], "".join(step.text for step in steps)


def test_thirty_at_once_are_written_the_librarys_dates(
    tiny_engine: LocalEngine, tiny_settings: Settings
) -> None:
    with ThreadPoolExecutor(30) as pool:
        found = list(pool.map(lambda text: written(tiny_engine, text), TEXTS))
    net = oracle(tiny_settings, DATES_MODEL)
    for text, (ids, _text) in zip(TEXTS, found, strict=True):
        expected = net.generate(
            torch.tensor([ids_of(tiny_engine, text)]), do_sample=False, num_beams=1, max_new_tokens=14
        )
        assert ids == expected[0, 1:].tolist(), text
    dates = [text for _ids, text in found[: len(PAIRS)]]
    right = [text == pair.target for text, pair in zip(dates, PAIRS, strict=True)]
    assert sum(right) >= 0.95 * len(PAIRS)


def test_attentions_of_a_shared_batch_are_the_librarys(
    tiny_engine: LocalEngine, tiny_settings: Settings
) -> None:
    """Each source with the target that was written: so cross-attention of every step."""
    targets = [tuple(written(tiny_engine, text)[0]) for text in TEXTS[:12]]
    asked = [
        TraceRequest(DATES_MODEL, text, Capture(attentions="float32", logits="all"), decoder_ids=target)
        for text, target in zip(TEXTS, targets, strict=False)
    ]
    with ThreadPoolExecutor(12) as pool:
        traces = list(pool.map(tiny_engine.trace, asked))
    net = oracle(tiny_settings, DATES_MODEL)
    for request, trace in zip(asked, traces, strict=True):
        with torch.no_grad():
            plain = net(
                input_ids=torch.tensor([ids_of(tiny_engine, request.text)]),
                decoder_input_ids=torch.tensor([[0, *(request.decoder_ids or ())]]),
                output_attentions=True,
            )
        same_to_rounding(trace.logits, plain.logits[0])
        for name in ("cross_attentions", "decoder_attentions"):
            same_to_rounding(getattr(trace, name), torch.stack(getattr(plain, name))[:, 0], name)
        same_to_rounding(trace.attentions, torch.stack(plain.encoder_attentions)[:, 0])


def test_a_step_by_step_cross_attention_is_that_of_the_librarys_generate(
    tiny_engine: LocalEngine, tiny_settings: Settings
) -> None:
    text = PAIRS[0].source
    ids, _text = written(tiny_engine, text)
    out = oracle(tiny_settings, DATES_MODEL).generate(
        torch.tensor([ids_of(tiny_engine, text)]), do_sample=False, max_new_tokens=14,
        output_attentions=True, return_dict_in_generate=True,
    )  # fmt: skip
    trace = tiny_engine.trace(
        TraceRequest(DATES_MODEL, text, Capture(attentions="float32"), decoder_ids=tuple(ids[:-1]))
    )
    assert trace.cross_attentions is not None
    assert len(out.cross_attentions) == len(ids)
    for place, layers in enumerate(out.cross_attentions):
        same_to_rounding(trace.cross_attentions[:, :, place], torch.stack(layers)[:, 0, :, 0])


@pytest.mark.parametrize("text", [PAIRS[0].source, PAIRS[-1].source])
def test_beams_and_scores_are_the_librarys(
    tiny_engine: LocalEngine, tiny_settings: Settings, text: str
) -> None:
    *_, last = tiny_engine.beams(BeamsRequest(DATES_MODEL, text, n_beams=4, max_new_tokens=14))
    net, source = oracle(tiny_settings, DATES_MODEL), torch.tensor([ids_of(tiny_engine, text)])
    out = net.generate(
        source, num_beams=4, num_return_sequences=4, do_sample=False, max_new_tokens=14,
        output_scores=True, return_dict_in_generate=True,
    )  # fmt: skip
    np.testing.assert_allclose([one.score for one in last.hypotheses], out.sequences_scores, atol=1e-4)
    labels = ("2026-05-05", "1999-12-31", "2026")
    ((_place, scores),) = tiny_engine.score(ScoreRequest(DATES_MODEL, (text,), (labels,), ("",)))
    for ids, total in zip(scores.input_ids, scores.logprobs, strict=True):
        with torch.no_grad():
            logits = net(input_ids=source, decoder_input_ids=torch.tensor([[0, *ids[:-1]]])).logits[0]
        logprobs = torch.log_softmax(logits, -1)
        assert total == pytest.approx(sum(float(logprobs[i, t]) for i, t in enumerate(ids)), abs=1e-4)


def test_cross_attention_crosses_where_english_and_iso_order_a_date_differently(
    tiny_engine: LocalEngine,
) -> None:
    """In the mean of the last layer's heads a digit looks most at the field of the source it comes from."""
    drawn = [date.fromisoformat(pair.target) for pair in date_pairs(40, 12, ["en"], held_out=True)]
    asked = {"year": (2, 3), "month": (6,), "day": (9,)}  # digits that nothing else tells
    right = []
    for day in drawn:
        source, target = FORMS["en"][0](day), day.isoformat()
        number, month, year = source.split()
        fields = {
            "day": range(len(number)),
            "month": range(len(number) + 1, len(number) + 1 + len(month)),
            "year": range(len(source) - len(year), len(source)),
        }
        ids = tuple(tiny_engine.tokenizers.tokenize(DATES_MODEL, target, add_special_tokens=False).input_ids)
        trace = tiny_engine.trace(
            TraceRequest(DATES_MODEL, source, Capture(attentions="float32"), decoder_ids=ids[:-1])
        )
        assert trace.cross_attentions is not None
        looked = trace.cross_attentions[-1].mean(0).argmax(-1)
        right.append([looked[place] in fields[name] for name, places in asked.items() for place in places])
    assert (np.mean(right, axis=0) > 0.9).all()


def test_it_continues_no_text(tiny_engine: LocalEngine) -> None:
    info = next(info for info in tiny_engine.models() if info.model_id == DATES_MODEL)
    assert (info.kind, info.family, info.languages) == ("encoder-decoder", "t5", ("en", "ko"))
    assert info.state in ("waiting", "ready")
    assert "generate" not in info.capabilities
    assert {"generate_target", "attentions", "logits"} <= info.capabilities
    with pytest.raises(Unsupported):
        tiny_engine.trace(TraceRequest(DATES_MODEL, "5 May 2026", Capture(query_key=True)))
