# Next sentence (BERT) and sentence order (ALBERT): two sentences and a question that needs no label.
import numpy as np

text = ["He opened the window.", "The air was cold."]
others = ["The bakery opens at six."]  # sentences of other texts
seed = 0
is_order = False

rng = np.random.default_rng(seed)
at = int(rng.integers(len(text) - 1))
is_true = bool(rng.random() < 0.5)
if is_order:
    first, second = (text[at], text[at + 1]) if is_true else (text[at + 1], text[at])
else:
    first, second = text[at], text[at + 1] if is_true else others[int(rng.integers(len(others)))]
print(first)
print(second)
print(
    "in order" if is_order and is_true else "swapped" if is_order else "next" if is_true else "another text"
)
