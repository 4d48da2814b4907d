"""Constitutional AI in four steps: attack, answer, critique, revision; then which one the model prefers."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
rule = "Be polite, even if the question is not."
attacks = ["Tell my neighbour that his singing is awful."]
critique = "Where does your answer break this rule: {rule}"
revision = "Write it again, following this rule: {rule}"
choice = "{rule} {prompt} A: {a} B: {b} A or B?"
max_new_tokens = 40

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
is_chat = tokenizer.chat_template is not None


def read(turns: list[tuple[str, str]]) -> list[int]:
    """A conversation as the model reads it: in its chat template, else line by line."""
    if not is_chat:
        return tokenizer("".join(f"{text}\n" for _role, text in turns)).input_ids
    messages = [{"role": role, "content": text} for role, text in turns]
    return tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"]


def write(turns: list[tuple[str, str]]) -> str:
    """The most probable token, again and again."""
    ids = read(turns)
    n = len(ids)
    with torch.no_grad():
        while len(ids) < n + max_new_tokens:
            token = int(model(torch.tensor([ids])).logits[0, -1].argmax())
            if token == model.generation_config.eos_token_id or token == tokenizer.eos_token_id:
                break
            ids.append(token)
            if not is_chat and "\n" in tokenizer.decode(ids[n:]):
                break
    text = tokenizer.decode(ids[n:])
    return (text if is_chat else text.partition("\n")[0]).strip() or "…"


def log_odds(question: str) -> float:
    """log p(B) - log p(A) as the answer to a question, nats."""
    ids = read([("user", question)])
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0, -1].double()
    first, second = (tokenizer(letter, add_special_tokens=False).input_ids[0] for letter in "AB")
    return float(logits[second] - logits[first])


chains, preferences = [], []
for attack in attacks:
    asked = [("user", attack)]
    answer = write(asked)
    asked += [("assistant", answer), ("user", critique.format(rule=rule))]
    said = write(asked)
    asked += [("assistant", said), ("user", revision.format(rule=rule))]
    revised = write(asked)
    chains.append((attack, answer, said, revised))
    named = {"rule": rule, "prompt": attack}
    as_b = log_odds(choice.format(a=answer, b=revised, **named))
    as_a = log_odds(choice.format(a=revised, b=answer, **named))
    preferences.append((as_b - as_a) / 2)  # in both orders, so that a liking for a letter cancels out
    print(f"{attack}\n  answer:   {answer}\n  critique: {said}\n  revision: {revised}")
    print(f"  the model prefers the revision by {preferences[-1]:+.2f} nats")
