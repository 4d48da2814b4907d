"""Which of several answers does a model find most probable a token? The first of each is the right one."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
prompts = [[1, 9690, 198]]  # token ids, with the marks of the chat template
candidates = [["Paris", "Rome", "Berlin"]]

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)

winners = []
for prompt, answers in zip(prompts, candidates, strict=True):
    means = []
    for answer in answers:
        ids = tokenizer(answer, add_special_tokens=False).input_ids
        with torch.no_grad():
            logits = model(torch.tensor([prompt + ids])).logits[0, len(prompt) - 1 : -1]
        logprobs = logits.double().log_softmax(-1).gather(1, torch.tensor(ids)[:, None])
        means.append(float(logprobs.mean()))
    winners.append(means.index(max(means)))
    print(answers[winners[-1]], "(right)" if winners[-1] == 0 else f"(right: {answers[0]})")
print(f"{winners.count(0)} of {len(winners)} right")
