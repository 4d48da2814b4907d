"""The numbers of the home page with plain torch and transformers: one sentence, from text to next token."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "The capital of England is"

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()

ids = tokenizer(text, return_tensors="pt", split_special_tokens=True).input_ids
with torch.no_grad():
    out = model(ids, output_attentions=True, output_hidden_states=True)

n = ids.shape[1]
print(n, "tokens:", [tokenizer.decode(i) for i in ids[0]])

embedding = out.hidden_states[0][0]  # [position, d_model]
print("first 8 of", embedding.shape[1], "numbers of each vector:")
print(embedding[:, :8])

# What the last token looks at, in every head: [layer, head, key].
looks = torch.stack(out.attentions)[:, 0, :, -1]
keys = slice(1, n - 1) if n > 2 else slice(n - 1, n)  # neither the first token nor the last itself
layer, head = divmod(looks[:, :, keys].amax(-1).argmax().item(), looks.shape[1])
print(f"the head with the most weight on one token: layer {layer + 1}, head {head + 1}")
print(looks[layer, head])

probs = out.logits[0, -1].double().softmax(-1)
for token_id in probs.topk(5).indices:
    print(f"{probs[token_id]:.4f}", repr(tokenizer.decode(token_id)))
