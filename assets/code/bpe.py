from playground.core.bpe import train

text = "aaabdaaabac"
n_merges = 3
new_text = ""

trained = train(text, n_merges)
n_tokens = trained.n_bytes
print(f"{trained.n_words} words, {n_tokens / trained.n_words:.3f} tokens per word before any merge")
for number, step in enumerate(trained.steps, start=1):
    left, right = (trained.vocab[token_id] for token_id in step.pair)
    print(f"{number:4}  {left} + {right} -> {step.token}  {step.count} times", end="  ")
    print(f"{step.n_tokens / trained.n_words:.3f} tokens per word")
ids = trained.encode(new_text)
print(ids, [trained.vocab[token_id] for token_id in ids])
