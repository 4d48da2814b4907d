"""The attention weights of one text, and BertViz's own page of them."""

from pathlib import Path

import torch
from bertviz import head_view, model_view
from transformers import AutoModel, logging

folder = "~/.cache/llm-playground/models/HuggingFaceTB--SmolLM2-135M-Instruct"
input_ids = [504, 3575, 282, 3996, 314]
decoder_ids = []
part = "self"
view = "head"
# layers and heads are counted from 0 here, from 1 on the page
layers = [0]
queries = ["The", "·capital", "·of", "·England", "·is"]
keys = ["The", "·capital", "·of", "·England", "·is"]

path = Path(folder).expanduser()
logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()
given = {"input_ids": torch.tensor([input_ids])}
if decoder_ids:
    given["decoder_input_ids"] = torch.tensor([decoder_ids])
with torch.no_grad():
    out = model(**given, output_attentions=True)

names = {"self": "attentions", "encoder": "encoder_attentions", "decoder": "decoder_attentions"}
found = out[names.get(part, "cross_attentions")]  # one [batch, head, query, key] for each layer
shown = [layer[:, :, : len(queries), : len(keys)].double().round(decimals=4) for layer in found]
for layer in layers:
    print(f"layer {layer + 1}, head 1:")
    print(shown[layer][0, 0])

# BertViz writes tokens into a script as they are: "</script>" in a text would end it.
left, right = ([token.replace("<", "‹") for token in row] for row in (queries, keys))
draw = head_view if view == "head" else model_view
if part == "cross":
    page = draw(cross_attention=shown, decoder_tokens=left, encoder_tokens=right, include_layers=layers,
                prettify_tokens=False, html_action="return")  # fmt: skip
else:
    page = draw(shown, left, include_layers=layers, prettify_tokens=False, html_action="return")
Path("bertviz.html").write_text(page.data, "utf-8")  # it loads its libraries from the internet
