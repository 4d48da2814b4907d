# One budget of operations, C = 6 N D: the split with the least predicted loss, found by trying sizes.
import numpy as np

law = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
budget = 5.76e23
sizes = (1e9, 1e12)  # the smallest and the largest model to try

n = np.geomspace(*sizes, 200_001)
d = budget / (6 * n)
loss = law["E"] + law["A"] / n ** law["alpha"] + law["B"] / d ** law["beta"]
best = int(loss.argmin())
best_n, best_d, best_loss = float(n[best]), float(d[best]), float(loss[best])
print(f"{best_n:.3e} parameters, {best_d:.3e} tokens, {best_d / best_n:.1f} tokens per parameter")
print(f"predicted loss {best_loss:.3f}")
