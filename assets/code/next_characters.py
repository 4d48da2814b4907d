"""The next character of a text: probabilities summed over every sequence of tokens that spells it."""

import heapq
import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "대한민국의 수도는"
max_followed = 8  # begun characters that are followed, a forward pass each
enough = 0.02  # of the probability: no more is followed once less is left
max_tokens = 512

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()
ids = tokenizer(text, split_special_tokens=True).input_ids

# GPT-2's alphabet: the printed bytes stand for themselves, the others for the letters from U+0100 on.
printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
others = [byte for byte in range(256) if byte not in printed]
alphabet = {chr(byte): byte for byte in printed} | {chr(256 + i): byte for i, byte in enumerate(others)}
has_alphabet = "ByteLevel" in json.dumps(json.loads(tokenizer.backend_tokenizer.to_str())["decoder"])


def spelled(token_id: int) -> bytes:
    """The bytes that a token adds to a text; none for marks such as the end of the text."""
    added = tokenizer.added_tokens_decoder.get(token_id)
    if added is not None:
        return b"" if added.special else added.content.encode()
    token = tokenizer.convert_ids_to_tokens(token_id) if token_id < len(tokenizer) else None
    if token is None:
        return b""
    if has_alphabet:
        return bytes(alphabet[letter] for letter in token)
    is_byte = len(token) == 6 and token.startswith("<0x") and token.endswith(">")
    return bytes([int(token[3:5], 16)]) if is_byte else token.replace("▁", " ").encode()


def first_character(spelling: bytes) -> str:
    """The first character that is no white space, with the white space before it; "" until it is whole."""
    try:
        whole = spelling.decode()
    except UnicodeDecodeError as error:
        may_go_on = error.reason == "unexpected end of data"
        whole = spelling[: error.start].decode() + ("" if may_go_on else "\ufffd")
    space = len(whole) - len(whole.lstrip())
    return whole[: space + 1] if space < len(whole) else ""


tokens = [spelled(token_id) for token_id in range(model.config.vocab_size)]
characters, ended, n_passes = {}, 0.0, 0
begun, stuck = [(-1.0, 0, [])], 0.0  # (minus its probability, order, tokens), most probable first
while begun and n_passes <= max_followed and stuck - sum(one[0] for one in begun) > enough:
    mass, _order, way = heapq.heappop(begun)
    if len(ids) + len(way) > max_tokens:
        stuck -= mass
        continue
    with torch.no_grad():
        probs = model(torch.tensor([[*ids, *way]])).logits[0, -1].double().softmax(-1).tolist()
    n_passes += 1
    before = b"".join(tokens[token_id] for token_id in way)
    for token_id, p in enumerate(probs):
        character = first_character(before + tokens[token_id])
        if not tokens[token_id]:
            ended -= mass * p
        elif character:
            characters[character] = characters.get(character, 0.0) - mass * p
        else:
            heapq.heappush(begun, (mass * p, n_passes * len(tokens) + token_id, [*way, token_id]))

left = stuck - sum(one[0] for one in begun)
characters = dict(sorted(characters.items(), key=lambda item: -item[1]))
for character, p in list(characters.items())[:5]:
    print(f"{p:.4f}", repr(character))
print(f"{ended:.4f} the text ends; {left:.4f} begun and not followed")
