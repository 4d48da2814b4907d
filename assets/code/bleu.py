# BLEU of one candidate: sacrebleu's score, and the same product from our own counts.
import math
from collections import Counter

from sacrebleu.metrics import BLEU

candidate = "the the the the the the the"
references = ["the cat is on the mat", "there is a cat on the mat"]
tokenizer = "13a"

metric = BLEU(tokenize=tokenizer, effective_order=True)
bleu = metric.sentence_score(candidate, references)
print(bleu)
print(metric.get_signature())

tokens, *others = [metric.tokenizer(text.rstrip()).split() for text in (candidate, *references)]
closest = min(map(len, others), key=lambda n: (abs(n - len(tokens)), n))
short = 0 < len(tokens) < closest
penalty = math.exp(1 - closest / len(tokens)) if short else float(bool(tokens))
logs, smoothing = [], 1
for order in range(1, min(4, len(tokens)) + 1):
    own, *theirs = [
        Counter(tuple(text[at : at + order]) for at in range(len(text) - order + 1))
        for text in (tokens, *others)
    ]
    matched = sum(min(n, max(each[ngram] for each in theirs)) for ngram, n in own.items())
    print(f"{order}-grams: {matched} of {own.total()} match")
    if not matched and not logs:  # not one token
        break
    smoothing *= 1 if matched else 2
    logs.append(math.log(matched / own.total() if matched else 1 / (smoothing * own.total())))
product = 100 * penalty * math.exp(sum(logs) / len(logs)) if logs else 0.0
print(f"brevity penalty {penalty:.3f}, BLEU {product:.1f}")
