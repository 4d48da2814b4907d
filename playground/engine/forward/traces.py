"""A batch of token ids in, one Trace per row out. Torch ends here.

Rows of different lengths are padded on the right and masked: a causal row never sees the padding, an encoder
row is told to ignore it, so a trace does not depend on its neighbours (up to 1e-6 in fp32).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from playground.core.interventions import Intervention
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.engine.forward.blocks import BlockOutputs, collect_block_outputs, intervened
from playground.engine.forward.filling import head_logits
from playground.engine.forward.positions import table_rows
from playground.engine.forward.predictions import predictions
from playground.engine.forward.two_stacks import read_source, read_target, target_blocks
from playground.engine.models.finite import check_finite
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.traced_attention import Call, collect_attentions, weights_of

Array = NDArray[Any]
LOGITS: tuple[Literal["last", "all"], ...] = ("last", "all")


@dataclass(frozen=True, slots=True)
class InputRow:
    """One text: its token ids, the decoder's for an encoder-decoder model, positions, an intervention."""

    input_ids: tuple[int, ...]
    decoder_ids: tuple[int, ...] = ()
    position_ids: tuple[int, ...] | None = None
    intervention: Intervention | None = None


@dataclass(frozen=True)
class TraceWork:
    """Payload of a trace job; jobs of one group share a forward.

    Attributes:
        loaded: The model.
        row: The text it reads.
        capture: The values that are kept.
        after: The trace it goes on from; all rows of a batch have one, or none has.
    """

    loaded: LoadedModel
    row: InputRow
    capture: Capture
    after: Trace | None = None


def trace_key(loaded: LoadedModel, row: InputRow, capture: Capture) -> tuple[object, ...]:
    """The key under which a trace is cached: everything that determines it."""
    return (loaded.info.model_id, loaded.info.revision, loaded.info.dtype, row, capture)


def can_mix(loaded: LoadedModel, capture: Capture) -> bool:
    """True if rows that keep this can share a forward with rows that keep something else.

    Not where every position's distribution is wanted: that costs more than reading the text, and nobody else
    is to wait for it.
    """
    is_dear = capture.logits == "all" or capture.predictions > 0
    return loaded.info.kind != "encoder-decoder" and not is_dear


def run_traces(
    loaded: LoadedModel, rows: Sequence[InputRow], capture: Capture | Sequence[Capture]
) -> list[Trace]:
    """Run all rows in one forward pass.

    Args:
        loaded: The model; called only from the engine's thread.
        rows: At least one, each with at least one token.
        capture: The values to keep of all rows, or those of each, of a model with one stack.

    Returns:
        One trace per row, holding copies (a view would keep the whole padded batch alive).

    Raises:
        NotFinite: A row gives no numbers.
    """
    started = time.perf_counter()
    captures = [capture] * len(rows) if isinstance(capture, Capture) else list(capture)
    if loaded.info.kind == "encoder-decoder":
        fields = _two_stacks(loaded, rows, captures[0])
    else:
        fields = _single_stack(loaded, rows, captures)
    elapsed_ms = (time.perf_counter() - started) * 1e3
    return [_trace(loaded, row, made, elapsed_ms) for row, made in zip(rows, fields, strict=True)]


def _trace(loaded: LoadedModel, row: InputRow, fields: dict[str, Any], elapsed_ms: float) -> Trace:
    if row.decoder_ids:
        fields["decoder_input_ids"] = np.array(row.decoder_ids, dtype=np.int64)
    return Trace(
        model_id=loaded.info.model_id,
        revision=loaded.info.revision,
        adapter=loaded.info.adapter or None,
        dtype=loaded.info.dtype,
        device=loaded.info.device,
        input_ids=np.array(row.input_ids, dtype=np.int64),
        elapsed_ms=elapsed_ms,
        **fields,
    )


def pad(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Pad on the right with id 0; the mask is None when nothing was padded.

    Returns:
        ids and mask, both of shape [row, longest].

    Example:
        >>> ids, mask = pad([[5, 6], [7]], torch.device("cpu"))
        >>> ids.tolist(), mask.tolist()
        ([[5, 6], [7, 0]], [[1, 1], [1, 0]])
    """
    longest = max(map(len, rows))
    ids = [[*row, *[0] * (longest - len(row))] for row in rows]
    ragged = any(len(row) != longest for row in rows)
    mask = [[1] * len(row) + [0] * (longest - len(row)) for row in rows] if ragged else None
    return (
        torch.tensor(ids, device=device),
        None if mask is None else torch.tensor(mask, device=device),
    )


def _single_stack(
    loaded: LoadedModel, rows: Sequence[InputRow], captures: Sequence[Capture]
) -> list[dict[str, Any]]:
    """Decoder-only and encoder-only models."""
    ids, mask = pad([row.input_ids for row in rows], loaded.device)
    lengths = [len(row.input_ids) for row in rows]
    arguments: dict[str, Any] = {
        "input_ids": ids,
        "attention_mask": mask,
        "output_hidden_states": any(one.hidden_states is not None for one in captures),
    }
    if any(row.position_ids is not None for row in rows):
        # Without a mask of its own transformers takes a jump in the positions for the start of another text.
        arguments["attention_mask"] = torch.ones_like(ids) if mask is None else mask
        positions = [table_rows(loaded, row.input_ids, row.position_ids) for row in rows]
        arguments["position_ids"], _mask = pad(positions, loaded.device)
    if loaded.info.kind == "decoder":
        arguments["use_cache"] = False
    with ExitStack() as open_collectors:
        open_collectors.enter_context(intervened(loaded, [row.intervention for row in rows], lengths))
        calls = open_collectors.enter_context(collect_attentions()) if any(map(_looks, captures)) else []
        outputs = (
            open_collectors.enter_context(collect_block_outputs(loaded))
            if any(one.block_outputs for one in captures)
            else BlockOutputs()
        )
        output = loaded.model.base_model(**arguments)
    check_finite(loaded, *(states[:n] for states, n in zip(output.last_hidden_state, lengths, strict=True)))
    results: list[dict[str, Any]] = [{} for _ in rows]
    for capture in dict.fromkeys(captures):
        own = [row for row, one in enumerate(captures) if one == capture]
        kept, short = [results[row] for row in own], [lengths[row] for row in own]
        _put_maps(loaded, kept, _rows_of(calls, own) if _looks(capture) else [], short, capture)
        if capture.block_outputs:
            _put_positions(kept, "attn_out", [one[own] for one in outputs.attention], short)
            _put_positions(kept, "mlp_out", [one[own] for one in outputs.mlp], short)
        if capture.hidden_states is not None:
            _put_hidden_states(kept, [one[own] for one in output.hidden_states], short, capture.hidden_states)
    for row, capture in enumerate(captures):
        if capture.predictions:
            states, read = output.last_hidden_state[row, : lengths[row]], rows[row].input_ids
            results[row]["predictions"] = predictions(loaded, states, read, capture.predictions)
    for wanted in LOGITS:
        own = [row for row, one in enumerate(captures) if one.logits == wanted]
        kept, short = [results[row] for row in own], [lengths[row] for row in own]
        if own:
            _put_logits(loaded, kept, output.last_hidden_state[own], short, wanted)
    return results


def _looks(capture: Capture) -> bool:
    return capture.attentions is not None or capture.query_key


def _rows_of(calls: Sequence[Call], own: Sequence[int]) -> list[Call]:
    """Arguments of every layer's attention for these rows; a mask that layers share stays shared."""
    n = len(calls[0].query) if calls else 0
    if len(own) == n:
        return list(calls)
    masks = {id(call.mask): call.mask for call in calls if call.mask is not None}
    cut = {key: mask[own] if len(mask) == n > 1 else mask for key, mask in masks.items()}
    return [
        call._replace(
            query=call.query[own], key=call.key[own], value=call.value[own], mask=cut.get(id(call.mask))
        )
        for call in calls
    ]


def _put_maps(
    loaded: LoadedModel,
    results: list[dict[str, Any]],
    calls: Sequence[Call],
    lengths: Sequence[int],
    capture: Capture,
) -> None:
    """Attention weights, queries, keys and values, where they are wanted."""
    if _looks(capture):
        _check_layers(len(calls), loaded.info.n_layer)
    if capture.attentions:
        _put_attentions(results, calls, lengths, capture)
    if capture.query_key:
        _put_positions(results, "queries", [_query(call) for call in calls], lengths)
        _put_positions(results, "keys", [call.key for call in calls], lengths)
        _put_positions(results, "values", [call.value for call in calls], lengths)


def _put_logits(
    loaded: LoadedModel,
    results: list[dict[str, Any]],
    last_hidden: torch.Tensor,
    lengths: Sequence[int],
    wanted: Literal["last", "all"],
) -> None:
    """Apply the vocabulary head only where somebody asked: at all last positions in one product.

    Of all positions row by row: together they may be a gigabyte twice.
    """
    if wanted == "all":
        for row, n in enumerate(lengths):
            results[row]["logits"] = head_logits(loaded, last_hidden[row, :n]).cpu().numpy()
            results[row]["logit_positions"] = np.arange(n, dtype=np.int64)
        return
    ends = torch.tensor([n - 1 for n in lengths], device=last_hidden.device)
    states = last_hidden[torch.arange(len(lengths), device=last_hidden.device), ends]
    logits = head_logits(loaded, states).cpu().numpy()
    for row, n in enumerate(lengths):
        results[row]["logits"] = logits[row : row + 1].copy()
        results[row]["logit_positions"] = np.array([n - 1], dtype=np.int64)


def _put_hidden_states(
    results: list[dict[str, Any]],
    states: Sequence[torch.Tensor],
    lengths: Sequence[int],
    wanted: Literal["all"] | tuple[int, ...],
) -> None:
    layers = tuple(range(len(states))) if wanted == "all" else wanted
    stacked = torch.stack([states[layer] for layer in layers]).float().cpu().numpy()
    for row, n in enumerate(lengths):
        results[row]["hidden_states"] = stacked[:, row, :n].copy()
        results[row]["hidden_layers"] = tuple(range(len(states))[layer] for layer in layers)


def _put_attentions(
    results: list[dict[str, Any]], calls: Sequence[Call], lengths: Sequence[int], capture: Capture
) -> None:
    if capture.window is not None:
        lengths = [capture.window[1] - capture.window[0]] * len(lengths)
    array = _scaled(weights_of(calls, capture.window), capture.attentions)
    for row, n in enumerate(lengths):
        results[row]["attentions"] = array[:, row, :, :n, :n].copy()
        results[row]["window"] = capture.window


def _put_positions(
    results: list[dict[str, Any]], name: str, layers: Sequence[torch.Tensor], lengths: Sequence[int]
) -> None:
    """Put one array per row, its layers stacked; positions are the last axis but one."""
    stacked = torch.stack(tuple(layers)).float().cpu().numpy()
    for row, n in enumerate(lengths):
        results[row][name] = stacked[:, row, ..., :n, :].copy()


def _query(call: Call) -> torch.Tensor:
    """The query whose product with a key, divided by √d_head, is the score, whatever the layer scales by."""
    root = call.query.shape[-1] ** 0.5
    return call.query if call.scale * root == 1 else call.query * (call.scale * root)


def _scaled(weights: torch.Tensor, scale: Literal["uint8", "float32"] | None) -> Array:
    """Weights as they leave the engine: float32, or `round(255 * sqrt(weight))`."""
    if scale == "uint8":
        weights = weights.clamp_(0, 1).sqrt_().mul_(255).round_().to(torch.uint8)
    array: Array = weights.float().cpu().numpy() if scale == "float32" else weights.cpu().numpy()
    return array


def _check_layers(got: int, expected: int) -> None:
    if got != expected:
        raise RuntimeError(f"{got} layers gave attention weights, the model has {expected}")


def _two_stacks(loaded: LoadedModel, rows: Sequence[InputRow], capture: Capture) -> list[dict[str, Any]]:
    """Encoder-decoder models; interventions act on the encoder."""
    ids, mask = pad([row.input_ids for row in rows], loaded.device)
    target_ids, _mask = pad([row.decoder_ids for row in rows], loaded.device)
    lengths, targets = ([len(one) for one in each] for each in zip(*map(_both_ids, rows), strict=True))
    wants_attention = capture.attentions is not None
    with intervened(loaded, [row.intervention for row in rows], lengths):
        source = read_source(
            loaded,
            ids,
            mask,
            output_attentions=wants_attention,
            output_hidden_states=capture.hidden_states is not None,
        )
    both = capture.hidden_states == "all"
    target = read_target(
        loaded, target_ids, source, use_cache=False,
        output_attentions=wants_attention, output_hidden_states=both,
    )  # fmt: skip
    for states, each in ((source.states, lengths), (target.last_hidden_state, targets)):
        check_finite(loaded, *(own[:n] for own, n in zip(states, each, strict=True)))
    results: list[dict[str, Any]] = [{} for _ in rows]
    if capture.attentions:
        n_decoder = len(target_blocks(loaded))
        for name, weights, n_layer, queries, keys in (
            ("attentions", source.output.attentions, loaded.info.n_layer, lengths, lengths),
            ("decoder_attentions", target.attentions, n_decoder, targets, targets),
            ("cross_attentions", target.cross_attentions, n_decoder, targets, lengths),
        ):
            _check_layers(len(weights), n_layer)
            array = _scaled(torch.stack(weights), capture.attentions)
            for row, made in enumerate(results):
                made[name] = array[:, row, :, : queries[row], : keys[row]].copy()
    if capture.hidden_states is not None:
        _put_hidden_states(results, source.output.hidden_states, lengths, capture.hidden_states)
    if both:
        stacked = torch.stack(target.hidden_states).float().cpu().numpy()
        for row, (made, n) in enumerate(zip(results, targets, strict=True)):
            made["decoder_hidden_states"] = stacked[:, row, :n].copy()
    if capture.logits:
        _put_logits(loaded, results, target.last_hidden_state, targets, capture.logits)
    return results


def _both_ids(row: InputRow) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return row.input_ids, row.decoder_ids
