"""Masked-LM heads: the distribution over the vocabulary at places of texts. Torch ends here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from playground.engine.contract.filling import Filled
from playground.engine.forward.predictions import summarise
from playground.engine.forward.two_stacks import vocabulary_logits
from playground.engine.models.families.table import FAMILIES
from playground.engine.models.finite import check_finite
from playground.engine.models.loaded import LoadedModel

Ids = tuple[int, ...]


def head_logits(loaded: LoadedModel, states: torch.Tensor) -> torch.Tensor:
    """The logits of last hidden states, by the masked-LM head or the vocabulary head of the model.

    Args:
        loaded: A model with "fill" or "logits".
        states: Shape [row, d_model].

    Returns:
        Shape [row, d_vocab], float32, nats.

    Raises:
        NotFinite: They are no numbers.
    """
    if "fill" in loaded.info.capabilities:
        for path in FAMILIES[loaded.info.family].masked_head:
            states = loaded.model.get_submodule(path)(states)
    else:
        states = vocabulary_logits(loaded, states)
    logits = states.float()
    check_finite(loaded, logits)
    return logits


@dataclass(frozen=True)
class FillWork:
    """Payload of a job that reads some rows of equal length, each a text with masks.

    Attributes:
        loaded: A model with "fill".
        text: Token ids of the text, as the result tells them.
        rows: Token ids that are read: the text, perhaps with other tokens masked.
        places: (row, position) whose distributions are wanted.
        token_ids: Tokens that are asked about, equally many at each place.
        n_top: Number of the most probable tokens of each place.
        n_places: Number of places of the whole request.
    """

    loaded: LoadedModel
    text: Ids
    rows: tuple[Ids, ...]
    places: tuple[tuple[int, int], ...]
    token_ids: tuple[Ids, ...]
    n_top: int
    n_places: int
    n_forwards: int = 1

    def run(self) -> Filled:
        """One forward of all rows."""
        device = self.loaded.device
        output = self.loaded.model.base_model(input_ids=torch.tensor(self.rows, device=device))
        rows, positions = zip(*self.places, strict=True)
        logits = head_logits(self.loaded, output.last_hidden_state[list(rows), list(positions)])
        summary = summarise(logits, self.n_top)
        asked = torch.tensor(self.token_ids, dtype=torch.long, device=device)
        own = logits.gather(1, asked)
        ranks = torch.stack([(logits > one[:, None]).sum(-1) for one in own.T]).T if asked.numel() else asked
        total = summary.log_sum_exp[:, None]
        return Filled(
            input_ids=np.array(self.text, dtype=np.int64),
            positions=np.array(positions, dtype=np.int64),
            top_ids=summary.top_ids,
            top_logprobs=summary.top_logits - total,
            entropy_bits=summary.entropy_bits,
            token_ids=asked.cpu().numpy(),
            token_logprobs=own.cpu().numpy() - total,
            token_ranks=ranks.cpu().numpy(),
            n_places=self.n_places,
        )


def each_masked(
    loaded: LoadedModel, text: Ids, positions: Sequence[int], mask_id: int, asked: Ids, n_top: int, chunk: int
) -> Iterator[FillWork]:
    """Work that masks one token after another, some rows at a time.

    Args:
        loaded: A model with "fill".
        text: Token ids of the text.
        positions: Those to mask, each in a row of its own.
        mask_id: The token that is put there.
        asked: Tokens asked about at each, after the one that was masked.
        n_top: Number of the most probable tokens of each place.
        chunk: Tokens of all rows of one piece of work; a longer row goes alone.
    """
    n_rows = max(1, chunk // len(text))
    for start in range(0, len(positions), n_rows):
        some = positions[start : start + n_rows]
        rows = tuple((*text[:place], mask_id, *text[place + 1 :]) for place in some)
        places = tuple(enumerate(some))
        tokens = tuple((text[place], *asked) for place in some)
        yield FillWork(loaded, text, rows, places, tokens, n_top, len(positions))
