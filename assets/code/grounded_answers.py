# One question asked with different chunks: the most probable answer to each prompt.
from greedy_answers import greedy_answers

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
prompts = {"closed": [1, 4093, 198]}  # way -> token ids, with the marks of the chat template
n_new = 24
stops_at_line = False  # of a model without a chat template

texts = greedy_answers(folder, list(prompts.values()), n_new, stops_at_line)
answers = dict(zip(prompts, texts, strict=True))
for way, text in answers.items():
    print(f"{way} ({len(prompts[way])} tokens read): {text!r}")
