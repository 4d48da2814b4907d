"""The stock peer of the class: a plain Streamlit app that runs plain transformers and peft under one lock.

Written as a careful user of the libraries writes it: the model is a cached resource, a text is read once and
kept by `st.cache_data`, a slider reads nothing anew, a training lets others in between two steps.
"""

from __future__ import annotations

import copy
import json
import threading
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from playground.engine.models.catalogue import model_folder
from playground.paths import site_root
from playground.settings import Settings

N_SHOWN, N_NEW, RATE, BATCH = 20, 32, 3e-4, 4


@st.cache_resource
def everything() -> tuple[Any, Any, threading.Lock]:
    """Tokenizer, model, and the lock that whoever uses the model holds."""
    settings = Settings()
    folder = model_folder(settings.default_model, settings)
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
    return AutoTokenizer.from_pretrained(folder), model.eval(), threading.Lock()


@st.cache_data(max_entries=200, show_spinner="Reading …")
def read(text: str) -> tuple[list[str], Any, Any, Any]:
    """Tokens, logits of the last one, the mean attention of every layer, the length of every state."""
    tokenizer, model, lock = everything()
    inputs = tokenizer(text, return_tensors="pt")
    with lock, torch.no_grad():
        out = model(**inputs, output_attentions=True, output_hidden_states=True)
    tokens = tokenizer.convert_ids_to_tokens(inputs.input_ids[0].tolist())
    attention = torch.stack([layer[0].mean(0) for layer in out.attentions]).numpy()
    lengths = torch.stack([state[0].norm(dim=-1) for state in out.hidden_states]).numpy()
    return tokens, out.logits[0, -1].numpy(), attention, lengths


def heat(values: Any, columns: str, rows: str) -> Any:  # noqa: ANN401 - an array; a chart
    """A map of a matrix."""
    at = np.indices(values.shape)
    frame = pd.DataFrame({rows: at[0].ravel(), columns: at[1].ravel(), "value": values.ravel()})
    return alt.Chart(frame).mark_rect().encode(x=f"{columns}:O", y=f"{rows}:O", color="value:Q")


def distribution(logits: Any, tokenizer: Any, temperature: float) -> Any:  # noqa: ANN401
    """Bars of the most probable next tokens."""
    scaled = np.exp((logits - logits.max()) / temperature)
    probs = scaled / scaled.sum()
    best = np.argsort(-probs)[:N_SHOWN]
    names = [tokenizer.decode([token]) for token in best.tolist()]
    return alt.Chart(pd.DataFrame({"token": names, "p": probs[best]})).mark_bar().encode(x="p:Q", y="token:N")


def generate(text: str, temperature: float) -> str:
    """A continuation by the library."""
    tokenizer, model, lock = everything()
    inputs = tokenizer(text, return_tensors="pt")
    with lock, torch.no_grad():
        ids = model.generate(**inputs, max_new_tokens=N_NEW, do_sample=True, temperature=temperature, top_k=0)
    return str(tokenizer.decode(ids[0], skip_special_tokens=True))


def train(n_steps: int) -> None:
    """LoRA by peft on a copy of the model; between two steps others have the lock."""
    tokenizer, model, lock = everything()
    rows = json.loads((site_root() / "assets/training/en/pirate.json").read_text("utf-8"))["rows"]
    texts = [f"{row['instruction']}\n{row['response']}" for row in rows]
    config = LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"])
    with lock:
        learner = get_peft_model(copy.deepcopy(model), config).train()
        optimizer = torch.optim.AdamW(learner.parameters(), lr=RATE)
    bar = st.progress(0.0)
    for step in range(n_steps):
        batch = [texts[(step * BATCH + place) % len(texts)] for place in range(BATCH)]
        inputs = tokenizer(batch, return_tensors="pt", padding=True)
        labels = inputs.input_ids.masked_fill(inputs.attention_mask == 0, -100)
        with lock:
            learner(**inputs, labels=labels).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        bar.progress((step + 1) / n_steps)


def page() -> None:
    """Everything of the comparable pages, from top to bottom."""
    tokenizer, _model, _lock = everything()
    text = st.text_area("Your sentence", "The capital of England is", key="text")
    temperature = st.slider("Temperature", 0.1, 2.5, 1.0, key="temperature")
    tokens, logits, attention, lengths = read(text)
    st.altair_chart(distribution(logits, tokenizer, temperature))
    st.altair_chart(heat(attention.mean(0), "looked at", "looks"))
    st.altair_chart(heat(lengths, "token", "layer"))
    st.write(" ".join(tokens))
    if st.button("Generate", key="generate"):
        st.text(generate(text, temperature))
    steps = st.slider("Steps", 1, 60, 12, key="steps")
    if st.button("Train", key="train"):
        train(steps)


page()
