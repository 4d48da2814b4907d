"""A head on the trained body and one on the random body it began as: the same few labels for both."""

from pathlib import Path

import numpy as np
import torch

from playground.core.labelled_sets import read_labelled_set
from playground.core.transfer_set import labelled_texts, points
from playground.engine.contract.pretraining import PretrainingSettings, pretraining_request
from playground.engine.local.pretraining import vectors_of
from playground.engine.training.pretraining_learner import PretrainingLearner, PretrainingSlot
from playground.engine.training.run import text_order
from playground.paths import site_root

settings = {"objective": "next", "data": "en", "n_steps": 300}
file = "assets/trained/pretraining/text-en.txt"
text = ""  # a text of your own, in place of the file
job = "backwards"

run = PretrainingSettings(**settings)
request = pretraining_request(run, "me", text or Path(file).expanduser().read_text("utf-8"))
slot = PretrainingSlot(request)
learner = PretrainingLearner([slot], lambda: None)
order = text_order(len(request.train), run.n_steps * run.batch_size, run.seed)
for step in range(run.n_steps):
    places = order[step * run.batch_size : (step + 1) * run.batch_size]
    learner.step([[request.train[place] for place in places]])
learner.unpack(0)
model = slot.snapshot(run.n_steps, 0)

reviews = read_labelled_set((site_root() / "assets/samples/jobs/classification.json").read_text("utf-8"))
drawn, asked = labelled_texts(reviews, "ko" if run.data == "ko" else "en", job)
data = [one.text.encode()[: run.window - 2] for one in (*drawn, *asked)]
curves = {}
for name, body in (("trained", model), ("random", model.as_random())):
    with torch.no_grad():
        vectors = np.asarray(vectors_of(body, data))
    curves[name] = points(vectors, drawn, asked)
    for n_labels, accuracy, n in curves[name]:
        print(f"{name} body, {n_labels} labels: {accuracy:.3f} of {n} held-out texts")
