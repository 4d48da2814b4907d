"""Row 18: four readers train DPO at once, against trl one after another with the same settings.

trl is given what makes it fast: the reference's log-probabilities of every pair are known before the clock
starts, as ours are.
"""

from __future__ import annotations

import importlib
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import huggingface_hub
import peft
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from playground.core.byte_cache import ByteCache
from playground.core.preferences.shipped import shipped_pairs
from playground.engine import create_engine
from playground.engine.adapters.places import places
from playground.engine.contract.preferences import DpoRequest, DpoSettings, PairExample
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import model_folder
from playground.engine.training.adapter_slot import AdapterSlot
from playground.engine.training.bank import MAX_NORM
from playground.engine.training.dpo_bank import DpoBank, answer_text
from playground.engine.training.reference import Known
from playground.engine.training.run import text_order
from playground.settings import Settings

N_ROUNDS, N_TOGETHER = 4, 4
Pairs = Sequence[PairExample]


def run() -> list[dict[str, Any]]:
    """Steps a second of one and of four runs beside trl's, and how far apart the last losses are."""
    settings = Settings()
    engine = create_engine(settings)
    assert isinstance(engine, LocalEngine)
    pairs = engine.preferences.examples(settings.default_model, shipped_pairs("en"))
    loaded = engine.adapters.load(settings.default_model).result()
    torch.set_num_threads(settings.torch_threads or torch.get_num_threads())
    known: ByteCache[Known] = ByteCache(2**26)
    one, four = (_bank(loaded, pairs, n, known) for n in (1, N_TOGETHER))
    peer = _Trl(settings, pairs, one.slots[0])
    spent: dict[str, list[float]] = {"one": [], "four": [], "trl": []}
    told: dict[str, float] = {}
    for step in range(N_ROUNDS):
        batch = _batch(pairs, step)
        for name in ("one", "trl", "four") if step % 2 else ("four", "trl", "one"):
            started = time.perf_counter()
            if name == "trl":
                told[name] = peer.step(batch)
            else:
                bank = one if name == "one" else four
                told[name] = bank.step([batch] * len(bank.slots))[0]
            spent[name].append(time.perf_counter() - started)
    engine.close()
    step_s = {name: min(times[1:]) for name, times in spent.items()}
    return [
        _figure("one DPO run: steps/s", "steps/s", 1 / step_s["one"], 1 / step_s["trl"], 1.0),
        _figure("4 DPO runs in one step: all steps/s", "steps/s", 4 / step_s["four"], 1 / step_s["trl"], 1.3),
        _figure(
            f"loss before step {N_ROUNDS}, distance from trl's", "nats", abs(told["one"] - told["trl"]), None,
            None, limit=1e-3,
        ),
    ]  # fmt: skip


def _batch(pairs: Pairs, step: int) -> list[PairExample]:
    return [pairs[i] for i in text_order(len(pairs), 4 * N_ROUNDS, seed=0)[4 * step : 4 * step + 4]]


def _bank(loaded: Any, pairs: Pairs, n: int, known: ByteCache[Known]) -> DpoBank:  # noqa: ANN401  (a loaded model)
    each = [DpoSettings(loaded.info.model_id, "bench", seed=seed) for seed in range(n)]
    slots = [AdapterSlot(DpoRequest(one, tuple(pairs), ()), loaded, places(loaded, one)) for one in each]
    bank = DpoBank(loaded, slots, lambda: None, known, 512)
    bank._reference.of(
        [
            answer_text(pair.prompt_ids, ids)
            for step in range(N_ROUNDS)
            for pair in _batch(pairs, step)
            for ids in (pair.chosen_ids, pair.rejected_ids)
        ]
    )
    return bank


class _Trl:
    """The same step by the library: its trainer's batch, loss and clipping, and the optimizer it would use.

    Args:
        settings: The limits.
        pairs: All pairs.
        slot: Holds the first values of A.
    """

    def __init__(self, settings: Settings, pairs: Pairs, slot: AdapterSlot) -> None:
        trl, datasets = (importlib.import_module(name) for name in ("trl", "datasets"))  # both untyped
        huggingface_hub.constants.HF_HUB_OFFLINE = True  # it looks for the model's card
        folder = model_folder(settings.default_model, settings)
        base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
        lora = slot.request.settings.lora
        config = peft.LoraConfig(
            r=lora.r, lora_alpha=lora.lora_alpha, target_modules=list(lora.target_modules),
            task_type="CAUSAL_LM",
        )  # fmt: skip
        rows = [{"prompt": "a", "chosen": " b", "rejected": " c"}]
        asked = slot.request.settings
        assert isinstance(asked, DpoSettings)
        options = trl.DPOConfig(
            output_dir=tempfile.mkdtemp(), beta=asked.beta, use_cpu=True, report_to="none", bf16=False,
            activation_checkpointing=False, disable_dropout=True, precompute_ref_log_probs=True,
        )  # fmt: skip
        self.trainer: Any = trl.DPOTrainer(
            model=peft.get_peft_model(base, config), args=options,
            processing_class=AutoTokenizer.from_pretrained(folder, local_files_only=True),
            train_dataset=datasets.Dataset.from_list(rows),
        )  # fmt: skip
        model = self.trainer.model
        for name, parameter in model.named_parameters():
            if ".default." in name:
                path, matrix = name.removeprefix("base_model.model.").split(".lora_")
                parameter.data.copy_(slot.values[path, matrix[0]])
        self.trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(self.trained, lr=asked.learning_rate, weight_decay=0.0)
        self.known: dict[PairExample, tuple[float, float]] = {}
        for step in range(N_ROUNDS):
            batch = _batch(pairs, step)
            with torch.no_grad():
                both = self.trainer.compute_ref_log_probs(model, self._inputs(batch))
            for pair, *found in zip(batch, *(one.tolist() for one in both), strict=True):
                self.known[pair] = (found[0], found[1])
        model.train()

    def step(self, batch: Pairs) -> float:
        """One step; the loss before it."""
        self.optimizer.zero_grad()
        loss = self.trainer.compute_loss(self.trainer.model, self._inputs(batch))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, MAX_NORM)
        self.optimizer.step()
        return float(loss.detach())

    def _inputs(self, batch: Pairs) -> Any:  # noqa: ANN401  (tensors by name)
        rows = []
        for one in batch:
            row: dict[str, Any] = {
                "prompt_ids": list(one.prompt_ids),
                "chosen_ids": list(one.chosen_ids),
                "rejected_ids": list(one.rejected_ids),
            }
            if one in self.known:
                row["ref_chosen_logps"], row["ref_rejected_logps"] = self.known[one]
            rows.append(row)
        return self.trainer.data_collator(rows)


def _figure(
    metric: str, unit: str, ours: float, peer: float | None, target: float | None, limit: float | None = None
) -> dict[str, Any]:
    ratio = ours / peer if peer else None
    ok = (ratio is None or target is None or ratio >= target) and (limit is None or ours <= limit)
    return {
        "row": 18, "metric": metric, "ours": ours, "peer": peer, "unit": unit, "ratio": ratio,
        "target": target, "limit": limit, "ok": bool(ok),
    }  # fmt: skip
