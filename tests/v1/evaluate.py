"""lm-evaluation-harness in its own process: address, model, its tokenizer's folder, the task's folder."""

from __future__ import annotations

import json
import sys

import lm_eval
from lm_eval.tasks import TaskManager


def main(address: str, model: str, tokenizer: str, folder: str, batch_size: str) -> None:
    """Evaluate, and print the accuracy and each answer's log-probability and whether greedy writes it."""
    found = lm_eval.simple_evaluate(
        model="local-completions",
        model_args={
            "base_url": f"{address}/completions", "model": model, "tokenizer": tokenizer,
            "tokenizer_backend": "huggingface", "tokenized_requests": True, "max_length": 512,
            "max_retries": 1,
        },
        batch_size=int(batch_size),
        tasks=["playground_sentiment"],
        task_manager=TaskManager(include_path=folder, include_defaults=False),
        log_samples=True,
        bootstrap_iters=0,
    )  # fmt: skip
    samples = sorted(found["samples"]["playground_sentiment"], key=lambda one: one["doc_id"])
    answers = [[[float(resp[0][0]), bool(resp[0][1])] for resp in one["resps"]] for one in samples]
    accuracy = found["results"]["playground_sentiment"]["acc,none"]
    sys.stdout.write("\nRESULT " + json.dumps({"accuracy": accuracy, "answers": answers}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
