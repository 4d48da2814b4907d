# Two models with different pieces on one text: perplexity by the piece, bits by the byte.
from collections import Counter, defaultdict
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
text = "The capital of England is London"
start_ids = [0]  # the start token, <|endoftext|>: in training it stood before a text
n_tokens = 7  # tokens that are read, the start token too
n_before = 0  # UTF-8 bytes before those that the model is asked about
n_bytes = 32  # that it is asked about
windows = [(0, 7, 1)]  # first token read, last token read + 1, first token asked about
second = ""  # folder of a second model; "" for counts of bytes
second_start_ids = []
second_bytes = 32  # that the second model is asked about
stories = ["assets/samples/corpus_en.txt", "assets/samples/corpus_ko.txt"]  # what is counted
order = 5  # bytes that are counted together


def by_model(
    folder: str, start_ids: list[int], windows: list[tuple[int, int, int]], most: int
) -> list[float]:
    """Bits of every token after the first."""
    path = Path(folder).expanduser()
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    ids = [*start_ids, *tokenizer(text, add_special_tokens=False).input_ids][:most]
    bits = []
    for begin, end, first in windows or [(0, len(ids), 1)]:
        with torch.no_grad():
            logprobs = model(torch.tensor([ids[begin:end]])).logits[0].double().log_softmax(-1)
        bits += [-float(logprobs[at - begin - 1, ids[at]]) / 0.6931471805599453 for at in range(first, end)]
    return bits


def by_counts() -> list[float]:
    """Bits of every byte under counts of what followed the last bytes, smoothed after Witten and Bell."""
    counted, counts = b"".join(Path(one).read_bytes() for one in stories), defaultdict(Counter)
    for at, byte in enumerate(counted):
        for n in range(min(order, at + 1)):
            counts[counted[at - n : at]][byte] += 1
    raw, bits = text.encode(), []
    for at, byte in enumerate(raw):
        share = 1 / 256
        for n in range(min(order, at + 1)):
            seen = counts.get(raw[at - n : at])
            if seen is None:
                break
            share = (seen[byte] + len(seen) * share) / (seen.total() + len(seen))
        bits.append(-float(torch.tensor(share, dtype=torch.float64).log2()))
    return bits[n_before : n_before + n_bytes]


second_bits = by_model(second, second_start_ids, [], n_tokens) if second else by_counts()
results = {
    "first": (by_model(folder, start_ids, windows, n_tokens), n_bytes),
    "second": (second_bits, second_bytes if second else n_bytes),
}
numbers = {}
for name, (bits, n) in results.items():
    numbers[name] = 2 ** (sum(bits) / len(bits)), sum(bits) / n
    print(
        f"{name}: {len(bits)} pieces, perplexity {numbers[name][0]:.3f}, {numbers[name][1]:.4f} bits per byte"
    )
