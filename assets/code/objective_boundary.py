# Span boundary objective, as in SpanBERT: spans of words are hidden, and said from their borders.
import numpy as np

ids = [101, 1996, 3007, 1997, 2563, 2003, 2414, 1012, 102]
words = [[1], [2], [3], [4], [5], [6], [7]]  # positions of each word's tokens
mask_id = 103
seed = 0
special_ids = [0, 100, 101, 102, 103]
d_vocab = 30522

rng = np.random.default_rng(seed)
n_tokens = sum(map(len, words))
n_most = min(n_tokens, max(1, round(0.15 * n_tokens)))
spans, free, n_hidden = [], list(range(len(words))), 0
while n_hidden < n_most and free:
    first = int(rng.choice(free))
    n_words = int(min(rng.geometric(0.2), 10))
    taken = [first]
    while len(taken) < n_words and taken[-1] + 1 in free:
        taken.append(taken[-1] + 1)
    spans.append([at for word in taken for at in words[word]][: n_most - n_hidden])
    n_hidden += len(spans[-1])
    free = [word for word in free if not taken[0] - 1 <= word <= taken[-1] + 1]
input_ids = np.array(ids)
for span in spans:
    fate = int(rng.choice([1, 2, 3], p=[0.8, 0.1, 0.1]))  # masked, replaced, kept
    if fate == 1:
        input_ids[span] = mask_id
    elif fate == 2:
        input_ids[span] = rng.choice(np.setdiff1d(np.arange(d_vocab), special_ids), size=len(span))
print("The model reads:", input_ids.tolist())
targets = []
for span in sorted(spans):
    for offset, at in enumerate(span, start=1):
        targets.append((at, span[0] - 1, span[-1] + 1, offset))
        print(f"token {ids[at]} from the tokens at {span[0] - 1} and {span[-1] + 1}, number {offset}")
