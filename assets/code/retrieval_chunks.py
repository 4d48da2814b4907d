# A document in chunks: as much as fits, the next one begins within the overlap.
import re
from bisect import bisect_right

document = "handbook"
text = "The ferry sails at 7:40. Dogs are not allowed. A ticket costs 18 crowns."
measure = "characters"  # or "tokens", "sentences"
size = 40
overlap = 10
ends = "sentences"  # or "words"
token_ends = []  # end of each token, in characters


def ends_of(pattern: str) -> list[int]:
    """Where something ends, the space behind it included; the text's own end comes last."""
    found = [match.end() for match in re.finditer(pattern, text)]
    return found if found[-1:] == [len(text)] or not text else [*found, len(text)]


words = ends_of(r"\s+")
sentences = ends_of(r"""[.!?…。！？]+["'”’»)\]]*\s+|\n\s*""")


def weight(place: int) -> int:
    """Units before a place."""
    if measure == "characters":
        return place
    return bisect_right(token_ends if measure == "tokens" else sentences, place)


def fits(start: int, end: int) -> bool:
    """True if a chunk may reach from one place to another."""
    return weight(end) - weight(start) <= size


places = [0]  # where a chunk may begin or end
for end in sentences if "sentences" in (measure, ends) else words:
    if measure == "sentences" or fits(places[-1], end):
        places.append(end)
        continue
    for word in [word for word in words if places[-1] < word <= end]:  # a sentence longer than a chunk
        if not fits(places[-1], word):  # a word longer than a chunk
            inside = token_ends if measure == "tokens" else range(places[-1] + 1, word)
            places += sorted({place for place in inside if places[-1] < place < word})
        places.append(word)

chunks, first, last = [], 0, len(places) - 1
while first < last:
    after = first + 1
    while after < last and fits(places[first], places[after + 1]):
        after += 1
    chunks.append(text[places[first] : places[after]])
    if after == last:
        break
    first += 1
    while first < after and (
        weight(places[after]) - weight(places[first]) > overlap or not fits(places[first], places[after + 1])
    ):
        first += 1
for number, chunk in enumerate(chunks, 1):
    print(f"{document}, chunk {number}: {chunk!r}")
