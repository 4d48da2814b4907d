"""What a model writes, fills and learns, measured as `tests.engine.families` does."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForMaskedLM

from playground.core.lora import LoraConfig
from playground.core.sampling import GREEDY
from playground.engine.adapters.layers import linears
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.filling import FillRequest
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import FinetuneRequest, FinetuneSettings, TrainingText
from playground.engine.models.catalogue import model_folder
from playground.engine.training.bank import AdapterBank
from tests.engine.families import IDS, Measured, error, worst
from tests.engine.peft_adapters import logits, read_by_peft, written_by_peft, zipped
from tests.engine.training.test_finetuning import PeftRun, batches, slot_of


class MeasuredWhole(Measured):
    """Also what the model writes, fills and learns."""

    def generate(self) -> float:
        """Texts continued side by side; the most probable token each time."""
        asked = tuple(
            GenerateRequest(self.model, sampling=GREEDY, input_ids=ids, max_new_tokens=9) for ids in IDS
        )
        written: dict[int, list[Any]] = {row: [] for row in range(len(IDS))}
        for row, step in self.engine.generate_many(GenerateManyRequest(self.model, asked)):
            written[row].append(step)
        found = []
        for row, steps in written.items():
            ids = [*IDS[row], *(step.token_id for step in steps)]
            expected = self.logprobs(ids)[len(IDS[row]) - 1 : -1]
            for step, values in zip(steps, expected, strict=True):
                found.append(error(step.logprob, values.max()))
                found.append(error(step.logprob, values[step.token_id]))
        assert len(found) > 2 * len(IDS)
        return worst(found)

    def score(self) -> float:
        """Candidates after texts that share a beginning."""
        texts = ((*IDS[3], 9, 8, 7), IDS[3], (4, 5), (*IDS[3], 9, 8, 11))
        request = ScoreRequest(self.model, texts, ((" good", " bad", "!"),) * len(texts))
        found = []
        for (_place, scores), text in zip(self.engine.score(request), texts, strict=True):
            for ids, ours in zip(scores.input_ids, scores.token_logprobs, strict=True):
                expected = self.logprobs([*text, *ids])[len(text) - 1 : -1]
                found.append(error(ours, [float(row[id_]) for row, id_ in zip(expected, ids, strict=True)]))
        return worst(found)

    def beams(self) -> float:
        """The log-probability of the best text that a beam search finds."""
        asked = BeamsRequest(self.model, input_ids=IDS[1], n_beams=3, max_new_tokens=6, length_penalty=0.0)
        *_, last = self.engine.beams(asked)
        found = []
        for one in last.hypotheses:
            values = self.logprobs([*IDS[1], *one.token_ids])[len(IDS[1]) - 1 : -1]
            total = sum(float(row[token]) for row, token in zip(values, one.token_ids, strict=True))
            found.append(error(one.logprob, total))
        return worst(found)

    def positions(self) -> float:
        """A text at chosen positions."""
        chosen = (0, 1, 2, 9, 10, 3, 3)
        trace = self.traced(IDS[1], position_ids=chosen)
        first = self.net.config.pad_token_id + 1 if "roberta" in self.family.name else 0
        mask = torch.ones(1, len(chosen), dtype=torch.long)
        theirs = torch.tensor([chosen]) + first
        return self.same_answer(trace, self.plain(IDS[1], position_ids=theirs, attention_mask=mask))

    def finetuning(self) -> float:
        """Losses of two runs side by side, three steps each, against stock peft and AdamW."""
        requests = [self._run(seed) for seed in (1, 2)]
        if not self.is_decoder:
            self.engine.training.runs.start(requests[0])
        slots = [slot_of(self.engine, request) for request in requests]
        loaded = slots[0][0]
        bank = AdapterBank(loaded, [slot for _loaded, slot in slots], lambda: None)
        theirs = [PeftRun(self.settings, request) for request in requests]
        for (_loaded, slot), run in zip(slots, theirs, strict=True):
            self._begin_alike(slot, run)
        bank._pack()
        found = []
        for step in range(3):
            losses = bank.step([batches(request, step) for request in requests])
            found += [error(ours, run.step(step)) for ours, run in zip(losses, theirs, strict=True)]
        measured = bank.measure(0, requests[0].held_out)
        for ours, text in zip(measured, requests[0].held_out, strict=True):
            labels = torch.tensor(
                [[token if on else -100 for token, on in zip(text.input_ids, text.is_trained, strict=True)]]
            )
            with torch.no_grad():
                loss = theirs[0].model(input_ids=torch.tensor([text.input_ids]), labels=labels).loss
            found.append(error(ours, float(loss) * text.n_trained))
        return worst(found)

    def _run(self, seed: int) -> FinetuneRequest:
        random = np.random.default_rng(seed)

        def texts(n: int) -> tuple[TrainingText, ...]:
            made = []
            for length in random.integers(4, 12, n):
                ids = tuple(int(one) for one in random.integers(5, 290, length))
                made.append(TrainingText(ids, tuple(place >= length // 2 for place in range(length))))
            return tuple(made)

        lora = LoraConfig(r=2, lora_alpha=8.0, target_modules=self._linears)
        settings = FinetuneSettings(
            self.model, "run", n_steps=3, batch_size=3, learning_rate=1e-3, lora=lora, seed=seed
        )
        return FinetuneRequest(settings, texts(5), texts(2))

    @property
    def _linears(self) -> tuple[str, ...]:
        """Names of all linear layers of a block."""
        return tuple(dict.fromkeys(one.module for one in linears(self.net).values()))

    def _begin_alike(self, slot: Any, run: PeftRun) -> None:
        """Give peft's layers the numbers that the slot begins with."""
        with torch.no_grad():
            for kind in ("A", "B"):
                ours = [value for (_path, matrix), value in slot.values.items() if matrix == kind]
                for mine, their in zip(ours, run.matrices(kind), strict=True):
                    their.copy_(mine)

    def _of_peft(self) -> dict[str, bytes]:
        return written_by_peft(
            self.settings, self.model, target_modules=list(self._linears), r=3, lora_alpha=5,
            fan_in_fan_out=self.family.name == "gpt2",
        )  # fmt: skip

    def adapters_in(self) -> float:
        """An adapter of stock peft, read here."""
        files = self._of_peft() if self.is_decoder else {}
        mine = self.engine.adapters.imported(self.model, "x.zip", zipped(files), "me", any_base=True).model_id
        ours, theirs = logits(self.engine, mine), read_by_peft(self.settings, self.model, files)
        assert error(ours, logits(self.engine, self.model)) > 1e-3
        self.engine.adapters.remove(mine, "me")
        return error(ours, theirs)

    def adapters_out(self) -> float:
        """The same, written here and read again by stock peft."""
        files = self._of_peft() if self.is_decoder else {}
        mine = self.engine.adapters.imported(self.model, "x.zip", zipped(files), "me", any_base=True).model_id
        with zipfile.ZipFile(io.BytesIO(self.engine.adapters.exported(mine, {}))) as folder:
            exported = {name: folder.read(name) for name in folder.namelist() if name.startswith("adapter_")}
        theirs = read_by_peft(self.settings, self.model, exported)
        found = error(logits(self.engine, mine), theirs)
        self.engine.adapters.remove(mine, "me")
        return found

    def fill(self) -> float:
        """Every logit, and the most probable tokens at a mask, of the library's masked-LM class."""
        mask = self.engine.tokenizers.info(self.model).mask_id
        ids = (*IDS[2][:4], 5 if mask is None else mask, *IDS[2][4:])
        filled = self.engine.fill(FillRequest(self.model, input_ids=ids, n_top=7))
        folder = model_folder(self.model, self.settings)
        net = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
        with torch.no_grad():
            expected = net.eval()(input_ids=torch.tensor([ids])).logits[0]
        trace: Any = self.engine.trace(TraceRequest(self.model, input_ids=ids, capture=Capture(logits="all")))
        best = expected[4].log_softmax(-1).topk(7)
        assert filled.positions.tolist() == [4]
        assert filled.top_ids[0].tolist() == best.indices.tolist()
        return max(error(trace.logits, expected), error(filled.top_logprobs[0], best.values))
