"""The numbers of the home page for an encoder-decoder: the text, and the first token of the answer."""

from pathlib import Path

import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/google-t5--t5-small"
text = "The capital of England is"

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForSeq2SeqLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()

ids = tokenizer(text, return_tensors="pt", split_special_tokens=True).input_ids
begins = [model.config.decoder_start_token_id, model.generation_config.forced_bos_token_id]
start = torch.tensor([[token for token in begins if token is not None]])
with torch.no_grad():
    out = model(ids, decoder_input_ids=start, output_attentions=True, output_hidden_states=True)

n = ids.shape[1]
print(n, "tokens:", tokenizer.convert_ids_to_tokens(ids[0]))

embedding = out.encoder_hidden_states[0][0]  # [position, d_model]
print("first 8 of", embedding.shape[1], "numbers of each vector:")
print(embedding[:, :8])

# What the last token of the text looks at, in every encoder head: [layer, head, key]. </s> does not count.
looks = torch.stack(out.encoder_attentions)[:, 0, :, n - 2]
keys = slice(1, n - 2) if n > 3 else slice(n - 2, n - 1)
layer, head = divmod(looks[:, :, keys].amax(-1).argmax().item(), looks.shape[1])
print(f"the head with the most weight on one token: layer {layer + 1}, head {head + 1}")
print(looks[layer, head])

probs = out.logits[0, -1].double().softmax(-1)
for token_id in probs.topk(5).indices:
    print(f"{probs[token_id]:.4f}", tokenizer.convert_ids_to_tokens([token_id]))
