"""The first rollouts of a policy that learns from a reward, by the playground's own loop."""

import math
import time

from playground.core.lora import LoraConfig
from playground.core.preferences.pair import PreferencePair
from playground.core.rewards import TextReward
from playground.engine import create_engine
from playground.engine.contract.policies import HeadReward, PolicyObservation, PolicyRequest, PolicySettings
from playground.engine.contract.preferences import RewardRequest
from playground.engine.contract.reward_models import RewardSettings
from playground.engine.contract.training import ENDED, Observation, TrainingRequest
from playground.settings import Settings

model = "HuggingFaceTB/SmolLM2-135M-Instruct"
prompt = "What do you think of my new bike?"
reward = {"kind": "pattern", "wanted": "!", "sign": 1}
pairs = []  # (prompt, chosen, rejected): with pairs, a reward model that is trained on them judges instead
inverse_penalty = 0.1  # C of the reward model
kl_beta = 0.0  # reward that a nat of KL costs: the leash
epsilon = 0.2  # distance of a ratio from 1 at which PPO clips; 1e9 for no clip
learning_rate = 0.004
r = 8
target_modules = ["q_proj", "v_proj"]
n_answers = 8
max_new_tokens = 20
n_updates = 2
seed = 0
n_shown = 3  # rollouts that are learned from

engine = create_engine(Settings())


def observed(request: TrainingRequest) -> tuple[Observation, ...]:
    """Measurements of a run, once it has ended."""
    engine.training.runs.start(request)
    while (state := engine.training.runs.state(request.request_id, "shown")).status not in ENDED:
        time.sleep(0.1)
    return state.observed


judge = TextReward(**reward)
if pairs:
    read = engine.preferences.examples(model, [PreferencePair(*one) for one in pairs])
    asked = RewardSettings(model, "shown", inverse_penalty=inverse_penalty, batch_size=len(pairs))
    observed(RewardRequest(asked, read, (), owner="shown"))
    judge = HeadReward(engine.preferences.heads("shown")[-1].head_id)
settings = PolicySettings(
    model, "shown", n_shown, learning_rate, 1, seed, lora=LoraConfig(r, 2.0 * r, 0.0, tuple(target_modules)),
    reward=judge, kl_beta=kl_beta, epsilon=math.inf if epsilon > 1 else epsilon, n_answers=n_answers,
    max_new_tokens=max_new_tokens, n_updates=n_updates,
)  # fmt: skip
request = PolicyRequest(settings, engine.preferences.prompts(model, [prompt]), owner="shown")
rollouts = [one for one in observed(request) if isinstance(one, PolicyObservation)]
for one in rollouts:
    print(f"rollout {one.step}: reward {one.reward:.2f}, KL {one.kl:.2f} nats: {one.answers[0].text!r}")
engine.close()
