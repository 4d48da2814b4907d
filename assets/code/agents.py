# The turns of an agent, written again by transformers: greedy, with or without a grammar, and what they cost.
import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def grammar_of(kind: str, source: str) -> str:
    """The form of a text, as llguidance reads it: no token is forced, JSON as json.dumps writes it."""
    head = '%llguidance {"no_forcing": true}\n'
    if kind == "regex":
        return f"{head}start: /{source}/"
    printed = {"item_separator": ", ", "key_separator": ": ", "whitespace_flexible": False}
    return f"{head}start: %json {json.dumps(json.loads(source) | {'x-guidance': printed})}"


def write(ids: list[int], most: int, stop: list[str], form: tuple[str, str] | None) -> list[int]:
    """The most probable token at every step, of those that the form allows."""
    matcher = None
    if form is not None:
        import llguidance
        import llguidance.hf
        import llguidance.numpy as masks
        import numpy as np

        rules = llguidance.hf.from_tokenizer(tokenizer, n_vocab=model.config.vocab_size, eos_token=ends[0])
        matcher = llguidance.LLMatcher(rules, grammar_of(*form))
        mask = masks.allocate_token_bitmask(1, model.config.vocab_size)
    given, cache, new = torch.tensor([ids]), None, []
    while len(new) < most:
        with torch.no_grad():
            read = model(given, past_key_values=cache, use_cache=True)
        logits, cache = read.logits[:, -1], read.past_key_values
        if matcher is not None:
            masks.fill_next_token_bitmask(matcher, mask)
            kept = np.unpackbits(mask.view(np.uint8), bitorder="little")[: logits.shape[1]]
            logits[0, torch.from_numpy(kept == 0)] = -torch.inf
        new.append(int(logits[0].argmax()))
        if new[-1] in ends or any(one in tokenizer.decode(new) for one in stop):
            break
        if matcher is not None:
            matcher.consume_token(new[-1])
            if matcher.is_stopped():
                break
        given = torch.tensor([[new[-1]]])
    return new


def same_beginning(ids: list[int], old: list[int]) -> int:
    """Tokens at the beginning of both."""
    return next(
        (n for n, (a, b) in enumerate(zip(ids, old, strict=False)) if a != b), min(len(ids), len(old))
    )


folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
prompts = ["Question: What is 48 times 6?\nThought:"]  # of each turn, word for word
stops = [["\nObservation:"]]  # strings that end each turn
most = [56]  # tokens of each turn
forms = [None]  # ("regex" or "json_schema", its source), where only tokens that keep the form are allowed

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
ends = [one for one in {model.config.eos_token_id, model.generation_config.eos_token_id} if one is not None]
ends += [i for i, token in tokenizer.added_tokens_decoder.items() if token.content == "<|endoftext|>"]

seen, texts, again, new, written = [], [], [], [], []
for prompt, stop, n, form in zip(prompts, stops, most, forms, strict=True):
    ids = tokenizer(prompt, split_special_tokens=True).input_ids
    tokens = write(ids, n, stop, form)
    text = tokenizer.decode(tokens, skip_special_tokens=True)
    texts.append(text[: min([text.find(one) for one in stop if one in text], default=None)])
    again.append(max((same_beginning(ids, old) for old in seen), default=0))
    new.append(len(ids) - again[-1])
    written.append(len(tokens))
    seen.append(ids + tokens)
    print(f"{new[-1]} tokens new, {again[-1]} read again, {written[-1]} written: {texts[-1]!r}")
