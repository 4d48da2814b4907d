"""A message in the model's chat template, as tokens."""

from pathlib import Path

from transformers import AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "The capital of England is"

tokenizer = AutoTokenizer.from_pretrained(Path(folder).expanduser())
messages = [{"role": "user", "content": text}]
print(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
marks = set(tokenizer.all_special_ids)
for token_id in ids:
    print(f"{token_id:8}", "mark" if token_id in marks else "    ", repr(tokenizer.decode([token_id])))
