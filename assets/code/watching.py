# Signs in an exported log: personal data, loops, texts that were cut, thumbs down, and waiting times.
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np

path = "~/Downloads/prompt-log.jsonl"

lines = Path(path).expanduser().read_text("utf-8").split("\n")
rows = [json.loads(line) for line in lines if line]
personal = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"
    r"|(?<!\d)(?:\+\d{1,3}[ -])?\(?0?\d{2,4}\)?[ -]\d{3,4}[ -]\d{4}(?!\d)|(?<!\d)\d{6}-[1-4]\d{6}(?!\d)"
)


def repeated(text: str) -> float:
    """Share of the runs of four words that stood in the text before."""
    words = text.split()
    if len(words) < 12:
        return 0.0
    runs = Counter(zip(*(words[at:] for at in range(4)), strict=False))
    return 1 - len(runs) / runs.total()


signs = {
    "asked": [row["number"] for row in rows if personal.search(row["prompt"])],
    "told": [row["number"] for row in rows if personal.search(row["output"])],
    "loop": [row["number"] for row in rows if repeated(row["output"]) >= 0.5],
    "cut": [row["number"] for row in rows if row["finish"] == "length"],
    "down": [row["number"] for row in rows if row["thumb"] == "down"],
}
for sign, numbers in signs.items():
    print(sign, len(numbers), "of", len(rows), numbers)
middle, late = np.percentile([row["first_s"] for row in rows], (50, 95))
print(f"first token after {middle:.2f} s, 95 % within {late:.2f} s")
