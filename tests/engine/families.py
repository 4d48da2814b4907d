"""Every capability of a model measured against plain transformers: the largest error, or a refusal by name.

An error is a share of the largest number that plain transformers gives, where that is above 1.
"""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from playground.core.attention import causal_mask
from playground.core.interventions import Intervention, patch
from playground.core.lora import LoraConfig
from playground.core.residual import attribution as shares
from playground.core.sampling import GREEDY
from playground.engine.adapters.layers import linears
from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest
from playground.engine.contract.inside import AblationsRequest, LensRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.contract.training import FinetuneRequest, FinetuneSettings, TrainingText
from playground.engine.forward.traces import InputRow, run_traces
from playground.engine.local.checks import RequestChecks
from playground.engine.local.engine import LocalEngine
from playground.engine.models.families.table import FAMILIES
from playground.engine.training.bank import AdapterBank
from playground.settings import Settings
from tests.engine.conftest import oracle
from tests.engine.peft_adapters import logits, read_by_peft, written_by_peft, zipped
from tests.engine.training.test_finetuning import PeftRun, batches, slot_of
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

    def rows(self, **capture: Any) -> list[Any]:
        """Traces of texts of different lengths in one batch."""
        loaded = self.engine.adapters.load(self.model).result(timeout=180)
        asked = RequestChecks(self.settings).capture(Capture(**capture), loaded, max(map(len, IDS)))
        with torch.no_grad():
            return run_traces(loaded, [InputRow(ids) for ids in IDS], asked)

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
        for trace, ids in zip(self.rows(query_key=True), IDS, strict=True):
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
        trace = self.traced(IDS[1], capture=Capture("float32", query_key=True, block_outputs=True))
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

    def generate(self) -> float:
        """Texts continued side by side; the most probable token each time."""
        asked = tuple(
            GenerateRequest(self.model, sampling=GREEDY, input_ids=ids, max_new_tokens=9) for ids in IDS
        )
        written: dict[int, list[Any]] = {row: [] for row in range(len(IDS))}
        for row, step in self.engine.generate_many(GenerateManyRequest(self.model, asked)):
            written[row].append(step)
        found = []
        for row, steps in written.items():
            ids = [*IDS[row], *(step.token_id for step in steps)]
            expected = self.logprobs(ids)[len(IDS[row]) - 1 : -1]
            for step, values in zip(steps, expected, strict=True):
                found.append(error(step.logprob, values.max()))
                found.append(error(step.logprob, values[step.token_id]))
        assert len(found) > 2 * len(IDS)
        return worst(found)

    def score(self) -> float:
        """Candidates after texts that share a beginning."""
        texts = ((*IDS[3], 9, 8, 7), IDS[3], (4, 5), (*IDS[3], 9, 8, 11))
        request = ScoreRequest(self.model, texts, ((" good", " bad", "!"),) * len(texts))
        found = []
        for (_place, scores), text in zip(self.engine.score(request), texts, strict=True):
            for ids, ours in zip(scores.input_ids, scores.token_logprobs, strict=True):
                expected = self.logprobs([*text, *ids])[len(text) - 1 : -1]
                found.append(error(ours, [float(row[id_]) for row, id_ in zip(expected, ids, strict=True)]))
        return worst(found)

    def beams(self) -> float:
        """The log-probability of the best text that a beam search finds."""
        asked = BeamsRequest(self.model, input_ids=IDS[1], n_beams=3, max_new_tokens=6, length_penalty=0.0)
        *_, last = self.engine.beams(asked)
        found = []
        for one in last.hypotheses:
            values = self.logprobs([*IDS[1], *one.token_ids])[len(IDS[1]) - 1 : -1]
            total = sum(float(row[token]) for row, token in zip(values, one.token_ids, strict=True))
            found.append(error(one.logprob, total))
        return worst(found)

    def positions(self) -> float:
        """A text at chosen positions."""
        chosen = (0, 1, 2, 9, 10, 3, 3)
        trace = self.traced(IDS[1], position_ids=chosen)
        first = self.net.config.pad_token_id + 1 if "roberta" in self.family.name else 0
        mask = torch.ones(1, len(chosen), dtype=torch.long)
        theirs = torch.tensor([chosen]) + first
        return self.same_answer(trace, self.plain(IDS[1], position_ids=theirs, attention_mask=mask))

    def finetuning(self) -> float:
        """Losses of two runs side by side, three steps each, against stock peft and AdamW."""
        requests = [self._run(seed) for seed in (1, 2)]
        if not self.is_decoder:
            self.engine.training.runs.start(requests[0])
        slots = [slot_of(self.engine, request) for request in requests]
        loaded = slots[0][0]
        bank = AdapterBank(loaded, [slot for _loaded, slot in slots], lambda: None)
        theirs = [PeftRun(self.settings, request) for request in requests]
        for (_loaded, slot), run in zip(slots, theirs, strict=True):
            self._begin_alike(slot, run)
        bank._pack()
        found = []
        for step in range(3):
            losses = bank.step([batches(request, step) for request in requests])
            found += [error(ours, run.step(step)) for ours, run in zip(losses, theirs, strict=True)]
        measured = bank.measure(0, requests[0].held_out)
        for ours, text in zip(measured, requests[0].held_out, strict=True):
            labels = torch.tensor(
                [[token if on else -100 for token, on in zip(text.input_ids, text.is_trained, strict=True)]]
            )
            with torch.no_grad():
                loss = theirs[0].model(input_ids=torch.tensor([text.input_ids]), labels=labels).loss
            found.append(error(ours, float(loss) * text.n_trained))
        return worst(found)

    def _run(self, seed: int) -> FinetuneRequest:
        random = np.random.default_rng(seed)

        def texts(n: int) -> tuple[TrainingText, ...]:
            made = []
            for length in random.integers(4, 12, n):
                ids = tuple(int(one) for one in random.integers(5, 290, length))
                made.append(TrainingText(ids, tuple(place >= length // 2 for place in range(length))))
            return tuple(made)

        lora = LoraConfig(r=2, lora_alpha=8.0, target_modules=self._linears)
        settings = FinetuneSettings(
            self.model, "run", n_steps=3, batch_size=3, learning_rate=1e-3, lora=lora, seed=seed
        )
        return FinetuneRequest(settings, texts(5), texts(2))

    @property
    def _linears(self) -> tuple[str, ...]:
        """Names of all linear layers of a block."""
        return tuple(dict.fromkeys(one.module for one in linears(self.net).values()))

    def _begin_alike(self, slot: Any, run: PeftRun) -> None:
        """Give peft's layers the numbers that the slot begins with."""
        with torch.no_grad():
            for kind in ("A", "B"):
                ours = [value for (_path, matrix), value in slot.values.items() if matrix == kind]
                for mine, their in zip(ours, run.matrices(kind), strict=True):
                    their.copy_(mine)

    def _of_peft(self) -> dict[str, bytes]:
        return written_by_peft(
            self.settings, self.model, target_modules=list(self._linears), r=3, lora_alpha=5,
            fan_in_fan_out=self.family.name == "gpt2",
        )  # fmt: skip

    def adapters_in(self) -> float:
        """An adapter of stock peft, read here."""
        files = self._of_peft() if self.is_decoder else {}
        mine = self.engine.adapters.imported(self.model, "x.zip", zipped(files), "me", any_base=True).model_id
        ours, theirs = logits(self.engine, mine), read_by_peft(self.settings, self.model, files)
        assert error(ours, logits(self.engine, self.model)) > 1e-3
        self.engine.adapters.remove(mine, "me")
        return error(ours, theirs)

    def adapters_out(self) -> float:
        """The same, written here and read again by stock peft."""
        files = self._of_peft() if self.is_decoder else {}
        mine = self.engine.adapters.imported(self.model, "x.zip", zipped(files), "me", any_base=True).model_id
        with zipfile.ZipFile(io.BytesIO(self.engine.adapters.exported(mine, {}))) as folder:
            exported = {name: folder.read(name) for name in folder.namelist() if name.startswith("adapter_")}
        theirs = read_by_peft(self.settings, self.model, exported)
        found = error(logits(self.engine, mine), theirs)
        self.engine.adapters.remove(mine, "me")
        return found


ALL = (
    "attentions", "query_key", "hidden_states", "block_outputs", "lens", "attribution", "one_head",
    "ablation", "patching", "generate", "score", "beams", "positions", "finetuning", "adapters_in",
    "adapters_out",
)  # fmt: skip


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


def measure(engine: LocalEngine, settings: Settings, model: str, capability: str) -> float:
    """The error of one capability of one model.

    Raises:
        Unsupported: The model does not have it, and says so.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft's
        found: float = getattr(Measured(engine, settings, model), capability)()
    return found
