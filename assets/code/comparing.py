# Two settings, or two models, on the same text: what each expects next, and how much they agree.
from pathlib import Path

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

folders = ["~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"] * 2
text = "The capital of England is"
a = {"temperature": 1.0, "top_k": 0, "top_p": 0.75, "min_p": 0.0, "typical_p": 1.0, "order": "transformers"}
b = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "typical_p": 1.0, "order": "transformers"}
ORDERS = {
    "transformers": ["temperature", "top_k", "top_p", "min_p", "typical_p"],
    "vllm": ["temperature", "min_p", "top_k", "top_p"],
    "llama.cpp": ["top_k", "typical_p", "top_p", "min_p", "temperature"],
}


def next_token(folder: str, chosen: dict) -> dict[str, float]:
    """Token -> probability of those that are kept."""
    path = Path(folder).expanduser()
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    inputs = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        scores = model(**inputs).logits[:, -1].double()
    temperature, greedy = chosen["temperature"], TopKLogitsWarper(1)
    made = {"temperature": TemperatureLogitsWarper(float(temperature)) if temperature > 0 else greedy}
    if chosen["top_k"] > 0:
        made["top_k"] = TopKLogitsWarper(chosen["top_k"])
    if chosen["top_p"] < 1:
        made["top_p"] = TopPLogitsWarper(chosen["top_p"])
    if chosen["min_p"] > 0:
        made["min_p"] = MinPLogitsWarper(chosen["min_p"])
    if chosen["typical_p"] < 1:
        made["typical_p"] = TypicalLogitsWarper(chosen["typical_p"])
    cut = LogitsProcessorList(made[name] for name in ORDERS[chosen["order"]] if name in made)
    probs = cut(inputs.input_ids, scores).softmax(-1)[0]
    kept = probs.nonzero()[:, 0].tolist()
    found: dict[str, float] = {}
    for token_id in kept:
        token = tokenizer.decode([token_id])
        if "\ufffd" in token:  # part of a character
            token = tokenizer.convert_ids_to_tokens(token_id)
        found[token] = found.get(token, 0.0) + float(probs[token_id])
    return found


first, second = (next_token(*pair) for pair in zip(folders, (a, b), strict=True))
overlap = sum(min(mass, second.get(token, 0.0)) for token, mass in first.items())
for token in sorted({**first, **second}, key=lambda one: -max(first.get(one, 0), second.get(one, 0)))[:12]:
    print(f"{token!r:20}  A {first.get(token, 0):.4f}  B {second.get(token, 0):.4f}")
print(f"A keeps {len(first):,}, B {len(second):,}; overlap {overlap:.4f}")
