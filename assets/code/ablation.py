"""The next token with all heads, and without some of them."""

from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
input_ids = [504, 3575, 282, 3996, 314]
# layers and heads are counted from 0 here, from 1 on the page
off = [[13, 8]]
ablation = "zero"
layer = 13
head = 8
# names of parts inside the model
blocks = "layers"
attention_output = "self_attn.o_proj"

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
config = model.config
outputs = [block.get_submodule(attention_output) for block in model.base_model.get_submodule(blocks)]
d_head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


def silence(numbers: list[int]) -> Callable[..., tuple[torch.Tensor]]:
    """What replaces these heads before the projection that writes them into the residual stream."""

    def hook(_module: object, given: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        mixed = given[0].clone()  # [batch, position, head * d_head]
        for number in numbers:
            part = slice(number * d_head, (number + 1) * d_head)
            mixed[..., part] = 0 if ablation == "zero" else mixed[..., part].mean(1, keepdim=True)
        return (mixed,)

    return hook


ids = torch.tensor([input_ids])
with torch.no_grad():
    before = model(ids).logits[0, -1].double().log_softmax(-1)
    for number, output in enumerate(outputs):
        silenced = [h for off_layer, h in off if off_layer == number]
        if silenced:
            output.register_forward_pre_hook(silence(silenced))
    after = model(ids).logits[0, -1].double().log_softmax(-1)

bits = (before.exp() * (before - after)).sum() / torch.tensor(2.0).log()
print(f"changes by {bits:.4f} bits")
for token_id in before.topk(5).indices:
    word = repr(tokenizer.decode(token_id))
    print(f"{before[token_id].exp():.4f} -> {after[token_id].exp():.4f} {word}")
