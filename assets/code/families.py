"""Three families on the same sentence: the attention weights of each, and what each returns."""

from pathlib import Path

import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

# Of each family: its name, the model's folder, the tokens that it reads, how many of them are drawn; of an
# encoder-decoder also what it wrote, after its start token; the head, counted from 0, None for the mean.
runs = []
LOADERS = {"encoder": AutoModel, "decoder": AutoModelForCausalLM, "encoder-decoder": AutoModelForSeq2SeqLM}


def one_map(layers: tuple, head: list | None, n: int | None) -> torch.Tensor:
    """A head of [layer, head, query, key], or the mean of all."""
    weights = torch.cat(layers).double()
    chosen = weights.mean((0, 1)) if head is None else weights[min(head[0], len(weights) - 1), head[1]]
    return chosen[:n, :n]


maps = {}
for run in runs:
    family, head, n = run["family"], run["head"], run["n_drawn"]
    path = Path(run["folder"]).expanduser()
    loader = LOADERS[family]
    model = loader.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()
    given = {"input_ids": torch.tensor([run["input_ids"]])}
    if family == "encoder-decoder":
        given["decoder_input_ids"] = torch.tensor(
            [[model.config.decoder_start_token_id, *run["decoder_ids"]]]
        )
    with torch.no_grad():
        out = model(**given, output_attentions=True)
    tokenizer = AutoTokenizer.from_pretrained(path)
    print(family, tokenizer.convert_ids_to_tokens(run["input_ids"]))
    if family == "encoder-decoder":
        encoder = one_map(out.encoder_attentions, head, n)
        decoder = one_map(out.decoder_attentions, head, None)
        cross = one_map(out.cross_attentions, head, None)
        above = torch.zeros(len(encoder), len(decoder), dtype=torch.float64)
        maps[family] = torch.cat([torch.cat([encoder, above], 1), torch.cat([cross, decoder], 1)])
        print("it writes", tokenizer.decode(out.logits[0].argmax(-1), skip_special_tokens=True))
    else:
        maps[family] = one_map(out.attentions, head, n)
        later = maps[family].triu(1).sum() / len(maps[family])
        print(f"a token puts {later:.1%} of its weight on later tokens")
    if family == "encoder":
        print("it returns vectors:", tuple(out.last_hidden_state[0].shape))
    if family == "decoder":
        probs = out.logits[0, -1].double().softmax(-1)
        for token_id in probs.topk(3).indices:
            print(f"next token: {probs[token_id]:.4f}", tokenizer.convert_ids_to_tokens([token_id]))
    print(maps[family])
