# What a chat model reads, messages in its template and merely joined, and what it answers to each.
import math
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
base_folder = ""  # of a base model that goes on from the joined messages too
messages = [{"role": "user", "content": "The capital of England is"}]
n_tokens = 40


def load(name: str) -> tuple[PreTrainedTokenizerFast, PreTrainedModel]:
    """Tokenizer and model of a folder."""
    path = Path(name).expanduser()
    return AutoTokenizer.from_pretrained(path), AutoModelForCausalLM.from_pretrained(
        path, dtype=torch.float32
    )


def in_template(tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """Token ids of the messages in the template; a mark that a message spells stays text."""
    marks = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
    if not any(mark in message["content"] for mark in marks for message in messages):
        return tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    place = "\ue000"
    places = [{**message, "content": place} for message in messages]
    first, *frames = tokenizer.apply_chat_template(places, tokenize=False, add_generation_prompt=True).split(
        place
    )
    found = tokenizer(first, add_special_tokens=False).input_ids
    for message, frame in zip(messages, frames, strict=True):
        words = tokenizer(message["content"], add_special_tokens=False, split_special_tokens=True)
        found += words.input_ids + tokenizer(frame, add_special_tokens=False).input_ids
    return found


def answer(
    tokenizer: PreTrainedTokenizerFast, model: PreTrainedModel, ids: list[int]
) -> tuple[list[int], str, list[float]]:
    """The most probable token at every step: ids, text, and the surprisal of each in bits."""
    ends = [model.config.eos_token_id, model.generation_config.eos_token_id]
    ends = [end for one in ends for end in (one if isinstance(one, list) else [one]) if end is not None]
    ends += [i for i, token in tokenizer.added_tokens_decoder.items() if token.content == "<|endoftext|>"]
    given = torch.tensor([ids])
    found = model.generate(
        given,
        attention_mask=torch.ones_like(given),
        do_sample=False,
        repetition_penalty=1.0,
        max_new_tokens=n_tokens,
        eos_token_id=ends,
        pad_token_id=ends[0],
        output_logits=True,
        return_dict_in_generate=True,
    )
    new_ids = found.sequences[0, len(ids) :].tolist()
    logprobs = torch.cat(found.logits).log_softmax(-1)
    bits = [-float(logprobs[step, i]) / math.log(2) for step, i in enumerate(new_ids)]
    return new_ids, tokenizer.decode(new_ids, skip_special_tokens=True), bits


tokenizer, model = load(folder)
joined = "\n".join(message["content"] for message in messages)
ids = {"plain": tokenizer(joined, split_special_tokens=True).input_ids}
if tokenizer.chat_template:
    string = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    print(string)
    ids = {"template": in_template(tokenizer), **ids}
answers = {name: answer(tokenizer, model, one) for name, one in ids.items()}
if base_folder:
    base = load(base_folder)
    ids["base"] = base[0](joined, split_special_tokens=True).input_ids
    answers["base"] = answer(*base, ids["base"])
for name, (new_ids, text, bits) in answers.items():
    print(f"\n{name}: {len(ids[name])} tokens read: {ids[name]}")
    print(f"{len(new_ids)} tokens written, {sum(bits) / len(bits):.2f} bits each: {text!r}")
