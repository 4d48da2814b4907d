# BLEU's brevity penalty: e^(1 - reference / candidate) for a candidate that is shorter than the reference.
import math

n_candidate = 2
n_reference = 9

if n_candidate >= n_reference:
    penalty = 1.0
else:
    penalty = math.exp(1 - n_reference / n_candidate) if n_candidate else 0.0
print(f"{n_candidate} tokens against {n_reference}: brevity penalty {penalty:.3f}")
