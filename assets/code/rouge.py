# ROUGE-1, -2 and -L of one candidate by rouge-score, with a tokenizer that keeps every script.
from types import SimpleNamespace

import regex
from rouge_score.rouge_scorer import RougeScorer

candidate = "고양이는 매트 위에 앉았다"
references = ["고양이가 매트 위에 앉아 있다"]
tokenizer = "words"  # or "syllables", or "ascii": rouge-score's own

word = r"[\p{L}\p{M}\p{N}]"
syllable = r"[[\p{Hangul}\p{Han}\p{Hiragana}\p{Katakana}]&&\p{L}]"
patterns = {"words": rf"{word}+", "syllables": rf"{syllable}\p{{M}}*|[{word}--{syllable}]+"}


kept = SimpleNamespace(tokenize=lambda text: regex.findall(patterns[tokenizer], text.lower(), regex.VERSION1))
cut = None if tokenizer == "ascii" else kept
scores = RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=cut).score_multi(references, candidate)
for kind, score in scores.items():
    print(f"{kind}: recall {score.recall:.3f}, precision {score.precision:.3f}, F1 {score.fmeasure:.3f}")
