"""Prompts as a model reads them, and the page's context with another model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from playground.engine.contract.models import AdapterName
from playground.ui import adapters, compute, frame
from playground.ui.state import PageContext


def prompt_ids(model_id: str, text: str) -> tuple[int, ...]:
    """A prompt as an instruct model reads it: in its chat template; else alone on its line."""
    base_id = AdapterName.of(model_id).base_id
    info = next(one for one in compute.models() if one.model_id == base_id)
    if "chat_template" not in info.capabilities:
        return compute.cut(base_id, f"{text}\n").input_ids
    return compute.tokenizers().chat(base_id, [{"role": "user", "content": text}]).input_ids


def turns_ids(model_id: str, turns: Sequence[tuple[str, str]]) -> tuple[int, ...]:
    """A conversation as a model reads it, ready for its answer: in its chat template; else line by line.

    Args:
        model_id: The model, or an adapter on it.
        turns: Role ("user", "assistant") and text of each.
    """
    base_id = AdapterName.of(model_id).base_id
    info = next(one for one in compute.models() if one.model_id == base_id)
    if "chat_template" not in info.capabilities:
        return compute.cut(base_id, "".join(f"{text}\n" for _role, text in turns)).input_ids
    messages = [{"role": role, "content": text} for role, text in turns]
    return compute.tokenizers().chat(base_id, messages).input_ids


def context_of(context: PageContext, model_id: str) -> PageContext:
    """The page's context with another model: the base, or an adapter on it."""
    known = frame.choices()
    base_id = AdapterName.of(model_id).base_id
    base = next(one for one in compute.models() if one.model_id == base_id)
    entry = adapters.entry_of(model_id, known) or known[base_id]
    return replace(context, model=adapters.info_of(base, entry))
