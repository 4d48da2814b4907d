# rouge-score's own tokenizer drops all but a-z and 0-9; one of ours keeps words of every script.
from types import SimpleNamespace

import regex
from rouge_score.rouge_scorer import RougeScorer

candidate = "고양이는 매트 위에 앉았다"
references = ["고양이가 매트 위에 앉아 있다"]


kept = SimpleNamespace(tokenize=lambda text: regex.findall(r"[\p{L}\p{M}\p{N}]+", text.lower()))
own = RougeScorer(["rouge1"]).score_multi(references, candidate)["rouge1"].fmeasure
words = RougeScorer(["rouge1"], tokenizer=kept).score_multi(references, candidate)["rouge1"].fmeasure
print(f"rouge-score's own tokenizer: {own:.3f}, words of any script: {words:.3f}")
