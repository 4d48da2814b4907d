"""The residual stream after every layer, read with the final norm and the vocabulary head, in chunks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from playground.core.residual import Lens
from playground.engine.finite import check_finite
from playground.engine.inside import LensRequest
from playground.engine.jobs import Job
from playground.engine.weights import final_norm

if TYPE_CHECKING:
    from playground.core.trace import Trace
    from playground.engine.loading import LoadedModel

CHUNK_ROWS = 64  # 64 states times 49,152 tokens: 0.1 s on two cores, so nobody waits longer


@dataclass(frozen=True)
class LensWork:
    """Payload of one chunk: states of any layers and positions. Its result is a `Lens` of one row."""

    loaded: LoadedModel
    states: NDArray[np.float32]
    is_final: NDArray[np.bool_]
    answers: NDArray[np.int64]
    n_top: int
    keep_logits: bool
    n_forwards: int = 0

    def run(self) -> Lens:
        """Norm, head, softmax; the state after the last layer is normed already."""
        loaded = self.loaded
        states = torch.from_numpy(self.states).to(loaded.device, loaded.dtype)
        final = torch.from_numpy(self.is_final).to(loaded.device)[:, None]
        states = torch.where(final, states, final_norm(loaded)(states))
        logits = loaded.model.get_output_embeddings()(states).float()
        check_finite(loaded, logits)
        logprobs = logits.log_softmax(-1)
        top = logprobs.topk(self.n_top)
        answers = torch.from_numpy(self.answers).to(loaded.device)[:, None]
        answer = logprobs.gather(1, answers)
        return Lens(
            positions=(0,),
            top_ids=top.indices.cpu().numpy()[:, None],
            top_probs=top.values.exp().cpu().numpy()[:, None],
            answer_probs=answer.exp().cpu().numpy(),
            answer_ranks=(logprobs > answer).sum(-1, keepdim=True).cpu().numpy(),
            logits=logits.cpu().numpy() if self.keep_logits else None,
        )


def read_lens(
    request: LensRequest,
    loaded: LoadedModel,
    trace: Trace,
    result: Callable[[Job], object],
) -> Lens:
    """Read all states of a trace, chunk by chunk; see `InsideEngine.lens`.

    Args:
        request: What is asked.
        loaded: A decoder.
        trace: With all hidden states and the logits of every position.
        result: Queues a job and waits for what it gives.
    """
    assert trace.hidden_states is not None
    assert trace.logits is not None
    n = len(trace.tokens)
    positions = tuple(range(n)) if request.position is None else (request.position,)
    states = trace.hidden_states[:, list(positions)]
    n_layer = len(states)
    flat = states.reshape(n_layer * len(positions), -1)
    final = np.repeat(np.arange(n_layer) == n_layer - 1, len(positions))
    answers = np.tile(trace.logits[list(positions)].argmax(-1), n_layer)
    made = []
    for start in range(0, len(flat), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        one = request.position is not None
        work = LensWork(loaded, flat[rows], final[rows], answers[rows], request.n_top, one)
        key = object()
        part = result(Job("trace", key, key, len(flat[rows]), work))
        assert isinstance(part, Lens)
        made.append(part)

    def table(name: str) -> NDArray[np.generic]:
        whole = np.concatenate([getattr(part, name) for part in made])
        return whole.reshape(n_layer, len(positions), *whole.shape[2:])

    return Lens(
        positions=positions,
        top_ids=table("top_ids"),  # type: ignore[arg-type]
        top_probs=table("top_probs"),  # type: ignore[arg-type]
        answer_probs=table("answer_probs"),  # type: ignore[arg-type]
        answer_ranks=table("answer_ranks"),  # type: ignore[arg-type]
        logits=None if request.position is None else np.concatenate([part.logits for part in made]),
    )
