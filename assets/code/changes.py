"""What a LoRA adapter changes: the size of each layer's change beside its weight, and its singular values."""

from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
adapter = "~/Downloads/adapter"  # the downloaded file, unpacked
# layers are counted from 0 here, from 1 on the page
layer = 0
module = "q_proj"

base = AutoModelForCausalLM.from_pretrained(Path(folder).expanduser(), dtype=torch.float32)
model = PeftModel.from_pretrained(base, Path(adapter).expanduser())
relative_norms, singular_values = {}, []
for name, part in model.named_modules():
    if not hasattr(part, "lora_A"):
        continue
    number = next(int(word) for word in name.split(".") if word.isdigit())
    delta = part.get_delta_weight("default").double()  # lora_alpha / r * B A
    weight = part.get_base_layer().weight.double()
    inner = name.split(f".{number}.")[-1]
    relative_norms[number, inner] = float(delta.norm() / weight.norm())
    if number == layer and inner.endswith(module):
        r = part.lora_A["default"].weight.shape[0]
        singular_values = torch.linalg.svdvals(delta)[:r].tolist()
for (number, name), norm in relative_norms.items():
    print(f"layer {number + 1:2} {name:10} {norm:.4%}")
print(f"singular values of layer {layer + 1} {module}:", [round(value, 4) for value in singular_values])
