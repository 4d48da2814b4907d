"""Ask trl for DPO's loss, rewards and gradients on `trl_pairs`, and keep them in trl_dpo.json.

trl is no dependency: install it where this project's packages are seen, then
    python -m tests.core.policy.record_trl
"""

from __future__ import annotations

import importlib
import json
import tempfile
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from tests.core.policy.trl_pairs import BETA, D_VOCAB, EOS, PAIRS, directions, model

KEPT = Path(__file__).parent / "trl_dpo.json"


def tokenizer() -> PreTrainedTokenizerFast:
    """A token is a number, written with a space before it."""
    words = {"<pad>": 0, "</s>": EOS} | {str(token): token for token in range(2, D_VOCAB)}
    made = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="</s>")


def written(ids: tuple[int, ...]) -> str:
    return "".join(f" {token}" for token in ids if token != EOS)


def main() -> None:
    trl: Any = importlib.import_module("trl")
    datasets: Any = importlib.import_module("datasets")
    rows = [dict(zip(("prompt", "chosen", "rejected"), map(written, pair), strict=True)) for pair in PAIRS]
    with tempfile.TemporaryDirectory() as folder:
        options = trl.DPOConfig(
            output_dir=folder, beta=BETA, per_device_train_batch_size=len(PAIRS), use_cpu=True,
            report_to="none", bf16=False, gradient_checkpointing=False, disable_dropout=True,
        )  # fmt: skip
        trainer = trl.DPOTrainer(
            model=model(0.37), ref_model=model(0.53), args=options, processing_class=tokenizer(),
            train_dataset=datasets.Dataset.from_list(rows),
        )  # fmt: skip
        examples = sorted(
            trainer.train_dataset,
            key=lambda row: [pair[0] for pair in PAIRS].index(tuple(row["prompt_ids"])),
        )
        asked = [
            tuple(tuple(one[name]) for name in ("prompt_ids", "chosen_ids", "rejected_ids"))
            for one in examples
        ]
        if asked != list(PAIRS):
            raise SystemExit(f"the tokenizer does not give the ids back: {asked}")
        batch = trainer.data_collator(examples)
        loss = trainer.compute_loss(trainer.model, batch)
        loss.backward()
        metrics = {
            name: values[-1]
            for name, values in trainer._metrics["eval" if not trainer.model.training else "train"].items()
        }
        found = {
            "trl": trl.__version__,
            "loss": float(loss.detach()),
            "metrics": {
                name: metrics[name] for name in sorted(metrics) if name.startswith(("rewards", "logps"))
            },
            "gradients": {name: directions(one.grad) for name, one in trainer.model.named_parameters()},
        }
    KEPT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
