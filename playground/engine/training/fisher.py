"""Fisher information of a base's weights, by old texts: the weights that EWC holds most.

EWC's theory is about the weights of the function, and LoRA changes those by ΔW = s·B·A. So the diagonal is
that of W and not of the factors: at the start B = 0, every gradient of A is 0, and a diagonal over A and B
would leave A free and hold B by where A happened to begin. The price is a number for each frozen weight
instead of one for each trained number, hence `MOST_NUMBERS`.

It is the empirical Fisher information: the gradient is that of the text's own tokens, not of tokens drawn
from the model (Kunstner et al. 2019, "Limitations of the empirical Fisher approximation", arXiv:1905.12558,
say what that costs).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch.nn.functional import cross_entropy

from playground.engine.adapters.layers import wrapped
from playground.engine.contract.training import TrainingText
from playground.engine.forward.head import logits_of
from playground.engine.models.loaded import LoadedModel
from playground.engine.training.learner import GiveWay
from playground.engine.training.yield_points import yield_between

Seen = dict[str, tuple[torch.Tensor, torch.Tensor]]  # path -> input, and what the output's gradient is of
MOST_NUMBERS = 32_000_000  # weights of the layers of a run: 128 MB


@dataclass(frozen=True, eq=False)
class Fisher:
    """Diagonal Fisher information of some layers.

    Attributes:
        of: Path -> information of each weight, nats² a weight². Shape [d_out, d_in].
    """

    of: Mapping[str, torch.Tensor]


class FisherTable:
    """Estimates that some learner uses: one for all runs with the same base, layers and old texts."""

    def __init__(self) -> None:
        self._known: weakref.WeakValueDictionary[Hashable, Fisher] = weakref.WeakValueDictionary()

    def known(self, key: Hashable) -> Fisher | None:
        """The estimate that somebody holds."""
        return self._known.get(key)

    def get(self, key: Hashable, make: Callable[[], Fisher]) -> Fisher:
        """The estimate that somebody holds, else a new one."""
        found = self._known.get(key)
        if found is None:
            found = make()
            self._known[key] = found
        return found


class _Probed(torch.nn.Module):
    """A frozen layer whose inputs are kept, and whose outputs have a gradient."""

    def __init__(self, base: torch.nn.Module, seen: Seen, path: str) -> None:
        super().__init__()
        self.base, self.seen, self.path = base, seen, path

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.base(x)
        probe = torch.zeros_like(y, requires_grad=True)
        self.seen[self.path] = (x.detach(), probe)
        return y + probe


def fisher_of(
    loaded: LoadedModel, paths: Sequence[str], texts: Sequence[TrainingText], give_way: GiveWay
) -> Fisher:
    """Mean square of each weight's gradient, over texts read one at a time.

    A weight's gradient by one text is the sum over its tokens of (gradient of the layer's output) x (its
    input), so nothing of the base needs a gradient of its own.

    Args:
        loaded: The base.
        paths: The layers.
        texts: Old texts, at least one; the loss of each is the mean of its trained tokens, nats.
        give_way: Called between two layers.

    Source:
        Kirkpatrick et al. 2017, arXiv:1612.00796, section 2.1.
    """
    seen: Seen = {}
    tree = wrapped(loaded.template, {path: _probe(seen, path) for path in paths})
    yield_between(replace(loaded, model=tree), give_way)
    squares: dict[str, torch.Tensor] = {}
    for text in texts:
        seen.clear()
        with torch.enable_grad():
            loss = _loss(loaded, tree, text)
            probes = [seen[path][1] for path in paths]
            gradients = torch.autograd.grad(loss, probes)
        for path, gradient in zip(paths, gradients, strict=True):
            x = seen[path][0]
            square = (gradient.flatten(0, -2).float().T @ x.flatten(0, -2).float()).square_()
            squares[path] = squares[path].add_(square) if path in squares else square
    seen.clear()
    return Fisher({path: one.div_(len(texts)) for path, one in squares.items()})


def _probe(seen: Seen, path: str) -> Callable[[torch.nn.Module], torch.nn.Module]:
    return lambda base: _Probed(base, seen, path)


def _loss(loaded: LoadedModel, tree: torch.nn.Module, text: TrainingText) -> torch.Tensor:
    """Mean surprisal of a text's trained tokens, nats."""
    ids = torch.tensor([text.input_ids], device=loaded.device)
    places = [at for at, is_trained in enumerate(text.is_trained) if is_trained and at]
    states = tree.base_model(input_ids=ids, use_cache=False).last_hidden_state[0]  # type: ignore[operator]
    logits = logits_of(tree, states[[at - 1 for at in places]])
    return cross_entropy(logits, ids[0, places])
