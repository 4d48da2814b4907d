# The least that reaches a goal: Wilson's interval of each measured share, from the cheapest branch on.
from math import sqrt

measured = {"prompt": (0.5, 40, True), "adapter": (0.9, 40, False)}  # branch: (share, items, of this session)
goal = 0.8

verdicts = {}
for branch in ("prompt", "retrieval", "adapter", "alignment"):
    if branch not in measured or not measured[branch][2]:
        verdicts[branch] = "open"
        continue
    share, n, _own = measured[branch]
    z = 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = middle - half, middle + half
    verdicts[branch] = "enough" if low >= goal else "short" if high < goal else "unclear"
    print(f"{branch}: {share:.0%} of {n}, 95 % interval {low:.0%} to {high:.0%}: {verdicts[branch]}")
first = next((branch for branch, verdict in verdicts.items() if verdict != "short"), None)
print("The tree ends at:", first, verdicts.get(first))
