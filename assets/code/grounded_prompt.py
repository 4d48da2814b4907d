# The literal prompt: the message in the model's chat template, and its tokens.
from pathlib import Path

from transformers import AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
message = "Here is a text:\n\nOur cook is Bram.\n\nQuestion about the text: Who is the cook?"
is_chat = True

tokenizer = AutoTokenizer.from_pretrained(Path(folder).expanduser())
text = message
if is_chat:
    turn = [{"role": "user", "content": message}]
    text = tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
ids = tokenizer(text, add_special_tokens=not is_chat).input_ids
print(text)
print(f"\n{len(ids)} tokens:", *map(repr, tokenizer.convert_ids_to_tokens(ids)))
