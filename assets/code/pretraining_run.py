"""A run from zero again, of any objective: the playground's own loop, the same first numbers and batches."""

from pathlib import Path

from playground.core.pretraining import bits, halves
from playground.engine.contract.pretraining import PretrainingSettings, pretraining_request
from playground.engine.training.pretraining_learner import PretrainingLearner, PretrainingSlot
from playground.engine.training.run import text_order

settings = {"objective": "masked", "n_steps": 300}
file = "assets/trained/pretraining/text-en.txt"
text = ""  # a text of your own, in place of the file
is_half = False  # True reads the first half of the text alone
n_shown = 10

whole = text or Path(file).expanduser().read_text("utf-8")
read, other = halves(whole) if is_half else (whole, "")
run = PretrainingSettings(**settings)
request = pretraining_request(run, "me", read, other=other)
learner = PretrainingLearner([PretrainingSlot(request)], lambda: None)
order = text_order(len(request.train), run.n_steps * run.batch_size, run.seed)
losses = []
for step in range(min(n_shown, run.n_steps)):
    places = order[step * run.batch_size : (step + 1) * run.batch_size]
    [loss] = learner.step([[request.train[place] for place in places]])
    losses.append(bits(loss))
    print(f"step {step + 1}: {losses[-1]:.4f} bits per byte that counts")
seen = learner.observe(0, request, len(losses))
print("attention of every head on", request.fixed.decode(), "has shape", seen.attention.shape)
print("embeddings of", len(request.mapped), "bytes have shape", seen.embedding.shape)
