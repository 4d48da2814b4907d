"""Words of the text among those that a model wrote at each milestone."""

import re
from pathlib import Path

# three ASCII characters at least, or two others: noise hits shorter ones by chance
WORD = re.compile(r"\w{3,}|(?=.*[^\x00-\x7f])\w{2,}")

file = "assets/trained/pretraining/text-en.txt"
text = ""  # a text of your own, in place of the file
samples = [(0, "The light ", "xq7\x00 th the"), (300, "The light ", "of the bay was dark and")]


data = (text or Path(file).expanduser().read_text("utf-8")).encode()
cut = len(data) - len(data) // 10  # the last tenth is held out
known = set(filter(WORD.fullmatch, re.findall(r"\w+", data[:cut].decode("utf-8", "ignore").lower())))
counts = {}
for step, prompt, written in samples:
    words = [
        found.group()
        for found in re.finditer(r"\w+", written.lower())
        if WORD.fullmatch(found.group())
        and found.end() < len(written)  # the last one may have been cut
        and not (re.search(r"\w$", prompt) and found.start() == 0)  # the rest of the prompt's last word
    ]
    real, every = counts.get(step, (0, 0))
    counts[step] = real + sum(word in known for word in words), every + len(words)
for step, (real, every) in counts.items():
    print(f"step {step}: {real} of {every} words are words of the text")
