"""Ask this playground with OpenAI's own client (pip install openai); the key is in OPENAI_API_KEY."""

import math

from openai import OpenAI

address = "http://127.0.0.1:8501/v1"
model = "HuggingFaceTB/SmolLM2-135M-Instruct"
text = "The capital of England is"

client = OpenAI(base_url=address)

# the text goes on, as on the page Sampling: each token, and how probable it was
answer = client.completions.create(
    model=model, prompt=text, max_tokens=8, temperature=0, seed=0, logprobs=3
).choices[0]
for token, logprob in zip(answer.logprobs.tokens, answer.logprobs.token_logprobs, strict=True):
    print(f"{token!r:>12} {100 * math.exp(logprob):5.1f} %")

# how probable the text itself is, token by token; nothing is written
text_itself = client.completions.create(
    model=model, prompt=text, max_tokens=0, echo=True, logprobs=1
).choices[0]
print(f"log-probability of the text: {sum(text_itself.logprobs.token_logprobs[1:]):.2f} nats")

# an answer that can be nothing but JSON of this form
form = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
said = client.chat.completions.create(
    model=model,
    messages=[{"role": "user", "content": "Name the capital of England as JSON."}],
    response_format={"type": "json_schema", "json_schema": {"name": "city", "schema": form}},
    max_tokens=40,
    temperature=0,
)
print(said.choices[0].message.content)
