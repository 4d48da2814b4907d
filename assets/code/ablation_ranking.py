"""Every head switched off, one at a time: how much the next token changes."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
input_ids = [504, 3575, 282, 3996, 314]
ablation = "zero"
# layers and heads are counted from 0 here, from 1 on the page
layer = 13
head = 8
# names of parts inside the model
blocks = "layers"
attention_output = "self_attn.o_proj"

path = Path(folder).expanduser()
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
config = model.config
outputs = [block.get_submodule(attention_output) for block in model.base_model.get_submodule(blocks)]
n_head = config.num_attention_heads
d_head = getattr(config, "head_dim", None) or config.hidden_size // n_head


def silence(_module: object, given: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
    """Row h of the batch loses head h."""
    mixed = given[0].clone()  # [batch, position, head * d_head]
    for number in range(n_head):
        part = slice(number * d_head, (number + 1) * d_head)
        own = mixed[number, :, part]
        mixed[number, :, part] = 0 if ablation == "zero" else own.mean(0, keepdim=True)
    return (mixed,)


ids = torch.tensor([input_ids])
effects = {}
with torch.no_grad():
    before = model(ids).logits[0, -1].double().log_softmax(-1)
    for number, output in enumerate(outputs):
        hook = output.register_forward_pre_hook(silence)
        after = model(ids.expand(n_head, -1)).logits[:, -1].double().log_softmax(-1)
        hook.remove()
        bits = (before.exp() * (before - after)).sum(-1) / torch.tensor(2.0).log()
        effects |= {(number, h): bits[h].item() for h in range(n_head)}

for (number, h), bits in sorted(effects.items(), key=lambda item: -item[1])[:10]:
    print(f"{number + 1}.{h + 1} {bits:.4f} bits")
