"""The next token with more and less of a LoRA adapter: its change is scaled, nothing is retrained."""

from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
adapter = "~/Downloads/adapter"  # the downloaded file, unpacked
input_ids = [1, 9690, 198]
strengths = [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5]

base = AutoModelForCausalLM.from_pretrained(Path(folder).expanduser(), dtype=torch.float32)
model = PeftModel.from_pretrained(base, Path(adapter).expanduser()).eval()
layers = [module for module in model.modules() if hasattr(module, "lora_A")]
trained = [layer.scaling["default"] for layer in layers]

probs = []
for strength in strengths:
    for layer, scaling in zip(layers, trained, strict=True):
        layer.scaling["default"] = strength * scaling  # W + strength * (lora_alpha / r) * B A
    with torch.no_grad():
        probs.append(model(torch.tensor([input_ids])).logits[0, -1].double().softmax(-1))
    top = probs[-1].topk(3)
    found = ", ".join(
        f"{token} {p:.4f}" for p, token in zip(top.values.tolist(), top.indices.tolist(), strict=True)
    )
    print(f"{strength:6.0%}  {found}")
