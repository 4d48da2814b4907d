"""How many items tell two shares of right answers apart?"""

from math import ceil, sqrt

worse = 0.70
better = 0.75
n = 40  # items of a small set

z95, z80 = 1.959964, 0.841621  # 97.5 % and 80 % of the normal distribution lie below
mean = (worse + better) / 2
spread = z95 * sqrt(2 * mean * (1 - mean)) + z80 * sqrt(worse * (1 - worse) + better * (1 - better))
needed = ceil((spread / (better - worse)) ** 2)

middle = (worse + 1.96**2 / (2 * n)) / (1 + 1.96**2 / n)
half = 1.96 / (1 + 1.96**2 / n) * sqrt(worse * (1 - worse) / n + 1.96**2 / (4 * n * n))
low, high = middle - half, middle + half
print(f"{needed} items each tell {worse:.0%} from {better:.0%}")
print(f"with {n} items {worse:.0%} is {low:.1%} to {high:.1%}")
