"""The sinusoidal positions of "Attention Is All You Need" (2017), section 3.5."""

import math

import torch

n_ctx = 64
d_model = 64
base = 10000
dimension = 8

position = torch.arange(n_ctx, dtype=torch.float64)[:, None]
radians = torch.exp(torch.arange(0, d_model, 2, dtype=torch.float64) * (-math.log(base) / d_model))
encoding = torch.zeros(n_ctx, d_model, dtype=torch.float64)
encoding[:, 0::2] = torch.sin(position * radians)
encoding[:, 1::2] = torch.cos(position * radians)

dot_products = encoding @ encoding.T
print(f"dimension {dimension} at the first positions:", encoding[:8, dimension])
print(f"it repeats every {2 * math.pi / radians[dimension // 2]:.2f} positions")
print("dot product of position 0 with positions 0, 1, 2, ...:", dot_products[0, :8])
