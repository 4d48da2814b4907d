# Two texts word by word: what both say in the same order, and what one of them alone says.
import re
from difflib import SequenceMatcher

first = "a red cat sat"
second = "a blue cat sat"

own, other = (re.findall(r"\S+", text) for text in (first, second))
n_both = 0
for tag, a, b, c, d in SequenceMatcher(None, own, other, autojunk=False).get_opcodes():
    if tag == "equal":
        n_both += b - a
        print("  both:  ", " ".join(own[a:b]))
        continue
    print("- first: ", " ".join(own[a:b]))
    print("+ second:", " ".join(other[c:d]))
print(n_both, "words in the same order")
