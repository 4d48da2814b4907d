"""What a model writes before and after fine-tuning, greedily."""

from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
adapter = "~/Downloads/adapter"  # the downloaded file, unpacked
strength = 1.0
input_ids = [1, 9690, 198]
max_new_tokens = 40

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)


def write(model: torch.nn.Module) -> str:
    """The most probable token, again and again."""
    ids = list(input_ids)
    with torch.no_grad():
        while len(ids) < len(input_ids) + max_new_tokens:
            token = int(model(torch.tensor([ids])).logits[0, -1].argmax())
            if token == tokenizer.eos_token_id:
                break
            ids.append(token)
    return tokenizer.decode(ids[len(input_ids) :])


before = write(model)
model = PeftModel.from_pretrained(model, Path(adapter).expanduser()).eval()
for layer in model.modules():
    if hasattr(layer, "lora_A"):
        layer.scaling["default"] *= strength
after = write(model)
print("before:", before)
print("after: ", after)
