# A model and a copy of it with quantized weights: perplexity of a text, and the next token after a sentence.
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "The capital of England is"
passage = "A bicycle that is looked at for half a minute before each trip rarely fails on the road."
most_tokens = 512
bits = 4
granularity = "tensor"  # one scale for a whole matrix, for a "channel" (a row) or a "group" of a row
group = 64
is_symmetric = True  # False: a zero point, so that the grid reaches from the smallest to the largest
outliers = 0.0  # share of the weights, the largest, that stays in float16
whole = False  # True: also the table of embeddings and the head


def quantized(weights: np.ndarray) -> np.ndarray:
    """The weights [d_out, d_in] as they are read back from their grid."""
    n_kept = int(np.ceil(weights.size * outliers))
    places = np.argsort(-np.abs(weights).ravel(), kind="stable")[:n_kept]
    dense = weights.copy()
    dense.ravel()[places] = 0
    d_out, d_in = weights.shape
    if granularity == "group":
        dense = np.pad(dense, ((0, 0), (0, -d_in % group)))
    size = {"tensor": dense.size, "channel": d_in, "group": group}[granularity]
    parts = dense.reshape(-1, size)  # weights that share a scale
    n_steps, eps = np.float32(2**bits - 1), np.finfo(np.float32).eps
    low, high = np.minimum(parts.min(1), 0), np.maximum(parts.max(1), 0)
    if is_symmetric:
        scales = np.maximum(np.maximum(-low, high) / (n_steps / 2), eps)
        zeros, lowest = np.zeros(len(parts), np.float32), -(2 ** (bits - 1))
    else:
        scales = np.maximum((high - low) / n_steps, eps)
        zeros, lowest = np.rint(-low / scales), 0
    codes = np.clip(np.rint(parts * (1 / scales)[:, None]) + zeros[:, None], lowest, lowest + n_steps)
    read = ((codes - zeros[:, None]) * scales[:, None]).astype(np.float32).reshape(d_out, -1)[:, :d_in].copy()
    read.ravel()[places] = weights.ravel()[places].astype(np.float16)
    return read


def quantize_all(model: torch.nn.Module) -> None:
    """Quantize the linear layers of all blocks in place, with `whole` also the tables outside."""
    tables = [model.get_input_embeddings(), model.get_output_embeddings()] if whole else []
    done = set()
    for name, module in model.named_modules():
        in_block = any(part.isdigit() for part in name.split("."))
        is_linear = type(module).__name__ in ("Linear", "Conv1D")
        if (in_block and is_linear) or any(module is table for table in tables):
            turned = type(module).__name__ == "Conv1D"  # GPT-2 keeps [d_in, d_out]
            weight = module.weight.data.T if turned else module.weight.data
            if weight.data_ptr() not in done:
                read = torch.from_numpy(quantized(np.ascontiguousarray(weight.numpy())))
                weight.copy_(read)
                done.add(weight.data_ptr())


def answers(model: torch.nn.Module) -> tuple[float, torch.Tensor]:
    """Perplexity of the passage, and log-probabilities of the next token after the text."""
    with torch.no_grad():
        logprobs = model(torch.tensor([passage_ids])).logits[0, :-1].double().log_softmax(-1)
        next_token = model(torch.tensor([ids])).logits[0, -1].double().log_softmax(-1)
    told = logprobs[torch.arange(len(passage_ids) - 1), passage_ids[1:]]
    return float(torch.exp(-told.mean())), next_token


path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
ids, passage_ids = tokenizer(text).input_ids, tokenizer(passage).input_ids[:most_tokens]
perplexity_before, before = answers(model)
quantize_all(model)
perplexity_after, after = answers(model)
kl_bits = float((before.exp() * (before - after)).sum() / np.log(2))
top = int(before.argmax())
p_before, p_after = float(before[top].exp()), float(after[top].exp())
print(f"perplexity of {len(passage_ids)} tokens: {perplexity_before:.2f} -> {perplexity_after:.2f}")
print(f"{tokenizer.decode([top])!r}: {p_before:.4%} -> {p_after:.4%}; KL {kl_bits:.3f} bits")
print(f"most probable now: {tokenizer.decode([int(after.argmax())])!r}")
