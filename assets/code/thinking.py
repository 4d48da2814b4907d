# Three prompts on the same word problems: write, read the number off, vote, count.
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
prompts = ["Answer with a number only.\n\n{question}"]
problems = [("Tom has 3 apples and buys 4 more. How many apples does he have now?", "7")]
n_votes = 1  # 1 = greedy; more = that many drawn answers, of which the majority counts
n_tokens = 48

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
end_ids = model.generation_config.eos_token_id
end_ids = end_ids if isinstance(end_ids, list) else [end_ids]
temperature = 0.7 if n_votes > 1 else 0.0


def read(text: str) -> torch.Tensor:
    """Token ids: a chat's message where the model knows chats, else the text. Shape [1, token]."""
    if not tokenizer.chat_template:
        return tokenizer(text, return_tensors="pt").input_ids
    messages = [{"role": "user", "content": text}]
    return tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_tensors="pt", return_dict=False
    )


def transcript(text: str, seed: int) -> str:
    """What the model writes: one token after the other, greedy or drawn."""
    random = np.random.Generator(np.random.Philox(key=seed))
    input_ids, new_ids, cache = read(text), [], None
    room = model.config.max_position_embeddings - input_ids.shape[1]
    while len(new_ids) < min(n_tokens, room) and not (new_ids and new_ids[-1] in end_ids):
        with torch.no_grad():
            output = model(input_ids, past_key_values=cache, use_cache=True)
        logits, cache, u = output.logits[0, -1].double(), output.past_key_values, random.random()
        if temperature > 0:
            probs, token_ids = (logits / temperature).softmax(-1).sort(descending=True)
            new_ids.append(int(token_ids[int((probs.cumsum(0) <= u).sum())]))
        else:
            new_ids.append(int(logits.argmax()))
        input_ids = torch.tensor([new_ids[-1:]])
    return tokenizer.decode(new_ids, skip_special_tokens=True)


by_commas, by_points = (
    r"(?!0)\d{1,3}(?:,\d{3})+(?:\.\d+)?",
    r"(?!0)\d{1,3}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,})",
)
grouped = rf"(?<!\d)(?<!\d[.,])(?:{by_commas}|{by_points}|\d+,\d+)(?![.,]?\d)"  # 1,200  1.200,50  12,5
plain = r"\d+(?:\.\d+)?|(?<![\w.])\.\d+"
numeral = rf"(?:(?<![\w.,)\]%])[-−])?(?:{grouped}|{plain})(?:[eE][-+]?\d{{1,2}}(?![\dA-Za-z]))?"


def number(text: str) -> str | None:
    """The last number after "Answer:", else the last one."""
    tail = re.split(r"(?:answer|답)\s*[:：]", text, flags=re.IGNORECASE)[-1]
    found = re.findall(numeral, tail) or re.findall(numeral, text)
    if not found:
        return None
    digits = found[-1].replace("−", "-")
    if ("," in digits and not re.match(f"-?{by_commas}", digits)) or digits.count(".") > 1:
        digits = digits.replace(".", "").replace(",", ".")
    shortest = f"{Decimal(digits.replace(',', '')):f}"
    shortest = shortest.rstrip("0").rstrip(".") if "." in shortest else shortest
    return "0" if shortest == "-0" else shortest


transcripts, accuracies = [], []
for prompt in prompts:
    n_right = 0
    for question, label in problems:
        written = [transcript(prompt.replace("{question}", question), seed) for seed in range(n_votes)]
        votes, answer = Counter(), None
        for vote in map(number, written):
            votes[vote] += vote is not None
            if votes[vote] > votes[answer]:  # of equals, the first to reach the count
                answer = vote
        n_right += answer == label
        transcripts.append(written)
        print(f"{answer} ({label})  {written}")
    accuracies.append(n_right / len(problems))
    print(f"{n_right} of {len(problems)} right: {prompt!r}\n")
