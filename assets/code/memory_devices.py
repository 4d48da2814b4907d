"""Bytes on each of many devices in mixed precision with Adam, and bytes that each sends in a step."""

n_parameters = 7_500_000_000
n_layer = 36
d_model = 4096
n_tokens = 2048
n_devices = 64

n, ring = n_devices, (n_devices - 1) / n_devices
held = {  # weights, gradients, optimizer states: 2 + 2 + 12 bytes a parameter
    "data": (2, 2, 12),
    "zero1": (2, 2, 12 / n),
    "zero2": (2, 2 / n, 12 / n),
    "zero3": (2 / n, 2 / n, 12 / n),
    "tensor": (2 / n, 2 / n, 12 / n),
    "pipeline": tuple(size / min(n, n_layer) for size in (2, 2, 12)),  # no less than a layer on each
}
totals = {scheme: sum(each) * n_parameters for scheme, each in held.items()}
states = 2 * n_tokens * d_model  # hidden states of all tokens, 2 bytes a number
sent = {
    "data": 2 * ring * 2 * n_parameters,  # an all-reduce of the gradients: scatter, then gather
    "zero1": 2 * ring * 2 * n_parameters,
    "zero2": 2 * ring * 2 * n_parameters,
    "zero3": 3 * ring * 2 * n_parameters,  # the weights are gathered twice, the gradients scattered
    "tensor": 4 * n_layer * 2 * ring * states,  # four all-reduces a layer
    "pipeline": (0 if n == 1 else 1 if n == 2 else 2) * states,  # one border there, one back
}
for scheme in held:
    print(f"{scheme:9} {totals[scheme] / 1e9:8.2f} GB on each, {sent[scheme] / 1e9:8.2f} GB sent")
