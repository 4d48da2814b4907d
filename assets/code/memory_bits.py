"""One number in PyTorch's floating-point formats, bit by bit."""

import torch

number = "0.1"

formats = {
    "float32": (torch.float32, torch.int32, 32),
    "bfloat16": (torch.bfloat16, torch.int16, 16),
    "float16": (torch.float16, torch.int16, 16),
    "float8_e4m3": (torch.float8_e4m3fn, torch.uint8, 8),
    "float8_e5m2": (torch.float8_e5m2, torch.uint8, 8),
}
bits, values = {}, {}
for name, (dtype, integer, n_bits) in formats.items():
    kept = torch.tensor([float(number)], dtype=torch.float32).to(dtype)
    bits[name] = format(int(kept.view(integer)) & (2**n_bits - 1), f"0{n_bits}b")
    values[name] = kept.double().item()
    print(f"{name:12} {bits[name]:>32} {values[name]:.9g}")
