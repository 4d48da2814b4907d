"""The tokens a model adds around a text."""

from pathlib import Path

from transformers import AutoTokenizer

folder = "~/.cache/llm-playground/models/sentence-transformers--all-MiniLM-L6-v2"
text = "The capital of England is"

tokenizer = AutoTokenizer.from_pretrained(Path(folder).expanduser())
ids = tokenizer(text, split_special_tokens=True).input_ids
marks = set(tokenizer.all_special_ids)
for token_id in ids:
    print(
        f"{token_id:8}",
        "mark" if token_id in marks else "    ",
        repr(tokenizer.convert_ids_to_tokens(token_id)),
    )
