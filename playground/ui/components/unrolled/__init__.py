"""Encoder and decoder unrolled over one source, and their alignment; the browser moves from step to step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.core import seq2seq
from playground.engine.contract.networks import Unrolled
from playground.ui.components import script, style
from playground.ui.components.positions import Control, Settings, sliders
from playground.ui.text import _

_UNROLLED = st.components.v2.component(
    "playground.unrolled",
    html='<div class="positions"></div>\n',
    css=style("keyboard", "positions/positions", "touch"),
    js=script("positions/panel", "unrolled/unrolled"),
)
_ALIGNMENT = st.components.v2.component(
    "playground.alignment",
    html='<div class="positions"></div>\n',
    css=style("keyboard", "positions/positions", "touch"),
    js=script("amounts", "positions/panel", "unrolled/alignment"),
)
DIGITS = 6  # of a probability
Release = Callable[[dict[str, float]], None]


@dataclass(frozen=True)
class Characters:
    """The characters of an unrolled network as they are shown, marks and spaces as signs.

    Attributes:
        sources, inputs, outputs: What was read by the encoder and by the decoder, and what was written.
        top: The most probable outputs of each step, best first.
    """

    sources: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    top: tuple[tuple[str, ...], ...]


def step_control(characters: Characters, default: int) -> Control:
    """The slider of the decoder's steps, from 1 on."""
    return Control("step", 1, len(characters.outputs), default)


def character_control(characters: Characters, default: int) -> Control:
    """The list of the source's characters, from 0 on."""
    options = [f"{place}: {text}" for place, text in enumerate(characters.sources, 1)]
    return Control("character", 0, len(options) - 1, default, options=options)


def unrolled(
    read: Unrolled,
    characters: Characters,
    controls: Sequence[Control],
    settings: Settings,
    *,
    key: str,
    language: str,
    on_release: Release,
) -> None:
    """Draw every state, the context vector of one step, and its most probable outputs.

    Args:
        read: States and weights.
        characters: From the same network.
        controls: `step_control`.
        settings: Step that is shown.
        key: Widget key.
        language: Language of the numbers.
        on_release: Called with another step.
    """
    facts = {
        "n_source": len(characters.sources),
        "n_steps": len(characters.outputs),
        "d_hidden": read.encoder_states.shape[1],
        "has_contexts": read.contexts is not None,
        "has_weights": read.weights is not None,
        "has_cells": read.encoder_cells is not None,
        "sources": characters.sources,
        "inputs": characters.inputs,
        "outputs": characters.outputs,
        "top": characters.top,
        "probs": read.top_probs.astype(float).round(DIGITS).tolist(),
    }
    arrays = (
        read.encoder_states, read.decoder_states, read.contexts, read.weights, read.encoder_cells,
        read.decoder_cells,
    )  # fmt: skip
    sliders(
        _UNROLLED, controls, settings, key=key, words=_words(read), language=language, facts=facts,
        numbers=_joined(arrays), on_release=on_release,
    )  # fmt: skip


def alignment(
    read: Unrolled,
    characters: Characters,
    controls: Sequence[Control],
    settings: Settings,
    *,
    formula: str,
    key: str,
    language: str,
    on_release: Release,
) -> None:
    """Draw the weights of every step over the source, and the arithmetic of one of them.

    Args:
        read: States and weights, which must be there.
        characters: From the same network.
        controls: `step_control` and `character_control`.
        settings: Cell that is shown.
        formula: Formula of a score.
        key: Widget key.
        language: Language of the numbers.
        on_release: Called with another cell.
    """
    assert read.weights is not None
    facts = {
        "n_source": len(characters.sources),
        "n_steps": len(characters.outputs),
        "has_scores": read.scores is not None and read.contexts is not None,
        "sources": characters.sources,
        "outputs": characters.outputs,
        "formula": formula,
    }
    arrays: tuple[NDArray[np.float32] | None, ...] = (read.weights,)
    if read.scores is not None and read.contexts is not None:
        numbers = seq2seq.strongest(np.abs(read.contexts))  # of the context vector, the largest of each step
        facts |= {
            "numbers": numbers.tolist(),
            "contexts": read.contexts[np.arange(len(numbers)), numbers].astype(float).tolist(),
        }
        arrays = (read.weights, read.scores, read.encoder_states[:, numbers].T)
    sliders(
        _ALIGNMENT, controls, settings, key=key, words=_alignment_words(), language=language, facts=facts,
        numbers=_joined(arrays), on_release=on_release,
    )  # fmt: skip


def _joined(arrays: Sequence[NDArray[np.float32] | None]) -> NDArray[np.float32]:
    return np.concatenate([np.ravel(array) for array in arrays if array is not None]).astype(np.float32)


def _words(read: Unrolled) -> Mapping[str, str]:
    """The words of the unrolled networks; the browser fills the braces."""
    legend = _(
        "Every strip is a state, number by number: violet above 0, brown below. Blue: what the decoder "
        "reads; orange: where from; green: what comes out. ▷ start, ■ end, ␣ space. Click or tap a step; "
        "point at or tap a strip for exact values."
    )
    if read.encoder_cells is not None:
        legend += " " + _("Left half of a strip: hidden state, right half: cell state.")
    return {
        "step": _("Step of the decoder"),
        "exact": _("{name}, exact value"),
        "picture": _("Encoder and decoder, state by state, and what goes from one to the other"),
        "encoder": _("Encoder: a state after each character"),
        "decoder": _("decoder state"),
        "reads": _("reads"),
        "writes": _("writes"),
        "context": _("context vector of step {step}"),
        "top": _("Step {step}: most probable outputs"),
        "looks": _(
            "At step {step} the decoder reads “{input}”, takes {weight} of its context vector from "
            "“{source}” (character {at}), and writes “{output}” with {prob}."
        )
        if read.contexts is not None
        else _(
            "At step {step} the decoder reads “{input}”, looks most at “{source}” (character {at}: {weight}, "
            "the mean of the last layer's heads), and writes “{output}” with {prob}."
        ),
        "blind": _(
            "At step {step} the decoder reads “{input}” and writes “{output}” with {prob}. All it knows of "
            "the source is one vector of {d} numbers, the same at every step."
        ),
        "state_at": _("State after “{token}” (character {at}), number {i}: {value}"),
        "step_at": _("State of step {step}, number {i}: {value}"),
        "weight_at": _("Weight of “{token}” (character {at}) at step {step}: {value}"),
        "context_at": _("Context vector of step {step}, number {i}: {value}"),
        "legend": legend,
    }


def _alignment_words() -> Mapping[str, str]:
    """The words of the alignment; the browser fills the braces."""
    return {
        "step": _("Step of the decoder"),
        "character": _("Character of the source"),
        "exact": _("{name}, exact value"),
        "picture": _("Alignment: rows are what was written, columns what was read"),
        "source_axis": _("source"),
        "target_axis": _("output"),
        "weight": _("weight"),
        "cell": _("Writing “{output}” (step {step}) looks at “{source}” (character {at}) with {weight}"),
        "scored": _(
            "Writing “{output}” (step {step}) looks at “{source}” (character {at}): score {score}, weight "
            "{weight}"
        ),
        "heads": _("The mean of the last layer's heads; each head has a softmax of its own."),
        "score": _("score"),
        "sum": _("weighted sum, here number {i} of the context vector:"),
        "number": _("of the state"),
        "product": _("product"),
        "others": _("{n} more"),
        "context": _("number {i} of the context vector the network used: {value}"),
        "legend": _(
            "Further from the paper: more weight (the colours go by its square root). Blue frame: the step. "
            "Orange frame: the character. Click or tap a cell to see its arithmetic."
        ),
    }
