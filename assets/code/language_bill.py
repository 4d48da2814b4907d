"""The same sentence in several languages: tokens per character, and relative to English."""

import os
from pathlib import Path

texts = {"en": "A good question.", "ko": "좋은 질문."}
encodings = ["r50k_base", "cl100k_base", "o200k_base"]
files = {"SmolLM2": "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"}
tiktoken_cache = "~/.cache/llm-playground/tiktoken"

os.environ["TIKTOKEN_CACHE_DIR"] = str(
    Path(tiktoken_cache).expanduser()
)  # official files, checked by tiktoken

import regex  # noqa: E402
import tiktoken  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

count = {}
for name in encodings:
    count[name] = tiktoken.get_encoding(name).encode_ordinary
for name, folder in files.items():
    tokenizer = Tokenizer.from_file(str(Path(folder).expanduser() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    count[name] = lambda text, tokenizer=tokenizer: tokenizer.encode(text, add_special_tokens=False).ids

table = []
for name, encode in count.items():
    english = len(encode(texts["en"]))
    for language, text in texts.items():
        n_tokens, n_characters = len(encode(text)), len(regex.findall(r"\X", text))
        table.append((name, language, n_tokens, n_tokens / n_characters, n_tokens / english))
        print(
            f"{name:40} {language}  {n_tokens:4} tokens  {n_tokens / n_characters:.3f} per character",
            end="  ",
        )
        print(f"{n_tokens / english:.3f} times English")
