"""One real step of a model, with its memory: on a copy where weights move, and nothing of it stays."""

from __future__ import annotations

import copy
import gc
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch.nn.functional import cross_entropy, linear

from playground.core.memory import N_LABELS
from playground.engine.adapters.layers import linears, wrapped
from playground.engine.contract.adapters import Linear
from playground.engine.contract.memory import MeasuredStep, StepRequest
from playground.engine.forward.filling import head_logits
from playground.engine.forward.head import logits_of
from playground.engine.models.loaded import LoadedModel
from playground.engine.training.allocations import Allocations
from playground.errors import Message, Unsupported

RATE = 1e-4


class _LowRank(torch.nn.Module):
    """A frozen linear layer beside two small trained ones.

    Source:
        Hu et al. 2021, "LoRA", arXiv:2106.09685, section 4.1.
    """

    def __init__(self, base: torch.nn.Module, layer: Linear, rank: int) -> None:
        super().__init__()
        weight: Any = base.weight
        self.base = base
        self.A = torch.nn.Parameter(torch.empty(rank, layer.d_in, dtype=weight.dtype, device=weight.device))
        self.B = torch.nn.Parameter(torch.zeros(layer.d_out, rank, dtype=weight.dtype, device=weight.device))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shape [..., d_in] -> [..., d_out]."""
        out: torch.Tensor = self.base(x) + linear(linear(x, self.A), self.B)
        return out

    @property
    def weight(self) -> torch.Tensor:
        """The frozen weight, for code that asks a layer for its number format. Shape [d_out, d_in]."""
        found: torch.Tensor = self.base.weight  # type: ignore[assignment]
        return found


@dataclass
class StepWork:
    """Payload of a job that measures a step.

    Attributes:
        loaded: The model.
        request: The step.
    """

    loaded: LoadedModel
    request: StepRequest
    n_forwards: int = 1

    def run(self) -> MeasuredStep:
        """The step, from a tree of its own to its numbers; all of it is let go at the end."""
        if self.loaded.device.type not in ("cpu", "cuda"):
            raise Unsupported(
                model_id=self.loaded.info.model_id,
                capability=Message("memory that can be counted on {device}", (("device", "mps"),)),
            )
        step = _Step(self.loaded, self.request)
        try:
            return step.measured()
        finally:
            step.let_go()
            gc.collect(0)


class _Step:
    """A model prepared for one step, and what it moves."""

    def __init__(self, loaded: LoadedModel, request: StepRequest) -> None:
        self.request, self.loaded = request, loaded
        self.moved: list[torch.nn.Parameter] = []
        self.head: torch.nn.Linear | None = None
        self.random = torch.Generator().manual_seed(0)
        self.tree = self._tree()
        size = (request.batch, request.length)
        ids = torch.randint(0, loaded.info.d_vocab, size, generator=self.random)
        self.ids = ids.to(loaded.device)
        self.reads = replace(loaded, model=self.tree)
        self.has_logits = bool({"logits", "fill"} & loaded.info.capabilities)
        if request.method == "head" or not (self.has_logits or request.method == "inference"):
            self.head = torch.nn.utils.skip_init(  # type: ignore[no-untyped-call]
                torch.nn.Linear, loaded.info.d_model, N_LABELS
            )
            self.head.to(loaded.device, loaded.dtype)
            for one in self.head.parameters():
                torch.nn.init.zeros_(one)
            self.moved.extend(self.head.parameters())
        self.optimizer = self._optimizer()

    def _tree(self) -> Any:  # noqa: ANN401  (transformers is untyped)
        """The model with what moves: a copy, or the same tensors with something beside them."""
        template = self.loaded.template
        if self.request.method == "full":
            shared: dict[int, Any] = {id(buffer): buffer for buffer in template.buffers()}
            tree = copy.deepcopy(template, shared)
            for name, parameter in tree.named_parameters():
                if "pooler." not in name:
                    parameter.requires_grad_(True)
                    self.moved.append(parameter)
            return tree
        if self.request.method != "lora":
            return template
        made = linears(template)
        ways = {path: partial(self._beside, layer=layer) for path, layer in made.items()}
        return wrapped(template, ways)

    def _beside(self, base: torch.nn.Module, layer: Linear) -> torch.nn.Module:
        added = _LowRank(base, layer, self.request.rank)
        self.moved.extend((added.A, added.B))
        with torch.no_grad():
            added.A.copy_(torch.randn(added.A.shape, generator=self.random).mul_(0.02))
        return added

    def _optimizer(self) -> torch.optim.Optimizer | None:
        """Adam with its two moments in place, as after any step but the first."""
        if not self.moved:
            return None
        optimizer = torch.optim.AdamW(self.moved, lr=RATE, weight_decay=0.0, fused=True)
        for parameter in self.moved:
            parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return optimizer

    def measured(self) -> MeasuredStep:
        """Do the step and read its memory."""
        seen = Allocations(self.loaded.device)
        weights = held([*self.tree.parameters(), *(self.head.parameters() if self.head else ())])
        states = held(self._states())
        cache_bytes = 0
        with seen.counted():
            if self.optimizer is None:
                with seen.phase("forward"):
                    cache = self._read()
                    cache_bytes = held(tensors_of(cache))
            else:
                self._train(seen)
        gradients = held(one.grad for one in self.moved if one.grad is not None)
        request = self.request
        return MeasuredStep(
            request.method, request.batch, request.length, request.rank, str(self.loaded.device),
            str(self.loaded.dtype).removeprefix("torch."),
            n_trained=sum(one.numel() for one in self.moved),
            weight_bytes=weights, gradient_bytes=gradients, optimizer_bytes=states,
            kept_bytes=max(0, seen.levels["forward"] - cache_bytes), cache_bytes=cache_bytes,
            peak_bytes=weights + states + seen.peak_bytes,
            line=tuple((at, weights + states + above) for at, above in seen.line),
            phases=seen.phases,
        )  # fmt: skip

    def _train(self, seen: Allocations) -> None:
        assert self.optimizer is not None
        with torch.enable_grad():
            with seen.phase("forward"):
                loss = self._loss()
            with seen.phase("backward"):
                loss.backward()  # type: ignore[no-untyped-call]
        with seen.phase("update"):
            self.optimizer.step()

    def _loss(self) -> torch.Tensor:
        """The loss of the next token, of the tokens themselves (encoders), or of two labels. Shape []."""
        n_texts = self.request.batch
        if self.head is not None:
            with torch.set_grad_enabled(self.request.method != "head"):
                states = self._states_of()
            labels = torch.zeros(n_texts, dtype=torch.long, device=states.device)
            return cross_entropy(self.head(states.mean(1)).float(), labels)
        if self.loaded.info.kind == "decoder":
            states = self._states_of()
            logits = logits_of(self.tree, states[:, :-1].flatten(0, 1))
            return cross_entropy(logits, self.ids[:, 1:].flatten())
        states = self._states_of()
        return cross_entropy(head_logits(self.reads, states.flatten(0, 1)), self.ids.flatten())

    def _states_of(self) -> torch.Tensor:
        """Last states of all texts. Shape [text, position, d_model]."""
        more = {"use_cache": False} if self.loaded.info.kind == "decoder" else {}
        states: torch.Tensor = self.tree.base_model(input_ids=self.ids, **more).last_hidden_state
        return states

    @torch.no_grad()
    def _read(self) -> Any:  # noqa: ANN401  (transformers is untyped)
        """Read the texts as for a continuation; the cache that stays, None of an encoder."""
        if self.loaded.info.kind != "decoder":
            self.tree.base_model(input_ids=self.ids)
            return None
        found = self.tree.base_model(input_ids=self.ids, use_cache=True)
        logits_of(self.tree, found.last_hidden_state[:, -1])
        return found.past_key_values

    def _states(self) -> list[torch.Tensor]:
        """The moments of Adam, without its step counts."""
        if self.optimizer is None:
            return []
        states = self.optimizer.state.values()
        return [one for state in states for name, one in state.items() if name != "step"]

    def let_go(self) -> None:
        """Release all of it, also what an error that is on its way still holds."""
        if self.optimizer is not None:
            self.optimizer.state.clear()
            self.optimizer.param_groups.clear()
        for parameter in self.moved:
            parameter.grad = None
        self.moved.clear()
        self.tree = self.head = self.optimizer = None
        self.reads = self.loaded


def held(tensors: Iterable[torch.Tensor]) -> int:
    """Bytes of the memory behind tensors of any shape [...], each counted once."""
    storages = {one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in tensors}
    return sum(storages.values())


def tensors_of(cache: Any) -> list[torch.Tensor]:  # noqa: ANN401  (transformers is untyped)
    """Keys and values of every layer of a cache. Each [batch, kv_head, position, d_head]."""
    if cache is None:
        return []
    return [one for layer in cache.layers for one in (layer.keys, layer.values)]
