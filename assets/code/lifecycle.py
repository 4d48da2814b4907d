"""Coming soon: the numbers of the page Lifecycle."""

from pathlib import Path

from transformers import AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "The capital of England is"
n_most = 32

tokenizer = AutoTokenizer.from_pretrained(Path(folder).expanduser())
ids = tokenizer(text, split_special_tokens=True).input_ids
print(len(ids), "tokens, the first of them:", ids[:n_most])
