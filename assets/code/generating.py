# Continue a text token by token: cut the distribution, draw one token, append it, repeat.
import math
from pathlib import Path

import numpy as np
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "The capital of England is"
written = []  # tokens to go on from
n_tokens = 32
seed = 0
temperature = 1.0
top_k = 0
top_p = 0.75
min_p = 0.0
typical_p = 1.0
order = "transformers"
repetition_penalty = 1.0
presence_penalty = 0.0
frequency_penalty = 0.0

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
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
processors = LogitsProcessorList(made[name] for name in orders[order] if name in made)

end_ids = model.generation_config.eos_token_id
end_ids = end_ids if isinstance(end_ids, list) else [end_ids]
random = np.random.Generator(np.random.Philox(key=seed))
input_ids = tokenizer(text, return_tensors="pt").input_ids
prompt_length = input_ids.shape[1]
input_ids = torch.cat([input_ids, torch.tensor([written], dtype=torch.int64)], dim=1)
for _ in range(n_tokens):
    with torch.no_grad():
        logits = model(input_ids).logits[:, -1].double()
    penalised = RepetitionPenaltyLogitsProcessor(repetition_penalty)(input_ids, logits)
    written, counts = input_ids[0, prompt_length:].unique(return_counts=True)
    penalised[0, written] -= frequency_penalty * counts + presence_penalty
    probs, token_ids = processors(input_ids, penalised).softmax(-1)[0].sort(descending=True)
    u = random.random()
    chosen = int((probs.cumsum(0) <= u).sum()) if temperature > 0 else 0
    token_id = int(token_ids[chosen])
    surprisal = -float(logits.log_softmax(-1)[0, token_id]) / math.log(2)
    print(f"{token_id:6}  {tokenizer.decode([token_id])!r:20}  {surprisal:6.2f} bits  p {probs[chosen]:.4f}")
    input_ids = torch.cat([input_ids, torch.tensor([[token_id]])], dim=1)
    if token_id in end_ids:
        break
print(tokenizer.decode(input_ids[0, prompt_length:]))
