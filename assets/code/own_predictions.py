# Own predictions: BLEU of the corpus, ROUGE and chrF of each row, by sacrebleu and rouge-score.
from itertools import zip_longest
from types import SimpleNamespace

import regex
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF

references = [["The cat sat on the mat."], ["It rains."]]
candidates = ["The cat is on the mat.", "It is raining."]
bleu_tokenizer = "13a"
rouge_tokenizer = "words"

word = r"[\p{L}\p{M}\p{N}]"
syllable = r"[[\p{Hangul}\p{Han}\p{Hiragana}\p{Katakana}]&&\p{L}]"
patterns = {"words": rf"{word}+", "syllables": rf"{syllable}\p{{M}}*|[{word}--{syllable}]+"}


pattern = patterns.get(rouge_tokenizer)
kept = SimpleNamespace(tokenize=lambda text: regex.findall(pattern, text.lower(), regex.VERSION1))
cut = None if rouge_tokenizer == "ascii" else kept
scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=cut)
sentence = BLEU(tokenize=bleu_tokenizer, effective_order=True)
for candidate, right in zip(candidates, references, strict=True):
    rouge = scorer.score_multi(right, candidate)
    scores = [sentence.sentence_score(candidate, right).score, CHRF().sentence_score(candidate, right).score]
    scores += [score.fmeasure for score in rouge.values()]
    print(" ".join(f"{score:7.3f}" for score in scores), candidate)
corpus = BLEU(tokenize=bleu_tokenizer)
print(corpus.corpus_score(candidates, [list(each) for each in zip_longest(*references)]))
print(corpus.get_signature())
