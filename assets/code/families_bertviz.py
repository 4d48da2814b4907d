"""BertViz's own page of an encoder-decoder: encoder, decoder and cross-attention."""

from pathlib import Path

import torch
from bertviz import head_view
from transformers import AutoModel

folder = "~/.cache/llm-playground/models/google-t5--t5-small"
input_ids = [37, 1784, 13, 2789, 19, 1]
decoder_ids = [37, 1784]  # after the start token
layer = 0  # counted from 0 here, from 1 on the page
source = ["The", "capital", "of", "England", "is", "</s>"]
target = ["▷", "The", "capital"]

model = AutoModel.from_pretrained(
    Path(folder).expanduser(), dtype=torch.float32, attn_implementation="eager"
).eval()
start = model.config.decoder_start_token_id
with torch.no_grad():
    out = model(
        torch.tensor([input_ids]),
        decoder_input_ids=torch.tensor([[start, *decoder_ids]]),
        output_attentions=True,
    )
shown = {
    name: [weights.double().round(decimals=4) for weights in out[name]]
    for name in ("encoder_attentions", "decoder_attentions", "cross_attentions")
}
for name, weights in shown.items():
    print(f"{name}, layer {layer + 1}, head 1:")
    print(weights[layer][0, 0])

# BertViz writes tokens into a script as they are: "</script>" in a text would end it.
left, right = ([token.replace("<", "‹") for token in row] for row in (target, source))
page = head_view(
    encoder_attention=shown["encoder_attentions"],
    decoder_attention=shown["decoder_attentions"],
    cross_attention=shown["cross_attentions"],
    encoder_tokens=right,
    decoder_tokens=left,
    include_layers=[layer],
    prettify_tokens=False,
    html_action="return",
)
Path("bertviz.html").write_text(page.data, "utf-8")  # it loads its libraries from the internet
