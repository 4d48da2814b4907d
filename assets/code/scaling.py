# The power law through measured points, with the 95 % interval of its exponent.
import numpy as np
from scipy import optimize, stats

x = [1e4, 3e4, 1e5, 3e5, 1e6]  # parameters, bytes of text, or operations
loss = [3.1, 2.8, 2.5, 2.3, 2.1]  # held-out, bits per byte
form = "line"  # or "floor": L = a x^-b + c

x, loss = np.array(x), np.array(loss)
if form == "line":
    line = stats.linregress(np.log(x), np.log(loss))  # log L = log a - b log x
    a, b, c = np.exp(line.intercept), -line.slope, 0.0
    half = stats.t.ppf(0.975, len(x) - 2) * line.stderr
    interval = (b - half, b + half)
else:
    middle = np.exp(np.log(x).mean())

    def law(at: np.ndarray, a: float, b: float, c: float) -> np.ndarray:
        """Loss at each amount."""
        return a * (at / middle) ** -b + c

    def fitted(losses: np.ndarray, starts: list) -> np.ndarray:
        """The least relative squares from some starts: the one that fits best."""
        found = [
            optimize.least_squares(
                lambda p: (law(x, *p) - losses) / loss, start, bounds=([0, 0.005, 0], [np.inf, 4, np.inf])
            )
            for start in starts
        ]
        return min(found, key=lambda one: one.cost).x

    a, b, c = best = fitted(loss, [(loss.mean() / 2, power, loss.min() / 2) for power in (0.1, 0.5, 1.5)])
    said = law(x, a, b, c)
    errors = (loss - said) / loss
    stretched = (errors - errors.mean()) * np.sqrt(len(x) / (len(x) - 3))
    drawn = np.random.default_rng(0).integers(0, len(x), (400, len(x)))
    interval = tuple(
        np.percentile([fitted(said + loss * stretched[row], [best])[1] for row in drawn], [2.5, 97.5])
    )
    a *= middle**b

print(f"L = {a:.4g} x^-{b:.3f} + {c:.3f}")
print(f"exponent {b:.3f}, 95 % interval {interval[0]:.3f} to {interval[1]:.3f}")
print(f"ten times as much: from L - c to {10**-b:.3f} times that")
