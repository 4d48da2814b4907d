"""A training run again: the playground's own loop, the same first numbers, the same batches."""

from playground.core.pairs.pair import Pair
from playground.engine.contract.pairs import NetworkConfig, PairSettings, pairs_request
from playground.engine.training.pair_learner import PairLearner, PairSlot
from playground.engine.training.run import text_order

settings = {"network": {"kind": "gru", "attention": "additive"}, "data": "dates", "n_steps": 50}
own = []

run = PairSettings(**settings | {"network": NetworkConfig(**settings["network"])})
request = pairs_request(run, "me", own=[Pair(source, target) for source, target in own])
learner = PairLearner([PairSlot(request)], lambda: None)
order = text_order(len(request.train), run.n_steps * run.batch_size, run.seed)
losses = []
for step in range(run.n_steps):
    places = order[step * run.batch_size : (step + 1) * run.batch_size]
    losses += learner.step([[request.train[place] for place in places]])
    if step % 25 == 0 or step + 1 == run.n_steps:
        print(f"step {step + 1}: loss {losses[-1]:.4f} nats per character")
seen = learner.observe(0, request, run.n_steps)
print(f"{seen.n_right} of {seen.n_asked} held-out pairs are written exactly")
