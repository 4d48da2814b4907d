"""One row of one head, key by key: q·k, / √d_head, mask, softmax, and what it writes."""

from pathlib import Path

import torch
from transformers import AttentionInterface, AutoModel, logging
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
input_ids = [504, 3575, 282, 3996, 314]
# layers and heads are counted from 0 here, from 1 on the page
layer = 14
head = 3
query = 4
divisor = 8.0
is_causal = True
# names of parts inside the model
blocks = "layers"
attention_output = "self_attn.o_proj"

seen = []


def seeing(module, query, key, value, attention_mask, **options):  # noqa: ANN001, ANN003, ANN201
    """Attention as usual; notes queries and keys (after rotary embedding) and values of every layer."""
    usual = options["scaling"] * key.shape[-1] ** 0.5  # 1, but where the queries come divided already
    seen.append(((query[0] * usual).double(), key[0].double(), value[0].double()))  # [head, position, d_head]
    return sdpa_attention_forward(module, query, key, value, attention_mask, **options)


AttentionInterface.register("seeing", seeing)
AttentionMaskInterface.register("seeing", sdpa_mask)
logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(
    Path(folder).expanduser(), dtype=torch.float32, attn_implementation="seeing"
).eval()
with torch.no_grad():
    model(torch.tensor([input_ids]))

queries, keys, values = seen[layer]
shared = head // (len(queries) // len(keys))  # grouped heads share a key head
q, k, v = queries[head, query], keys[shared], values[shared]
d_head = len(q)

with torch.no_grad():
    projection = model.get_submodule(blocks)[layer].get_submodule(attention_output)
    output = (
        projection.weight.T if isinstance(projection, torch.nn.Linear) else projection.weight
    )  # [in, out]
    output = output[head * d_head : (head + 1) * d_head].double()

products = q * k  # [key, d_head]
scores = products.sum(-1)
mask = torch.zeros(len(k), dtype=torch.double)
if is_causal:
    mask[query + 1 :] = -torch.inf  # a decoder does not look ahead
weights = (scores / d_head**0.5 + mask).softmax(-1)
divided = (scores / divisor + mask).softmax(-1)
written = (weights[:, None] * v) @ output  # [key, d_model]

for i in range(len(k)):
    print(f"{i:3}  q·k {scores[i]:8.3f}  / √d {scores[i] / d_head**0.5:7.3f}  mask {mask[i]:4.0f}", end="  ")
    print(f"weight {weights[i]:.4f}  writes {written[i].norm():.4f}  with / {divisor:.3g}: {divided[i]:.4f}")
print(f"together they write {written.sum(0).norm():.4f}")
