"""One text in letters, characters, subwords and words: vocabulary, length, unknown units, loss by a typo."""

import unicodedata
from collections import Counter
from pathlib import Path

import regex
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

text = "나는 최근 파리 여행을 다녀왔다"
with_typo = "나는 최근 파리 여행을 다녀왔다"
reference_file = "assets/samples/corpus_ko.txt"

reference = Path(reference_file).read_text("utf-8")
subwords = Tokenizer(models.BPE())
subwords.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
alphabet = pre_tokenizers.ByteLevel.alphabet()
trainer = trainers.BpeTrainer(vocab_size=256 + 1000, initial_alphabet=alphabet, show_progress=False)
subwords.train_from_iterator([reference], trainer)


cuts = {
    "jamo": lambda text: "".join(unicodedata.normalize("NFD", text).split()),
    "syllable": lambda text: [char for char in regex.findall(r"\X", text) if not char.isspace()],
    "subword": lambda text: subwords.encode(text).tokens,
    "word": str.split,
}
table = []
for name, cut in cuts.items():
    vocabulary = set(subwords.get_vocab()) if name == "subword" else set(cut(reference))
    units, after = cut(text), cut(with_typo)
    unknown = sum(unit not in vocabulary for unit in units)
    lost = (Counter(unit for unit in units if unit in vocabulary) - Counter(after)).total()
    table.append((name, len(vocabulary), len(units), unknown / len(units), lost / len(units)))
    print(f"{name:9} vocabulary {len(vocabulary):5}  length {len(units):4}", end="  ")
    print(f"unknown {unknown / len(units):.3f}  lost {lost / len(units):.3f}")
