# Leave one out: what an answer costs when a chunk is taken out of the prompt.
import math
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
names = ["all chunks", "without any"]
prompts = [[1, 4093, 198], [1, 198]]  # token ids, with the marks of the chat template
answer = "Bram"

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
answer_ids = tokenizer(answer, add_special_tokens=False, split_special_tokens=True).input_ids
bits = []
for prompt in prompts:
    with torch.no_grad():
        logits = model(torch.tensor([prompt + answer_ids])).logits[0, len(prompt) - 1 : -1]
    logprobs = logits.double().log_softmax(-1).gather(1, torch.tensor(answer_ids)[:, None])
    bits.append(-float(logprobs.sum()) / math.log(2))
for name, cost in zip(names, bits, strict=True):
    print(f"{name:20} {cost:7.2f} bits, {cost - bits[0]:+7.2f}")
