# The exported log: every run with its figures, and the least and most surprising of them.
import json
from pathlib import Path

path = "~/Downloads/prompt-log.jsonl"

lines = Path(path).expanduser().read_text("utf-8").split("\n")
rows = [json.loads(line) for line in lines if line]
for row in rows:
    drawn = row["settings"]
    print(row["number"], row["page"], drawn["temperature"], drawn["seed"], row["thumb"], end=" ")
    print(f"{row['bits']:.2f} bits per token, {row['n_tokens']} tokens, {row['elapsed_s']:.2f} s")
least, most = (pick(rows, key=lambda row: row["bits"]) for pick in (min, max))
print("least surprising:", least["number"], " most:", most["number"])
