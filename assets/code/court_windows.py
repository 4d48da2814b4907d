# One text, one model, several kinds of windows: perplexity depends on context and stride.
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "The capital of England is London"
start_ids = [0]  # the start token, <|endoftext|>: in training it stood before a text
n_tokens = 7  # tokens that are read, the start token too
settings = [(4, 4), (4, 2), (6, 6)]  # context, stride

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
ids = [*start_ids, *tokenizer(text, add_special_tokens=False).input_ids][:n_tokens]


def perplexity_of(context: int, stride: int) -> float:
    """As in Hugging Face's "Perplexity of fixed-length models", `max_length` being context + 1."""
    nats, n_asked, before = 0.0, 0, 1
    for begin in range(0, len(ids), stride):
        end = min(begin + context + 1, len(ids))
        with torch.no_grad():
            logprobs = model(torch.tensor([ids[begin:end]])).logits[0].double().log_softmax(-1)
        nats -= sum(float(logprobs[at - begin - 1, ids[at]]) for at in range(before, end))
        n_asked += end - before
        before = end
        if end == len(ids):
            break
    return float(torch.tensor(nats / n_asked).exp())


perplexities = {}
for context, stride in settings:
    perplexities[context, stride] = perplexity_of(context, stride)
    print(f"context {context:4} stride {stride:4}: perplexity {perplexities[context, stride]:.3f}")
