# A model as a judge of two answers: does its verdict depend on what they say, or on which one comes first?
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
templates = {"en": "Question: {question}\n\nAnswer A: {a}\n\nAnswer B: {b}\n\nWhich answer is better?"}
pairs = [("en", "How much is 15 percent of 200?", "30.", "150.")]  # language, question, better, worse answer
is_chat = True  # the model has a chat template
labels = ["A", "B"]

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)


def p_first(language: str, question: str, a: str, b: str) -> float:
    """Probability that the answer shown first wins."""
    prompt = templates[language].format(question=question, a=a, b=b)
    if is_chat:
        messages = [{"role": "user", "content": prompt}]
        ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
        tails = [tokenizer(label, add_special_tokens=False).input_ids for label in labels]
    else:
        ids = tokenizer(prompt).input_ids
        tails = [tokenizer(prompt + label).input_ids[len(ids) :] for label in labels]
    scores = []
    for tail in tails:
        with torch.no_grad():
            logits = model(torch.tensor([[*ids, *tail]])).logits[0, len(ids) - 1 : -1]
        scores.append(logits.double().log_softmax(-1).gather(1, torch.tensor(tail)[:, None]).sum())
    return float(torch.stack(scores).softmax(0)[0])


verdicts = []  # p(the better answer wins): shown first, shown second
for language, question, better, worse in pairs:
    first = p_first(language, question, better, worse)
    verdicts.append((first, 1 - p_first(language, question, worse, better)))
    print(f"{verdicts[-1][0]:.3f} {verdicts[-1][1]:.3f}  {question}")
turns = sum((first > 0.5) != (second > 0.5) for first, second in verdicts)
right = sum(first + second > 1 for first, second in verdicts)
print(f"{len(pairs)} pairs: {turns} verdicts turn with the order; {right} right in the mean of both orders")
