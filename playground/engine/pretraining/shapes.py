"""The library's models behind the three objectives: configs, empty models, first values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from playground.engine.contract.pretraining import PretrainingSettings
from playground.engine.models import traced_attention as attention
from playground.engine.models.families.table import FAMILIES
from playground.engine.pretraining.bytes import MARKS, N_BYTES, N_SENTINELS

FAMILY_OF: Mapping[str, str] = {"next": "llama", "masked": "bert", "span": "t5"}
N_FRAME = 2  # marks around a text of a BERT
WIDTH = 4  # of the MLP, in states
SCALE = 0.7  # of first values of Llama and BERT, divided by the root of how many numbers are summed


def config_of(settings: PretrainingSettings) -> Any:  # noqa: ANN401  (transformers is untyped)
    """The library's config of a shape."""
    from transformers import BertConfig, LlamaConfig, T5Config

    d, n_heads, size = settings.d_model, settings.n_heads, settings.window
    d_vocab = N_BYTES + len(MARKS[settings.objective])
    if settings.objective == "next":
        return LlamaConfig(
            vocab_size=d_vocab, hidden_size=d, intermediate_size=WIDTH * d, num_attention_heads=n_heads,
            num_key_value_heads=n_heads, num_hidden_layers=settings.n_layers, head_dim=d // n_heads,
            max_position_embeddings=size, bos_token_id=N_BYTES, eos_token_id=N_BYTES, pad_token_id=None,
            tie_word_embeddings=False, use_cache=True,
        )  # fmt: skip
    if settings.objective == "masked":
        return BertConfig(
            vocab_size=d_vocab, hidden_size=d, intermediate_size=WIDTH * d, num_attention_heads=n_heads,
            num_hidden_layers=settings.n_layers, max_position_embeddings=size + N_FRAME, type_vocab_size=1,
            hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, pad_token_id=N_BYTES + 3,
        )  # fmt: skip
    return T5Config(
        vocab_size=d_vocab, d_model=d, d_kv=d // n_heads, d_ff=WIDTH * d, num_heads=n_heads,
        num_layers=settings.n_layers, n_positions=size + N_SENTINELS, dropout_rate=0.0,
        decoder_start_token_id=N_BYTES, pad_token_id=N_BYTES, eos_token_id=N_BYTES + 1,
    )  # fmt: skip


def empty_model(settings: PretrainingSettings, *, is_traced: bool) -> Any:  # noqa: ANN401
    """The library's model of a shape, with its vocabulary head; its values are to be replaced.

    Args:
        settings: The shape.
        is_traced: True gives it the attention that traces are read off, False the fastest.
    """
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM

    auto = {"next": AutoModelForCausalLM, "masked": AutoModelForMaskedLM, "span": AutoModelForSeq2SeqLM}
    can_trace = FAMILIES[FAMILY_OF[settings.objective]].is_traced
    fastest = "sdpa" if can_trace else "eager"
    model = auto[settings.objective].from_config(
        config_of(settings), attn_implementation=attention.NAME if is_traced and can_trace else fastest
    )
    return model.eval().float()


def parameters_of(model: Any) -> dict[str, Tensor]:  # noqa: ANN401
    """Every trained tensor once, by its first name, in the model's order. Shapes as the library has them."""
    return dict(model.named_parameters())


def first_values(model: Any, settings: PretrainingSettings) -> dict[str, Tensor]:  # noqa: ANN401
    """Random first values of a shape, drawn from the seed alone.

    Llama, BERT: normal, biases 0, norms 1. The library's standard deviation of 0.02 is meant for some
    thousand numbers a state; with 128 it costs a third of a bit after 120 steps, so it goes by the width.

    Source:
        Llama, BERT: Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural
        networks". T5: Mesh TensorFlow's, as in transformers' `T5PreTrainedModel._init_weights`.
    """
    random = torch.Generator().manual_seed(settings.seed)
    return {name: _first(name, value.shape, settings, random) for name, value in parameters_of(model).items()}


def _first(name: str, shape: torch.Size, settings: PretrainingSettings, random: torch.Generator) -> Tensor:
    if len(shape) == 1:
        return torch.zeros(shape) if name.endswith("bias") else torch.ones(shape)
    std = SCALE * shape[-1] ** -0.5
    if settings.objective == "span":
        d, d_head = settings.d_model, settings.d_model // settings.n_heads
        scales = {
            "shared": 1.0, "q": (d * d_head) ** -0.5, "k": d**-0.5, "v": d**-0.5, "o": d**-0.5,
            "wi": d**-0.5, "wo": (WIDTH * d) ** -0.5, "relative_attention_bias": d**-0.5,
        }  # fmt: skip
        std = scales[name.split(".")[-2]]
    return torch.empty(shape).normal_(0.0, std, generator=random)


def n_parameters(settings: PretrainingSettings) -> int:
    """Trained numbers of a shape, without making it.

    Example:
        >>> n_parameters(PretrainingSettings("", ""))
        590720
    """
    d, layers, d_vocab = settings.d_model, settings.n_layers, N_BYTES + len(MARKS[settings.objective])
    if settings.objective == "next":
        return layers * (4 * d * d + 3 * WIDTH * d * d + 2 * d) + d + 2 * d_vocab * d
    if settings.objective == "masked":
        layer = 4 * (d * d + d) + 2 * WIDTH * d * d + WIDTH * d + d + 4 * d
        embedded = (d_vocab + settings.window + N_FRAME + 1) * d + 2 * d
        return layers * layer + embedded + d * d + 3 * d + d_vocab
    encoder, decoder = 4 * d * d + 2 * WIDTH * d * d + 2 * d, 8 * d * d + 2 * WIDTH * d * d + 3 * d
    return layers * (encoder + decoder) + 2 * d + 2 * 32 * settings.n_heads + d_vocab * d
