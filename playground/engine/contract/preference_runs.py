"""A state of a run of DPO as the page keeps and ships it: plain data, with the texts of its pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from playground.core.preferences.dpo_run import DpoRun, DpoSample, Milestone
from playground.core.preferences.pair import PreferencePair
from playground.engine.contract.preferences import DpoObservation, DpoSettings
from playground.engine.contract.training import TrainingState


def seen(
    state: TrainingState,
    pairs: Sequence[PreferencePair],
    held_out_pairs: Sequence[PreferencePair],
    prompts: Sequence[str],
    revision: str,
) -> DpoRun:
    """A run as it is now.

    Args:
        state: State of a run of DPO.
        pairs, held_out_pairs: The pairs of its request.
        prompts: The prompts that it continues.
        revision: Revision of its base.
    """
    assert isinstance(state.settings, DpoSettings)
    told = [one for one in state.observed if isinstance(one, DpoObservation)]
    milestones = tuple(
        Milestone(
            one.step, one.kl, one.held_out.chosen, one.held_out.rejected, one.held_out.ref_chosen,
            one.held_out.ref_rejected,
        )
        for one in told
    )  # fmt: skip
    samples = tuple(DpoSample(one.step, one.prompt, one.text) for one in state.samples)
    return DpoRun(
        state.settings.model, revision, settings_of(state.settings), tuple(pairs), tuple(held_out_pairs),
        state.train, state.held_out, milestones, tuple(prompts), samples, state.elapsed_s,
    )  # fmt: skip


def settings_of(settings: DpoSettings) -> dict[str, object]:
    """The settings that the picture and its code name."""
    known = asdict(settings)
    names = ("name", "n_steps", "learning_rate", "batch_size", "seed", "beta")
    lora = known["lora"]
    return {
        **{name: known[name] for name in names},
        "r": lora["r"], "lora_alpha": lora["lora_alpha"], "target_modules": list(lora["target_modules"]),
    }  # fmt: skip
