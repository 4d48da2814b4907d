"""How many numbers LoRA trains beside the frozen weights of the same matrices."""

from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
r = 8
target_modules = ["q_proj", "v_proj"]

model = AutoModelForCausalLM.from_pretrained(Path(folder).expanduser(), dtype=torch.float32)
is_gpt2 = model.config.model_type == "gpt2"
model = get_peft_model(model, LoraConfig(r=r, target_modules=target_modules, fan_in_fan_out=is_gpt2))
trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
layers = [part for part in model.modules() if hasattr(part, "lora_A")]
frozen = sum(layer.get_base_layer().weight.numel() for layer in layers)
print(f"{len(layers)} matrices: {trained:,} of {frozen:,} = {trained / frozen:.4%}")
