"""A reward model trained on pairs, and the reward of each beginning of some answers."""

from pathlib import Path

import torch
from torch.nn.functional import softplus
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
pairs = [("Hi!", "Hello, nice to meet you.", "What?"), ("Thanks!", "You are welcome.", "Whatever.")]
prompt = "How do I boil an egg?"
answers = ["Gladly. Eight minutes in boiling water.", "Eight minutes. Stop asking."]
inverse_penalty = 0.1
n_steps = 100
learning_rate = 0.003

tokenizer = AutoTokenizer.from_pretrained(Path(folder).expanduser())
model = AutoModelForCausalLM.from_pretrained(Path(folder).expanduser(), dtype=torch.float32).eval()
end = model.generation_config.eos_token_id
end = [] if end is None else [min(end) if isinstance(end, list) else end]


def ids_before(question: str) -> list[int]:
    """Tokens of all that stands before an answer."""
    if not tokenizer.chat_template:
        return tokenizer(f"{question}\n", add_special_tokens=False).input_ids
    message = [{"role": "user", "content": question}]
    text = tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
    return tokenizer(text, add_special_tokens=False).input_ids


@torch.no_grad()
def state(ids: list[int]) -> torch.Tensor:
    """The last layer's state of the last token."""
    return model.base_model(torch.tensor([ids])).last_hidden_state[0, -1]


def ids_of(answer: str) -> list[int]:
    """Tokens of an answer."""
    return tokenizer(answer, add_special_tokens=False).input_ids


differences = torch.stack(
    [
        state(ids_before(question) + ids_of(chosen) + end) - state(ids_before(question) + ids_of(other) + end)
        for question, chosen, other in pairs
    ]
)
weight = torch.zeros(differences.shape[1], requires_grad=True)
optimizer = torch.optim.AdamW([weight], lr=learning_rate, weight_decay=0.0)
for _ in range(n_steps):
    optimizer.zero_grad()
    loss = softplus(-(differences @ weight)).mean()
    (loss + weight.square().sum() / (2 * inverse_penalty * len(pairs))).backward()
    optimizer.step()

rewards = []
for answer in answers:
    own = ids_of(answer)
    beginnings = [ids_before(prompt) + own[:n] + end for n in range(1, len(own) + 1)]
    rewards.append([float(state(ids) @ weight.detach()) for ids in beginnings])
middle = sum(each[-1] for each in rewards) / len(rewards)
for answer, each in zip(answers, rewards, strict=True):
    print(f"{each[-1] - middle:+.2f} nats: {answer}")
