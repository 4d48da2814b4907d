# The same words for a model that sees both sides of a gap and for one that sees what is on the left.
import math
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/google-bert--bert-base-uncased"
head_file = ""  # a masked-LM head that lies apart from its model, "" for none
input_ids = [101, 1996, 3007, 1997, 2563, 2003, 2414, 1012, 102]  # the text as the encoder reads it
words = [[1], [2], [3], [4], [5], [6, 7]]  # positions of each word's tokens
decoder_folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "The capital of England is London."
start_ids = [0]  # what stood before a text in the decoder's training

path = Path(folder).expanduser()
mask_id = AutoTokenizer.from_pretrained(path).mask_token_id
encoder = AutoModelForMaskedLM.from_pretrained(path, dtype=torch.float32).eval()
if head_file:
    encoder.load_state_dict(load_file(head_file), strict=False)
both_bits = []
for word in words:
    ids, bits = list(input_ids), 0.0
    for position in word:
        ids[position] = mask_id
    for position in word:  # from left to right, each token given those before it
        with torch.no_grad():
            logprobs = encoder(torch.tensor([ids])).logits[0, position].double().log_softmax(-1)
        bits -= float(logprobs[input_ids[position]]) / math.log(2)
        ids[position] = input_ids[position]
    both_bits.append(bits)
    print(f"both sides, word {len(both_bits)}: {bits:7.3f} bits")

path = Path(decoder_folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
decoder = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
text_ids = tokenizer(text, add_special_tokens=False).input_ids
ids = [*start_ids, *text_ids]
with torch.no_grad():
    logprobs = decoder(torch.tensor([ids])).logits[0].double().log_softmax(-1)
left_bits = []
for position in range(1, len(ids)):
    left_bits.append(-float(logprobs[position - 1, ids[position]]) / math.log(2))
    print(f"left side, {tokenizer.decode([ids[position]])!r:16} {left_bits[-1]:7.3f} bits")
