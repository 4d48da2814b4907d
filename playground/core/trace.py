"""Trace: everything one forward pass computed, as read-only NumPy arrays. A value: no model inside."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from playground.core.predictions import Predictions


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The values one forward pass computed; fields that were not asked for are None.

    Attributes:
        model_id: Catalogue id of the model.
        revision: Hash or tag of its weights.
        adapter: Id of the LoRA adapter in use, or None for the base model.
        dtype: Number format the model computed in, "float32".
        device: Device it computed on, "cpu".
        input_ids: Token ids. Shape [position].
        attentions: Attention weights. uint8 `round(255 * sqrt(weight))` or float32.
            Shape [layer, head, query, key]; of the encoder for encoder-decoder models.
        window: First and last + 1 of the positions whose attentions were kept, None for all.
        queries, keys, values: Vectors that attention compares and mixes, after rotary embedding, float32.
            Shapes [layer, head, position, d_head], [layer, kv_head, position, d_head] and the same.
        attn_out, mlp_out: Vectors that the two parts of each block add to the residual stream, float32;
            before the norm in post-norm models. Shape [layer, position, d_model].
        hidden_states: Residual stream, float32. Shape [n, position, d_model], n the layers asked for.
        hidden_layers: The layers of `hidden_states`; 0 is the embedding, the last is after the final norm.
        logits: Unnormalised log-probabilities in nats, float32. Shape [n, d_vocab].
        logit_positions: The positions of `logits`. Shape [n].
        predictions: The model's predictions at every position (decoder-only models).
        decoder_input_ids: Token ids given to the decoder (encoder-decoder models only). Shape [target].
        decoder_attentions: Attention weights of the decoder. Shape [layer, head, target, target].
        decoder_hidden_states: Residual stream of the decoder, float32, of all layers, where all were asked
            for. Shape [layer, target, d_model]; 0 is the embedding, the last is after the final norm.
        cross_attentions: Attention weights from decoder to encoder. Shape [layer, head, target, position].
        elapsed_ms: Provenance: milliseconds of the forward pass (of its whole micro-batch).
        cached: Provenance: True if an earlier request had already computed it.

    Raises:
        ValueError: Shapes disagree.
    """

    model_id: str
    revision: str
    adapter: str | None
    dtype: str
    device: str
    input_ids: NDArray[np.int64]
    attentions: NDArray[np.uint8] | NDArray[np.float32] | None = None
    window: tuple[int, int] | None = None
    queries: NDArray[np.float32] | None = None
    keys: NDArray[np.float32] | None = None
    values: NDArray[np.float32] | None = None
    attn_out: NDArray[np.float32] | None = None
    mlp_out: NDArray[np.float32] | None = None
    hidden_states: NDArray[np.float32] | None = None
    hidden_layers: tuple[int, ...] = ()
    logits: NDArray[np.float32] | None = None
    logit_positions: NDArray[np.int64] | None = None
    predictions: Predictions | None = None
    decoder_input_ids: NDArray[np.int64] | None = None
    decoder_attentions: NDArray[np.uint8] | NDArray[np.float32] | None = None
    decoder_hidden_states: NDArray[np.float32] | None = None
    cross_attentions: NDArray[np.uint8] | NDArray[np.float32] | None = None
    elapsed_ms: float = field(default=0.0)
    cached: bool = field(default=False)

    def __post_init__(self) -> None:
        self._check_shapes()
        for spec in fields(self):
            value = getattr(self, spec.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def _check_shapes(self) -> None:
        n = len(self.input_ids)
        target = 0 if self.decoder_input_ids is None else len(self.decoder_input_ids)
        start, stop = self.window or (0, n)
        expected: dict[str, tuple[int | None, ...]] = {
            "input_ids": (n,),
            "attentions": (None, None, stop - start, stop - start),
            "queries": (None, None, n, None),
            "keys": (None, None, n, None),
            "values": (None, None, n, None),
            "attn_out": (None, n, None),
            "mlp_out": (None, n, None),
            "hidden_states": (len(self.hidden_layers), n, None),
            "logits": (None if self.logit_positions is None else len(self.logit_positions), None),
            "decoder_input_ids": (target,),
            "decoder_attentions": (None, None, target, target),
            "decoder_hidden_states": (None, target, None),
            "cross_attentions": (None, None, target, n),
        }
        for name, shape in expected.items():
            array = getattr(self, name)
            if array is None:
                continue
            agrees = array.ndim == len(shape) and all(
                want is None or want == got for want, got in zip(shape, array.shape, strict=True)
            )
            if not agrees:
                raise ValueError(f"{name} has shape {array.shape}, expected {shape}")

    @property
    def size_bytes(self) -> int:
        """Size of the arrays it keeps alive, in bytes."""
        values = (getattr(self, spec.name) for spec in fields(self))
        arrays = sum(value.nbytes for value in values if isinstance(value, np.ndarray))
        return arrays + (0 if self.predictions is None else self.predictions.size_bytes)


def weights_from_uint8(attentions: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Undo the square-root scale: attention weights in [0, 1], off by at most 0.004.

    Args:
        attentions: `round(255 * sqrt(weight))`. Any shape.

    Returns:
        The weights, same shape. The error is at most `sqrt(w) / 255 + 1 / 510**2`.

    Example:
        >>> weights_from_uint8(np.array([0, 255], dtype=np.uint8)).tolist()
        [0.0, 1.0]
    """
    roots = attentions.astype(np.float32) / np.float32(255)
    return roots * roots
