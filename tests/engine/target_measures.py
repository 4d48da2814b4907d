"""What an encoder-decoder reads and writes, measured as in `tests.engine.families`; all measures by name."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch

from playground.core.interventions import Intervention
from playground.core.sampling import GREEDY
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.forward.traces import InputRow, run_traces
from playground.engine.local.checks import RequestChecks
from playground.engine.local.engine import LocalEngine
from playground.engine.models.families.table import FAMILIES
from playground.settings import Settings
from tests.engine.families import HEAD, IDS, LAYER, error, worst
from tests.engine.family_measures import MeasuredWhole
from tests.families import family_of

TARGETS = ((), IDS[3][:4], IDS[1][:1], IDS[2][:9])


class MeasuredTargets(MeasuredWhole):
    """One encoder-decoder, asked and compared; its answer are the logits along a target."""

    @property
    def start(self) -> tuple[int, ...]:
        """The tokens that the library puts before what it writes."""
        said = self.net.generation_config
        forced = said.forced_bos_token_id
        return (self.net.config.decoder_start_token_id, *(() if forced is None else (forced,)))

    @property
    def ends(self) -> list[int]:
        """The tokens that end a target here; the tiny models name none to the library."""
        return sorted(self.engine.adapters.load(self.model).result(timeout=180).tokenizer.eos_ids)

    def plain(self, ids: Sequence[int], target: Sequence[int] = TARGETS[3], **more: Any) -> Any:
        """What plain transformers gives."""
        return super().plain(ids, decoder_input_ids=torch.tensor([[*self.start, *target]]), **more)

    def answer(self, output: Any) -> torch.Tensor:
        """Logits along the target. Shape [target, d_vocab]."""
        found: torch.Tensor = output.logits[0]
        return found

    def same_answer(self, trace: Any, output: Any) -> float:
        states = output.encoder_last_hidden_state[0]
        return max(error(trace.logits, output.logits[0]), error(trace.hidden_states[-1], states))

    def traced(self, ids: Sequence[int], **more: Any) -> Any:
        """A trace with the hidden states of the encoder, and all logits."""
        asked = {"capture": Capture(hidden_states="all", logits="all"), "decoder_ids": TARGETS[3]} | more
        trace: Any = self.engine.trace(TraceRequest(self.model, input_ids=tuple(ids), **asked))
        return trace

    def rows(self, texts: Sequence[Sequence[int]] = IDS, **capture: Any) -> list[Any]:
        """Traces of sources and targets of different lengths in one batch."""
        loaded = self.engine.adapters.load(self.model).result(timeout=180)
        asked = RequestChecks(self.settings).capture(Capture(**capture), loaded, max(map(len, texts)))
        rows = [
            InputRow(tuple(ids), (*self.start, *target)) for ids, target in zip(texts, TARGETS, strict=True)
        ]
        with torch.no_grad():
            return run_traces(loaded, rows, asked)

    def attentions(self) -> float:
        """Attention weights of encoder, decoder and from decoder to encoder, every layer and head."""
        found = []
        for trace, ids, target in zip(self.rows(attentions="float32"), IDS, TARGETS, strict=True):
            output = self.plain(ids, target)
            for ours, theirs in (
                (trace.attentions, output.encoder_attentions),
                (trace.decoder_attentions, output.decoder_attentions),
                (trace.cross_attentions, output.cross_attentions),
            ):
                found.append(error(ours, torch.stack(theirs)[:, 0]))
        return worst(found)

    def hidden_states(self) -> float:
        """Hidden states of every layer of the encoder, and the logits of the decoder."""
        found = []
        for trace, ids, target in zip(
            self.rows(hidden_states="all", logits="all"), IDS, TARGETS, strict=True
        ):
            output = self.plain(ids, target)
            found.append(error(trace.hidden_states, torch.stack(output.encoder_hidden_states)[:, 0]))
            found.append(error(trace.logits, output.logits[0]))
        return worst(found)

    def ablation(self) -> float:
        """A head of the encoder switched off, as every target sees it."""
        info = next(one for one in self.engine.models() if one.model_id == self.model)
        off = self.traced(IDS[1], intervention=Intervention(((LAYER, HEAD),)))
        assert error(off.logits, self.plain(IDS[1]).logits[0]) > 1e-4
        return self.same_answer(off, self._without_head(HEAD, info.d_head))

    def generate(self) -> float:
        """Targets written side by side, each from where it was; the most probable token each time."""
        asked = tuple(
            GenerateRequest(self.model, sampling=GREEDY, input_ids=ids, max_new_tokens=9, written=target)
            for ids, target in zip(IDS, TARGETS, strict=True)
        )
        written: list[list[Any]] = [[] for _ in asked]
        for row, step in self.engine.generate_many(GenerateManyRequest(self.model, asked)):
            written[row].append(step)
        found = []
        for ids, target, steps in zip(IDS, TARGETS, written, strict=True):
            values = self._logprobs(ids, (*target, *(step.token_id for step in steps)))[len(target) :]
            allowed = values.clone()
            allowed[:, [one for (one,) in self.net.generation_config.bad_words_ids or ()]] = -torch.inf
            assert len(steps) == 9 or steps[-1].token_id in self.ends
            for step, row, possible in zip(steps, values, allowed, strict=True):
                found.append(error(step.logprob, row[step.token_id]))
                found.append(error(step.logprob, possible.max()))
        alone = self.net.generate(
            torch.tensor([IDS[0]]), do_sample=False, num_beams=1, max_new_tokens=8 + len(self.start),
            eos_token_id=self.ends,
        )  # fmt: skip
        assert self._ended(alone[0]) == [step.token_id for step in written[0]]
        return worst(found)

    def score(self) -> float:
        """Candidates as beginnings of targets."""
        request = ScoreRequest(self.model, IDS, ((" good", " bad dog", "!"),) * len(IDS))
        found = []
        for (_place, scores), source in zip(self.engine.score(request), IDS, strict=True):
            for ids, ours in zip(scores.input_ids, scores.token_logprobs, strict=True):
                expected = self._logprobs(source, ids)
                found.append(
                    error(ours, [float(row[token]) for row, token in zip(expected, ids, strict=True)])
                )
        return worst(found)

    def beams(self) -> float:
        """The log-probabilities of the targets that a beam search finds; none holds what is never written."""
        asked = BeamsRequest(self.model, input_ids=IDS[1], n_beams=3, max_new_tokens=6, length_penalty=0.0)
        *_, last = self.engine.beams(asked)
        never = {one for (one,) in self.net.generation_config.bad_words_ids or ()}
        found = []
        for one in last.hypotheses:
            found.append(error(one.logprob, self._total(one.token_ids)))
            assert not never & set(one.token_ids)
        best = self.net.generate(
            torch.tensor([IDS[1]]), do_sample=False, num_beams=3, max_new_tokens=5 + len(self.start),
            length_penalty=0.0, early_stopping=False, eos_token_id=self.ends,
        )  # fmt: skip
        found.append(error(last.hypotheses[0].logprob, self._total(self._ended(best[0]))))
        return worst(found)

    def _ended(self, written: torch.Tensor) -> list[int]:
        """The tokens that the library wrote, without what it pads with."""
        ids: list[int] = written[len(self.start) :].tolist()
        return ids[: next((at + 1 for at, token in enumerate(ids) if token in self.ends), len(ids))]

    def _total(self, target: Sequence[int]) -> float:
        """Log-probability of a target of the second source."""
        values = self._logprobs(IDS[1], target)
        return sum(float(row[token]) for row, token in zip(values, target, strict=True))

    def _logprobs(self, source: Sequence[int], target: Sequence[int]) -> torch.Tensor:
        """Log-probabilities from which each token of the target is drawn. Shape [target, d_vocab]."""
        logits = self.plain(source, target).logits[0]
        return logits.log_softmax(-1)[len(self.start) - 1 : -1]


ALL = (
    "attentions", "query_key", "hidden_states", "block_outputs", "lens", "attribution", "one_head",
    "ablation", "patching", "generate", "score", "beams", "positions", "fill", "finetuning", "adapters_in",
    "adapters_out",
)  # fmt: skip


def measure(engine: LocalEngine, settings: Settings, model: str, capability: str) -> float:
    """The error of one capability of one model.

    Raises:
        Unsupported: The model does not have it, and says so.
    """
    kind = FAMILIES[family_of(model)].kind
    measured = (MeasuredTargets if kind == "encoder-decoder" else MeasuredWhole)(engine, settings, model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft's
        found: float = getattr(measured, capability)()
    return found
