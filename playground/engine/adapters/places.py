"""The places of a model at which a run trains numbers, and the shapes of these.

    method        path                      A                        B
    lora          of a linear layer         [r, d_in]                [d_out, r]
    last_block    of a linear layer         -                        [d_out, d_in]
    bottleneck    of an output projection   [width, d_model]         [d_model, width]
    prefix        of an attention           keys [P, kv * d_head]    values [P, kv * d_head]
    prompt        ""                        -                        [P, d_model]

A bottleneck stands behind the output projections of attention and MLP; P virtual positions have a key and a
value in each kv head.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from playground.engine.adapters.layers import linears, targets
from playground.engine.adapters.virtual import PROMPT, attentions
from playground.engine.contract.adapters import VIRTUAL, Linear
from playground.engine.contract.training import FinetuneSettings
from playground.engine.models.families.table import FAMILIES
from playground.engine.models.loaded import LoadedModel
from playground.errors import Message, Unsupported

Key = tuple[str, str]  # path, "A" or "B"


def places(loaded: LoadedModel, settings: FinetuneSettings) -> dict[str, Linear]:
    """Path -> what a run trains there.

    Raises:
        BadValue: A module that the model has not.
        Unsupported: The model has no blocks with linear layers, or its attention takes no virtual positions.
    """
    info, template, method = loaded.info, loaded.template, settings.method
    if method in VIRTUAL and not FAMILIES[info.family].is_traced:
        raise Unsupported(model_id=info.model_id, capability=Message("virtual positions"))
    if method == "prompt":
        return {PROMPT: Linear(0, "prompt", info.d_model, info.d_model)}
    if method == "prefix":
        width = info.n_kv_head * info.d_head
        return {
            path: Linear(layer, "prefix", width, width)
            for layer, path in enumerate(attentions(template, info.family))
        }
    if method == "bottleneck":
        return output_projections(loaded)
    return targets(template, settings.lora.target_modules, method)


def output_projections(loaded: LoadedModel) -> dict[str, Linear]:
    """Path -> last projection of the attention and of the MLP of every layer, in order."""
    family, known = FAMILIES[loaded.info.family], linears(loaded.template)
    blocks = f"{loaded.template.base_model_prefix}.{family.blocks}"
    paths = [
        f"{blocks}.{layer}.{part}"
        for layer in range(loaded.info.n_layer)
        for part in (family.block.attention_output, family.block.mlp_output)
    ]
    return {path: known[path] for path in paths}


def shapes(layers: Mapping[str, Linear], settings: FinetuneSettings) -> dict[Key, tuple[int, int]]:
    """Shape of every matrix that a run trains, for the places that `places` names."""
    found: dict[Key, tuple[int, int]] = {}
    r, width, n = settings.lora.r, settings.bottleneck, settings.num_virtual_tokens
    for path, one in layers.items():
        if settings.method == "lora":
            found[path, "A"], found[path, "B"] = (r, one.d_in), (one.d_out, r)
        elif settings.method == "last_block":
            found[path, "B"] = (one.d_out, one.d_in)
        elif settings.method == "bottleneck":
            found[path, "A"], found[path, "B"] = (width, one.d_out), (one.d_out, width)
        elif settings.method == "prefix":
            found[path, "A"] = found[path, "B"] = (n, one.d_in)
        else:
            found[path, "B"] = (n, one.d_in)
    return found


def n_parameters(layers: Mapping[str, Linear], settings: FinetuneSettings) -> int:
    """Numbers that a run trains."""
    return sum(math.prod(shape) for shape in shapes(layers, settings).values())
