"""Questions about texts: the nearest sentence by sentence vectors, an answer by a decoder behind a prompt."""

import re
import string
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

encoder_folder = "~/.cache/llm-playground/models/sentence-transformers--all-MiniLM-L6-v2"
before_question = ""
before_sentence = ""
decoder_folder = ""  # "" to ask the encoder alone
n_tokens = 20
korean = False  # count characters instead of words
test = [("Who sat?", ["The cat sat.", "It rained."], ["The cat"], "Question: Who sat?\nAnswer:")]

tokenizer = AutoTokenizer.from_pretrained(Path(encoder_folder).expanduser())
encoder = AutoModel.from_pretrained(Path(encoder_folder).expanduser(), dtype=torch.float32).eval()


def vector(text: str) -> np.ndarray:
    """The sentence vector of a text."""
    ids = tokenizer(text, return_tensors="pt", split_special_tokens=True).input_ids
    with torch.no_grad():
        mean = encoder(ids).last_hidden_state[0].mean(0).double().numpy()
    return mean / np.linalg.norm(mean)


def nearest(question: str, sentences: list) -> int:
    """Number of the sentence with the largest cosine."""
    asked = vector(before_question + question)
    return int(np.argmax([vector(before_sentence + one) @ asked for one in sentences]))


chosen = [nearest(question, sentences) for question, sentences, _right, _prompt in test]
hits = [any(one in row[1][at] for one in row[2]) for row, at in zip(test, chosen, strict=True)]
print(f"the nearest sentence holds the answer: {sum(hits)} of {len(hits)}")


def bare(text: str) -> list:
    """Words without case, punctuation and articles, as SQuAD's script has them; or characters."""
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    words = re.sub(r"\b(a|an|the)\b", " ", text).split()
    return list("".join(words)) if korean else words


def f1(answer: str, right: list) -> float:
    """F1 of the right answer that fits best."""
    given, best = bare(answer), 0.0
    for one in map(bare, right):
        common = (Counter(given) & Counter(one)).total()
        best = max(best, 2 * common / (len(given) + len(one)) if common else float(given == one))
    return best


scores = []
if decoder_folder:
    tokenizer = AutoTokenizer.from_pretrained(Path(decoder_folder).expanduser())
    decoder = AutoModelForCausalLM.from_pretrained(
        Path(decoder_folder).expanduser(), dtype=torch.float32
    ).eval()
    for _question, _sentences, right, prompt in test:
        ids = tokenizer(prompt, return_tensors="pt", split_special_tokens=True).input_ids
        with torch.no_grad():
            mask = torch.ones_like(ids)
            out = decoder.generate(ids, attention_mask=mask, max_new_tokens=n_tokens, do_sample=False)
        scores.append(f1(tokenizer.decode(out[0, ids.shape[1] :]).split("\n")[0].strip(), right))
    print(f"F1 of the decoder's answers: {100 * np.mean(scores):.1f}")
