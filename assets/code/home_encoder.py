"""The numbers of the home page for an encoder: one sentence, from text to one vector."""

from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer, logging

folder = "~/.cache/llm-playground/models/sentence-transformers--all-MiniLM-L6-v2"
text = "The capital of England is"

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()

ids = tokenizer(text, return_tensors="pt", split_special_tokens=True).input_ids
with torch.no_grad():
    out = model(ids, output_attentions=True, output_hidden_states=True)

n = ids.shape[1]
print(n, "tokens:", tokenizer.convert_ids_to_tokens(ids[0]))

embedding = out.hidden_states[0][0]  # [position, d_model]
print("first 8 of", embedding.shape[1], "numbers of each vector:")
print(embedding[:, :8])

# What the last token of the text looks at, in every head: [layer, head, key]. [CLS] and [SEP] do not count.
looks = torch.stack(out.attentions)[:, 0, :, n - 2]
keys = slice(1, n - 2) if n > 3 else slice(n - 2, n - 1)
layer, head = divmod(looks[:, :, keys].amax(-1).argmax().item(), looks.shape[1])
print(f"the head with the most weight on one token: layer {layer + 1}, head {head + 1}")
print(looks[layer, head])

sentence = out.last_hidden_state[0].mean(0)
sentence = sentence / sentence.norm()
print("first 8 of", len(sentence), "numbers of the sentence vector:", sentence[:8])
