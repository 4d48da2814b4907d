"""Translations or summaries of a set: the model goes on from a prompt, the libraries count."""

from pathlib import Path

import torch
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import corpus_bleu, sentence_chrf
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
job = "translation"  # or "summarization"
language = "Korean"  # of the answers
n_tokens = 40
test = [("English: It is late.\nKorean:", ["늦었다."])]  # (what the model reads, right answers)

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
writes_targets = AutoConfig.from_pretrained(path).is_encoder_decoder
loader = AutoModelForSeq2SeqLM if writes_targets else AutoModelForCausalLM
model = loader.from_pretrained(path, dtype=torch.float32).eval()


def answer(text: str) -> str:
    """The most probable next token, again and again, to the end of the line."""
    ids = tokenizer(text, return_tensors="pt", split_special_tokens=True).input_ids
    with torch.no_grad():
        out = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=n_tokens, do_sample=False
        )
    new = out[0] if writes_targets else out[0, ids.shape[1] :]
    return tokenizer.decode(new, skip_special_tokens=True).split("\n")[0].strip()


class Syllables:
    """ROUGE's own tokenizer drops Korean; each syllable is a token here, each other word too."""

    def tokenize(self, text: str) -> list:
        """The tokens of a text."""
        spread = "".join(f" {c} " if "가" <= c <= "힣" else c if c.isalnum() else " " for c in text.lower())
        return spread.split()


answers = [answer(text) for text, _right in test]
right = [each for _text, each in test]
if job == "translation":
    most = max(map(len, right))
    streams = [[each[at] if at < len(each) else None for each in right] for at in range(most)]
    bleu = corpus_bleu(answers, streams, tokenize="char" if language == "Korean" else "13a", force=True).score
    chrf = sum(sentence_chrf(one, each).score for one, each in zip(answers, right, strict=True)) / len(
        answers
    )
    figures = {"BLEU": bleu, "chrF": chrf}
else:
    kinds = ["rouge1", "rouge2", "rougeL"]
    scorer = RougeScorer(kinds, tokenizer=Syllables() if language == "Korean" else None)
    scores = [scorer.score_multi(each, one) for one, each in zip(answers, right, strict=True)]
    figures = {kind: 100 * sum(one[kind].fmeasure for one in scores) / len(scores) for kind in kinds}
print(figures)
