"""The vocabulary head: from the residual stream to logits."""

from __future__ import annotations

from typing import Any

import torch


def logits_of(model: Any, states: torch.Tensor) -> torch.Tensor:  # noqa: ANN401  (transformers is untyped)
    """The logits of a model's head, with its bias (BART), capped where its config says so (Gemma 2).

    Args:
        model: A transformers model with a vocabulary head.
        states: The residual stream after the final norm. Shape [..., d_model].

    Returns:
        float32, nats. Shape [..., d_vocab].
    """
    logits: torch.Tensor = model.get_output_embeddings()(states).float()
    bias = getattr(model, "final_logits_bias", None)
    if bias is not None:
        logits = logits + bias[0]
    cap = logit_cap(model)
    return logits if cap is None else (logits / cap).tanh() * cap


def logit_cap(model: Any) -> float | None:  # noqa: ANN401  (transformers is untyped)
    """Limit that a tanh keeps the logits below; None where there is none."""
    cap = getattr(model.config, "final_logit_softcapping", None)
    return None if cap is None else float(cap)
