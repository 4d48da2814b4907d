# ROUGE-1, -2 and -L of one candidate by rouge-score, with a tokenizer that keeps every script.
import regex
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import DefaultTokenizer, Tokenizer

candidate = "고양이는 매트 위에 앉았다"
references = ["고양이가 매트 위에 앉아 있다"]
tokenizer = "words"  # or "syllables", or "ascii": rouge-score's own

word = r"[\p{L}\p{M}\p{N}]"
syllable = r"[[\p{Hangul}\p{Han}\p{Hiragana}\p{Katakana}]&&\p{L}]"
patterns = {"words": rf"{word}+", "syllables": rf"{syllable}\p{{M}}*|[{word}--{syllable}]+"}


class Kept(Tokenizer):
    def tokenize(self, text):
        return regex.findall(patterns[tokenizer], text.lower(), regex.VERSION1)


cut = DefaultTokenizer() if tokenizer == "ascii" else Kept()
scores = RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=cut).score_multi(references, candidate)
for kind, score in scores.items():
    print(f"{kind}: recall {score.recall:.3f}, precision {score.precision:.3f}, F1 {score.fmeasure:.3f}")
