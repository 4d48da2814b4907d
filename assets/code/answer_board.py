# Answers of a class: BLEU, ROUGE-L, cosine of an encoder, and how they go with the votes.
from pathlib import Path
from types import SimpleNamespace

import regex
import torch
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU
from scipy.stats import spearmanr
from transformers import AutoModel, AutoTokenizer, logging

reference = "Please do not close the door, the baby is sleeping."
answers = ["Leave it open, our baby naps.", "Please do close the door, the baby is awake."]
votes = [3, 0]
bleu_tokenizer = "13a"
rouge_tokenizer = "words"
folder = "~/.cache/llm-playground/models/sentence-transformers--all-MiniLM-L6-v2"  # "" for no encoder
before_text = ""
max_tokens = 256

word = r"[\p{L}\p{M}\p{N}]"
syllable = r"[[\p{Hangul}\p{Han}\p{Hiragana}\p{Katakana}]&&\p{L}]"
patterns = {"words": rf"{word}+", "syllables": rf"{syllable}\p{{M}}*|[{word}--{syllable}]+"}


def vectors(texts: list[str]) -> torch.Tensor:
    """Mean of the last layer of each text, divided by its length."""
    path = Path(folder).expanduser()
    logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModel.from_pretrained(path, dtype=torch.float32).eval()
    found = []
    for text in texts:
        cut = {"truncation": True, "max_length": max_tokens, "split_special_tokens": True}
        ids = tokenizer(before_text + text, return_tensors="pt", **cut).input_ids
        with torch.no_grad():
            found.append(torch.nn.functional.normalize(model(ids).last_hidden_state[0].mean(0), dim=0))
    return torch.stack(found)


metric = BLEU(tokenize=bleu_tokenizer, effective_order=True)
pattern = patterns[rouge_tokenizer]
kept = SimpleNamespace(tokenize=lambda text: regex.findall(pattern, text.lower(), regex.VERSION1))
scorer = RougeScorer(["rougeL"], tokenizer=kept)
scores = {
    "BLEU": [metric.sentence_score(answer, [reference]).score for answer in answers],
    "ROUGE-L": [scorer.score(reference, answer)["rougeL"].fmeasure for answer in answers],
}
if folder:
    *own, right = vectors([*answers, reference])
    scores["cosine"] = [float(vector @ right) for vector in own]
for name, values in scores.items():
    print(f"{name:8}", " ".join(f"{value:8.3f}" for value in values))
    if len(set(votes)) > 1 and len(set(values)) > 1:
        print(f"         Spearman with the votes {spearmanr(values, votes).statistic:.3f}")
