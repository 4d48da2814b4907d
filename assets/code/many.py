# Many continuations: how probable and how different they are at each temperature.
import math
from pathlib import Path

import numpy as np
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
prompts = ["The capital of England is"]
n_tokens = 24
n_texts = 8
temperatures = [1.0]
top_k = 0
top_p = 0.75
min_p = 0.0
typical_p = 1.0
order = "transformers"

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
end_ids = model.generation_config.eos_token_id
end_ids = end_ids if isinstance(end_ids, list) else [end_ids]


def processors(temperature: float) -> LogitsProcessorList:
    """The cuts in the order of the library."""
    orders = {
        "transformers": ["temperature", "top_k", "top_p", "min_p", "typical_p"],
        "vllm": ["temperature", "min_p", "top_k", "top_p"],
        "llama.cpp": ["top_k", "typical_p", "top_p", "min_p", "temperature"],
    }
    greedy = TopKLogitsWarper(1)
    made = {"temperature": TemperatureLogitsWarper(float(temperature)) if temperature > 0 else greedy}
    if top_k > 0:
        made["top_k"] = TopKLogitsWarper(top_k)
    if top_p < 1:
        made["top_p"] = TopPLogitsWarper(top_p)
    if min_p > 0:
        made["min_p"] = MinPLogitsWarper(min_p)
    if typical_p < 1:
        made["typical_p"] = TypicalLogitsWarper(typical_p)
    return LogitsProcessorList(made[name] for name in orders[order] if name in made)


def continuation(prompt: str, temperature: float, seed: int) -> tuple[list[int], list[float]]:
    """New tokens, and the log-probability of each under the model itself."""
    random = np.random.Generator(np.random.Philox(key=seed))
    input_ids = tokenizer(prompt, return_tensors="pt").input_ids
    new_ids, logprobs = [], []
    while len(new_ids) < n_tokens and not (new_ids and new_ids[-1] in end_ids):
        with torch.no_grad():
            logits = model(input_ids).logits[:, -1].double()
        probs, token_ids = processors(temperature)(input_ids, logits).softmax(-1)[0].sort(descending=True)
        u = random.random()
        chosen = int((probs.cumsum(0) <= u).sum()) if temperature > 0 else 0
        new_ids.append(int(token_ids[chosen]))
        logprobs.append(float(logits.log_softmax(-1)[0, new_ids[-1]]))
        input_ids = torch.cat([input_ids, torch.tensor([new_ids[-1:]])], dim=1)
    return new_ids, logprobs


def distinct(texts: list[list[int]], n: int) -> float:
    """Different n-grams among all n-grams."""
    grams = [tuple(ids[i : i + n]) for ids in texts for i in range(len(ids) - n + 1)]
    return len(set(grams)) / len(grams) if grams else math.nan


for temperature in temperatures:
    written = []
    for seed, prompt in enumerate(prompts * n_texts):
        new_ids, logprobs = continuation(prompt, temperature, seed)
        written.append((new_ids, logprobs))
        print(f"perplexity {math.exp(-np.mean(logprobs)):8.2f}  {prompt!r} {tokenizer.decode(new_ids)!r}")
    texts = [new_ids for new_ids, _ in written]
    mean_logprob = float(np.mean([p for _, logprobs in written for p in logprobs]))
    distinct_1, distinct_2 = distinct(texts, 1), distinct(texts, 2)
    print(
        f"T {temperature}: log p {mean_logprob:.4f}, distinct-1 {distinct_1:.4f}, distinct-2 {distinct_2:.4f}"
    )
