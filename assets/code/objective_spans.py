# Span corruption, as T5 was trained: 15 % of the tokens in spans of three on average become sentinels.
import numpy as np

ids = [1996, 3007, 1997, 2563, 2003, 2414, 1012]
seed = 0

rng = np.random.default_rng(seed)
n_hidden = min(max(round(0.15 * len(ids)), 1), len(ids) - 1)
n_spans = min(max(round(n_hidden / 3), 1), len(ids) - n_hidden)


def lengths(n_items: int) -> np.ndarray:
    """Random lengths of the segments."""
    ends = np.sort(rng.choice(n_items - 1, n_spans - 1, replace=False)) + 1
    return np.diff(ends, prepend=0, append=n_items)


seen, hidden = lengths(len(ids) - n_hidden), lengths(n_hidden)
encoder, decoder, at = [], [], 0
for span, (n_seen, n) in enumerate(zip(seen.tolist(), hidden.tolist(), strict=True)):
    sentinel = f"<extra_id_{span}>"
    encoder += [*ids[at : at + n_seen], sentinel]
    decoder += [sentinel, *ids[at + n_seen : at + n_seen + n]]
    at += n_seen + n
decoder.append(f"<extra_id_{n_spans}>")
print("The encoder reads:     ", encoder)
print("The decoder is to write:", decoder)
