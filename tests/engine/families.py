"""Every capability of a model measured against plain transformers: the largest error, or a refusal by name.

An error is a share of the largest number that plain transformers gives, where that is above 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from playground.core.attention import causal_mask
from playground.core.interventions import Intervention, patch
from playground.core.residual import attribution as shares
from playground.engine.contract.inside import AblationsRequest, LensRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.forward.traces import InputRow, run_traces
from playground.engine.local.checks import RequestChecks
from playground.engine.local.engine import LocalEngine
from playground.engine.models.families.table import FAMILIES
from playground.settings import Settings
from tests.engine.conftest import oracle
from tests.families import family_of

IDS = tuple(tuple(int(one) for one in np.random.default_rng(n).integers(5, 290, n)) for n in (3, 7, 22, 11))
LAYER, HEAD = 1, 2
# Projection of the attention, and what a block adds to the stream, spelled here a second time.
OUTPUTS: dict[str, tuple[str, str, str]] = {
    "gpt2": ("attn.c_proj", "attn", "mlp"),
    "gpt_neox": ("attention.dense", "attention", "mlp"),
    "opt": ("self_attn.out_proj", "self_attn", "fc2"),
    "gemma2": ("self_attn.o_proj", "post_attention_layernorm", "post_feedforward_layernorm"),
    "gemma3_text": ("self_attn.o_proj", "post_attention_layernorm", "post_feedforward_layernorm"),
    "olmo2": ("self_attn.o_proj", "post_attention_layernorm", "post_feedforward_layernorm"),
    "bert": ("attention.output.dense", "attention.output.dense", "output.dense"),
    "roberta": ("attention.output.dense", "attention.output.dense", "output.dense"),
    "xlm-roberta": ("attention.output.dense", "attention.output.dense", "output.dense"),
    "electra": ("attention.output.dense", "attention.output.dense", "output.dense"),
    "distilbert": ("attention.out_lin", "attention", "ffn"),
    "modernbert": ("attn.Wo", "attn", "mlp"),
    "t5": ("layer.0.SelfAttention.o", "layer.0.SelfAttention.o", "layer.1.DenseReluDense.wo"),
    "bart": ("self_attn.out_proj", "self_attn.out_proj", "fc2"),
    "mbart": ("self_attn.out_proj", "self_attn.out_proj", "fc2"),
    "marian": ("self_attn.out_proj", "self_attn.out_proj", "fc2"),
}
USUAL = ("self_attn.o_proj", "self_attn", "mlp")


class Measured:
    """One model, asked and compared.

    Args:
        engine: Engine with the model.
        settings: Settings of that engine.
        model: Catalogue id.
    """

    def __init__(self, engine: LocalEngine, settings: Settings, model: str) -> None:
        self.engine, self.settings, self.model = engine, settings, model
        self.family = FAMILIES[family_of(model)]
        self.is_decoder = self.family.kind == "decoder"
        self.net: Any = oracle(settings, model)
        body = self.net.base_model
        self.blocks: Any = body.get_submodule(self.family.blocks)
        self.output, *self.writes = OUTPUTS.get(self.family.name, USUAL)

    def plain(self, ids: Sequence[int], **more: Any) -> Any:
        """What plain transformers gives."""
        with torch.no_grad():
            return self.net(
                input_ids=torch.tensor([list(ids)]), output_attentions=True, output_hidden_states=True,
                return_dict=True, **more,
            )  # fmt: skip

    def answer(self, output: Any) -> torch.Tensor:
        """Logits, or of an encoder the last states. Shape [position, …]."""
        found: torch.Tensor = (output.logits if self.is_decoder else output.last_hidden_state)[0]
        return found

    def logprobs(self, ids: Sequence[int]) -> torch.Tensor:
        """Shape [position, d_vocab]."""
        found: torch.Tensor = self.plain(ids).logits[0].log_softmax(-1)
        return found

    def traced(self, ids: Sequence[int], **more: Any) -> Any:
        """A trace with the hidden states, and all logits of a decoder."""
        capture = Capture(hidden_states="all", logits="all" if self.is_decoder else None)
        trace: Any = self.engine.trace(
            TraceRequest(self.model, input_ids=tuple(ids), **({"capture": capture} | more))
        )
        return trace

    def same_answer(self, trace: Any, output: Any) -> float:
        ours = trace.logits if self.is_decoder else trace.hidden_states[-1]
        return error(ours, self.answer(output))

    @property
    def seen_whole(self) -> int:
        """The longest text of an encoder that all its layers see whole."""
        slides = "sliding_attention" in (getattr(self.net.config, "layer_types", None) or ())
        return self.net.config.local_attention // 2 + 1 if slides and not self.is_decoder else 99

    def rows(self, texts: Sequence[Sequence[int]] = IDS, **capture: Any) -> list[Any]:
        """Traces of texts of different lengths in one batch."""
        loaded = self.engine.adapters.load(self.model).result(timeout=180)
        asked = RequestChecks(self.settings).capture(Capture(**capture), loaded, max(map(len, texts)))
        with torch.no_grad():
            return run_traces(loaded, [InputRow(tuple(ids)) for ids in texts], asked)

    # ---- capabilities

    def attentions(self) -> float:
        """Attention weights of every layer and head."""
        pairs = zip(self.rows(attentions="float32"), IDS, strict=True)
        return worst(
            error(trace.attentions, torch.stack(self.plain(ids).attentions)[:, 0]) for trace, ids in pairs
        )

    def query_key(self) -> float:
        """Queries and keys: their products as pages compute them give the weights."""
        found = []
        texts = [ids[: self.seen_whole] for ids in IDS]
        for trace, ids in zip(self.rows(texts, query_key=True), texts, strict=True):
            keys = np.repeat(trace.keys, trace.queries.shape[1] // trace.keys.shape[1], axis=1)
            scores = trace.queries @ keys.swapaxes(-1, -2) / math.sqrt(keys.shape[-1])
            if self.is_decoder:
                scores[..., ~causal_mask(len(ids))] = -np.inf
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            theirs = torch.stack(self.plain(ids).attentions)[:, 0]
            found.append(error(weights / weights.sum(-1, keepdims=True), theirs))
        return worst(found)

    def hidden_states(self) -> float:
        """Hidden states of every layer, and the logits of a decoder."""
        rows = self.rows(hidden_states="all", **({"logits": "all"} if self.is_decoder else {}))
        found = []
        for trace, ids in zip(rows, IDS, strict=True):
            output = self.plain(ids)
            found.append(error(trace.hidden_states, torch.stack(output.hidden_states)[:, 0]))
            found.append(self.same_answer(trace, output))
        return worst(found)

    def block_outputs(self) -> float:
        """What attention and MLP of every block add to the residual stream."""
        kept: dict[str, list[torch.Tensor]] = {name: [] for name in self.writes}

        def keep(name: str) -> Callable[..., None]:
            def hook(_module: object, _arguments: object, output: Any) -> None:
                own = output[0] if isinstance(output, tuple) else output
                kept[name].append(own.reshape(-1, own.shape[-1]))

            return hook

        hooks = [
            block.get_submodule(name).register_forward_hook(keep(name))
            for block in self.blocks
            for name in self.writes
        ]
        self.plain(IDS[1])
        for hook in hooks:
            hook.remove()
        trace = self.traced(IDS[1], capture=Capture(block_outputs=True, hidden_states="all"))
        ours = (trace.attn_out, trace.mlp_out)
        found = [error(one, torch.stack(kept[name])) for one, name in zip(ours, self.writes, strict=True)]
        if self.is_decoder:  # and they are what the stream is made of
            stream = trace.hidden_states[0] + np.cumsum(trace.attn_out + trace.mlp_out, axis=0)
            found.append(error(stream[:-1], trace.hidden_states[1:-1]))
        return worst(found)

    def lens(self) -> float:
        """The final norm and the head on the states after every layer."""
        lens = self.engine.inside.lens(LensRequest(self.model, input_ids=IDS[1], position=4))
        states = torch.stack(self.plain(IDS[1]).hidden_states)[:, 0]
        with torch.no_grad():
            norm = self.net.base_model.get_submodule(self.family.final_norm)
            expected = self.net.get_output_embeddings()(torch.cat([norm(states[:-1]), states[-1:]]))
        cap = getattr(self.net.config, "final_logit_softcapping", None)
        if cap is not None:
            expected = torch.tanh(expected / cap) * cap
        return max(error(lens.logits, expected[:, 4]), error(expected[-1], self.plain(IDS[1]).logits[0]))

    def attribution(self) -> float:
        """The shares of all parts of the residual stream sum to the logits."""
        trace = self.traced(IDS[1], capture=Capture(block_outputs=True, hidden_states="all"))
        parts = np.concatenate([trace.hidden_states[:1], trace.attn_out, trace.mlp_out])[:, 4]
        tokens = tuple(range(0, 300, 7))
        unembedding = self.engine.inside.unembedding(self.model, tokens)
        total = shares(parts, parts.sum(0), unembedding).sum(0)
        return error(total, self.plain(IDS[1]).logits[0, 4, list(tokens)])

    def one_head(self) -> float:
        """What one head writes: all heads of a layer and the bias are what the attention writes."""
        info = next(one for one in self.engine.models() if one.model_id == self.model)
        ids = IDS[1][: self.seen_whole]
        trace = self.traced(ids, capture=Capture("float32", query_key=True, block_outputs=True))
        values = np.repeat(trace.values[LAYER], info.n_head // info.n_kv_head, axis=0)
        mixed = trace.attentions[LAYER] @ values
        written = sum(
            mixed[head] @ self.engine.inside.head_output(self.model, LAYER, head)
            for head in range(info.n_head)
        )
        bias = self.blocks[LAYER].get_submodule(self.output).bias
        return error(written if bias is None else written + bias.detach().numpy(), trace.attn_out[LAYER])

    def ablation(self) -> float:
        """A head switched off; in decoders also all heads at once."""
        info = next(one for one in self.engine.models() if one.model_id == self.model)
        found = []
        for head in (0, info.n_head - 1) if self.is_decoder else (HEAD,):
            off = self.traced(IDS[1], intervention=Intervention(((LAYER, head),)))
            expected = self._without_head(head, info.d_head)
            found.append(self.same_answer(off, expected))
            assert error(off.hidden_states[-1], torch.stack(self.plain(IDS[1]).hidden_states)[-1, 0]) > 1e-4
            if self.is_decoder:
                place = LAYER * info.n_head + head
                parts = list(self.engine.inside.ablations(AblationsRequest(self.model, input_ids=IDS[1])))
                every = np.concatenate([part.logits for part in parts])
                found.append(error(every[place], expected.logits[0, -1]))
        return worst(found)

    def _without_head(self, head: int, d_head: int) -> Any:
        def silence(_module: object, arguments: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            mixed = arguments[0].clone()
            mixed[..., head * d_head : (head + 1) * d_head] = 0
            return (mixed, *arguments[1:])

        hook = self.blocks[LAYER].get_submodule(self.output).register_forward_pre_hook(silence)
        try:
            return self.plain(IDS[1])
        finally:
            hook.remove()

    def patching(self) -> float:
        """A state of the residual stream replaced."""
        state = np.random.default_rng(0).normal(size=64).astype(np.float32)

        def put(_module: object, arguments: tuple[Any, ...], more: Any) -> tuple[Any, Any]:
            states = (arguments[0] if arguments else more["hidden_states"]).clone()
            states[0, 3] = torch.from_numpy(state)
            return (states, *arguments[1:]), {key: one for key, one in more.items() if key != "hidden_states"}

        hook = self.blocks[LAYER].register_forward_pre_hook(put, with_kwargs=True)
        expected = self.plain(IDS[1])
        hook.remove()
        patched = self.traced(IDS[1], intervention=Intervention(patches=(patch(LAYER, 3, state),)))
        return self.same_answer(patched, expected)


def error(ours: ArrayLike, theirs: ArrayLike) -> float:
    """Largest difference, as a share of their largest number where that is above 1."""
    expected = np.asarray(theirs, dtype=np.float64)
    found = np.asarray(ours, dtype=np.float64)
    assert found.shape == expected.shape, (found.shape, expected.shape)
    assert np.isfinite(found).all()
    return float(np.abs(found - expected).max()) / max(1.0, float(np.abs(expected).max()))


def worst(errors: Any) -> float:
    """The largest of some errors, at least one."""
    return float(max(errors))
