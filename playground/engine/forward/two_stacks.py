"""The forward of an encoder-decoder, stack by stack: a source is read once, its target piece by piece.

Sources and targets are padded on the right. Nobody looks at the padding of a source, and no token of a target
at what stands behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from playground.engine.forward.head import logits_of
from playground.engine.models.families.table import FAMILIES
from playground.engine.models.loaded import LoadedModel


@dataclass(frozen=True, slots=True)
class Source:
    """Source texts that the encoder has read.

    Attributes:
        states: The encoder's output. Shape [row, longest, d_model].
        mask: 1 at tokens, 0 at padding; None where nothing is padded. Shape [row, longest].
        output: All that the library gave, with what was asked for besides.
    """

    states: torch.Tensor
    mask: torch.Tensor | None
    output: Any

    def repeated(self, rows: Sequence[int]) -> Source:
        """The source of these rows, each as often as it is named; without what was asked for besides."""
        chosen = torch.tensor(rows, device=self.states.device)
        return Source(self.states[chosen], None if self.mask is None else self.mask[chosen], None)


def target_blocks(loaded: LoadedModel) -> Any:  # noqa: ANN401  (of the library)
    """The layers of the decoder, in order."""
    return loaded.model.base_model.get_submodule(FAMILIES[loaded.info.family].target_blocks)


def read_source(
    loaded: LoadedModel,
    input_ids: torch.Tensor,
    mask: torch.Tensor | None,
    **wanted: bool,
) -> Source:
    """One forward of the encoder.

    Args:
        loaded: An encoder-decoder.
        input_ids: Token ids of the sources. Shape [row, longest].
        mask: As in `Source`.
        **wanted: `output_attentions`, `output_hidden_states`.
    """
    output = loaded.model.get_encoder()(input_ids=input_ids, attention_mask=mask, **wanted)
    return Source(output.last_hidden_state, mask, output)


def read_target(
    loaded: LoadedModel,
    input_ids: torch.Tensor,
    source: Source,
    places: torch.Tensor | None = None,
    **more: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """One forward of the decoder.

    Args:
        loaded: An encoder-decoder.
        input_ids: Token ids of the targets, from their start or after what a cache holds. Shape [row, new].
        source: The source of each row.
        places: Positions of these tokens in their targets, where they differ from row to row: the library
            knows one for all. Shape [row, new].
        **more: `past_key_values`, `use_cache`, `attention_mask` and what is wanted, as in the library.
    """
    with _placed(loaded, places):
        return loaded.model.get_decoder()(
            input_ids=input_ids,
            encoder_hidden_states=source.states,
            encoder_attention_mask=source.mask,
            **more,
        )


@contextmanager
def _placed(loaded: LoadedModel, places: torch.Tensor | None) -> Iterator[None]:
    """Give each row the positions of its own tokens, where the decoder has a table of them."""
    family = FAMILIES[loaded.info.family]
    if places is None or not family.target_positions:
        yield
        return
    rows = places + family.first_row(vars(loaded.model.config))

    def own(table: torch.nn.Embedding, _arguments: object, _common: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.embedding(rows, table.weight)

    hook = loaded.model.base_model.get_submodule(family.target_positions).register_forward_hook(own)
    try:
        yield
    finally:
        hook.remove()


def vocabulary_logits(loaded: LoadedModel, states: torch.Tensor) -> torch.Tensor:
    """Logits of states that leave the decoder, float32.

    Args:
        loaded: A model with such a head.
        states: At any positions. Shape [..., d_model].
    """
    scale = FAMILIES[loaded.info.family].output_scale(vars(loaded.model.config))
    return logits_of(loaded.model, states * scale if scale != 1 else states)
