"""Every head switched off alone: batched, and each batch begins at the first layer it changes.

Before the layer of its head a row is the unchanged model; so a batch of heads from layer a on starts with the
unchanged residual stream there and runs only the blocks from a. On average half of the work is never done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from playground.core.interventions import Ablation, Intervention
from playground.core.trace import Trace
from playground.engine.forward.blocks import blocks, intervened
from playground.engine.forward.head import logits_of
from playground.engine.models.families.table import FAMILIES
from playground.engine.models.finite import check_finite
from playground.engine.models.loaded import LoadedModel


@dataclass(frozen=True)
class AblationsWork:
    """Payload of one chunk; its result is the logits of the next token, [head, d_vocab]."""

    loaded: LoadedModel
    input_ids: tuple[int, ...]
    heads: tuple[tuple[int, int], ...]
    ablation: Ablation
    start: int
    state: NDArray[np.float32]
    n_forwards: int = 1

    def run(self) -> NDArray[np.float32]:
        """One forward of one row per head, from block `start` on. Shape [head, d_vocab]."""
        loaded, n = self.loaded, len(self.heads)
        interventions = [Intervention((head,), self.ablation) for head in self.heads]
        if self.start:
            state = torch.from_numpy(self.state).to(loaded.device, loaded.dtype)
            given = {"inputs_embeds": state.expand(n, -1, -1)}
        else:
            given = {"input_ids": torch.tensor([self.input_ids], device=loaded.device).expand(n, -1)}
        with _skipping(loaded, self.start), intervened(loaded, interventions, [len(self.input_ids)] * n):
            output = loaded.model.base_model(**given, use_cache=False)
        logits = logits_of(loaded.model, output.last_hidden_state[:, -1])
        check_finite(loaded, logits)
        found: NDArray[np.float32] = logits.float().cpu().numpy()
        return found


@contextmanager
def _skipping(loaded: LoadedModel, n: int) -> Iterator[None]:
    """Let the first n blocks pass their input on."""
    with ExitStack() as undo:
        for block in blocks(loaded)[:n]:
            block.whole.forward = lambda states, **_arguments: states
            undo.callback(delattr, block.whole, "forward")
        yield


def ablations(
    loaded: LoadedModel, trace: Trace, ablation: Ablation, chunk_tokens: int
) -> Iterator[AblationsWork]:
    """The work of switching off every head alone, first layer first, chunk by chunk.

    Args:
        loaded: A decoder.
        trace: Trace of the unchanged model, with all hidden states.
        ablation: Replacement of a head's output.
        chunk_tokens: Most tokens of one forward, all rows together.
    """
    assert trace.hidden_states is not None
    info, ids = loaded.info, tuple(trace.input_ids.tolist())
    every = [(layer, head) for layer in range(info.n_layer) for head in range(info.n_head)]
    # There nothing is added to given embeddings before the first block.
    is_rotary = FAMILIES[info.family].positions == "rotary"
    n_rows = max(1, chunk_tokens // len(ids))
    for first in range(0, len(every), n_rows):
        heads = tuple(every[first : first + n_rows])
        start = heads[0][0] if is_rotary else 0
        state = trace.hidden_states[start].copy()  # torch takes no read-only memory
        yield AblationsWork(loaded, ids, heads, ablation, start, state)
