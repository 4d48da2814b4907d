"""One text under several tokenizers, with tiktoken and tokenizers: ids, bytes and readable form."""

import os
from pathlib import Path

text = "나는 최근 파리 여행을 다녀왔다"
encodings = ["r50k_base", "cl100k_base", "o200k_base"]
files = {"SmolLM2": "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"}
tiktoken_cache = "~/.cache/llm-playground/tiktoken"

os.environ["TIKTOKEN_CACHE_DIR"] = str(
    Path(tiktoken_cache).expanduser()
)  # official files, checked by tiktoken

import tiktoken  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

ids = {}
for name in encodings:
    encoding = tiktoken.get_encoding(name)
    ids[name] = encoding.encode(text, disallowed_special=())  # <|endoftext|> in the text stays text
    print(f"{name}: {len(ids[name])} tokens")
    for token_id in ids[name]:
        print(f"{token_id:8}", encoding.decode_single_token_bytes(token_id))

for name, folder in files.items():
    tokenizer = Tokenizer.from_file(str(Path(folder).expanduser() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    encoded = tokenizer.encode(text, add_special_tokens=False)
    ids[name] = encoded.ids
    print(f"{name}: {len(encoded.ids)} tokens")
    for token_id, token, (start, stop) in zip(encoded.ids, encoded.tokens, encoded.offsets, strict=True):
        print(f"{token_id:8}", token, repr(text[start:stop]))
