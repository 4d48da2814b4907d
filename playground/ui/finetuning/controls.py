"""The settings before the start, their cost, and the request made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from playground.core.adapting import n_trained
from playground.core.lora import LoraConfig
from playground.engine.contract.adapters import PRODUCTS, VIRTUAL, Linear
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.training import FinetuneRequest, FinetuneSettings
from playground.ui import compute, state
from playground.ui.choose import choose_from_list
from playground.ui.finetuning.sets import ReadSet
from playground.ui.lora_modules import modules_of
from playground.ui.number import number_field, slider
from playground.ui.prompted import prompt_ids
from playground.ui.text import N_, _, large, plain
from playground.ui.url import setting

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 1.0, 10.0)
RANKS = (1, 2, 4, 8, 16, 32)
BYTES_A_NUMBER = 16  # a weight, its gradient, two moments of Adam
DEFAULTS: Mapping[str, Any] = {
    "fin_steps": 24, "fin_rate": 2e-3, "fin_r": 8, "fin_alpha": 16, "fin_dropout": 0.0,
    "fin_batch": 4, "fin_method": "", "fin_modules": "", "fin_best": True, "fin_virtual": 16,
    "fin_bottleneck": 16,
}  # fmt: skip
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "good": {},
    "hot": {"fin_rate": 2e-2, "fin_best": False},
    "overfit": {"fin_steps": 120, "fin_rate": 5e-3, "fin_r": 32, "fin_alpha": 32, "fin_best": False},
    "rank1": {"fin_r": 1, "fin_alpha": 2, "fin_rate": 5e-3},
    "full": {"fin_method": "last_block", "fin_rate": 3e-4},
}
NAMES = {
    "lora": "LoRA",
    "last_block": N_("the last block in full"),
    "bottleneck": N_("bottleneck adapter"),
    "prompt": N_("soft prompt"),
    "prefix": N_("prefix"),
}
PRESET_NAMES = {
    "good": N_("Good"),
    "hot": N_("Learning rate too high"),
    "overfit": N_("Overfit"),
    "rank1": N_("Rank 1 is enough"),
    "full": N_("Full fine-tune of the last block"),
}


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of a training as the widgets have them.

    Attributes:
        run: Settings as the engine takes them.
        layers: The linear layers that are trained.
    """

    run: FinetuneSettings
    layers: tuple[Linear, ...]

    @classmethod
    def of(cls, run: FinetuneSettings) -> TrainingSettings:
        """With the layers of its model that a run works on: all, where it changes no weight."""
        known = compute.training().linears(run.model)
        last = max(one.layer for one in known)
        if run.method == "last_block":
            return cls(run, tuple(one for one in known if one.layer == last))
        is_all = run.method not in PRODUCTS
        return cls(run, tuple(one for one in known if is_all or one.module in run.lora.target_modules))

    @property
    def n_trained(self) -> int:
        """Numbers that are trained."""
        run, model = self.run, next(one for one in compute.models() if one.model_id == self.run.model)
        sizes = {"lora": run.lora.r, "bottleneck": run.bottleneck}
        return n_trained(
            run.method, sizes.get(run.method, run.num_virtual_tokens), n_layer=model.n_layer,
            d_model=model.d_model, d_keys=model.n_kv_head * model.d_head,
            shapes=[(one.d_out, one.d_in) for one in self.layers],
        )  # fmt: skip

    @property
    def n_frozen(self) -> int:
        """Weights of the layers that it works on."""
        return sum(one.d_out * one.d_in for one in self.layers)

    def request(self, data: ReadSet, owner: str) -> FinetuneRequest:
        """The run that this asks for."""
        prompts = tuple(prompt_ids(data.base_id, text) for text in data.data.prompts)
        return FinetuneRequest(self.run, data.texts, data.held_out, data.general, prompts, owner=owner)


def draw(data: ReadSet, sliders: DeltaGenerator) -> TrainingSettings:
    """Draw the settings: three sliders, and here a button that opens the others.

    Args:
        data: Data to train on.
        sliders: Values of the three sliders.
    """
    limits = state.settings()
    steps, rate, rank = sliders.columns(3)
    with steps:
        n_steps = slider(
            _("Steps"), range(1, limits.max_training_steps + 1), DEFAULTS["fin_steps"], key="fin_steps",
            help=_("In one step a batch of examples is read, and the trained numbers move once."),
        )  # fmt: skip
    with rate:
        learning_rate = slider(
            _("Learning rate"), RATES, DEFAULTS["fin_rate"], key="fin_rate",
            help=_("How far they move. A little too much, and the loss goes up."),
        )  # fmt: skip
    is_full = st.session_state.get("fin_method", "") not in ("", "lora")
    with rank:
        r = slider(
            _("Rank r"), RANKS, DEFAULTS["fin_r"], key="fin_r", disabled=is_full,
            help=_("How many directions the change of a matrix may have."),
        )  # fmt: skip
    with st.popover(_("More settings"), icon=":material/tune:", width="content"):
        more = _more(data)
    modules = modules_of(compute.training().linears(data.base_id), more["modules"])
    run = FinetuneSettings(
        data.base_id, data.data.name, n_steps, float(learning_rate), int(more["batch"]), int(more["seed"]),
        bool(more["best"]),
        lora=LoraConfig(int(r), float(more["alpha"]), float(more["dropout"]), modules),
        method=more["method"], num_virtual_tokens=int(more["virtual"]), bottleneck=int(more["bottleneck"]),
    )  # fmt: skip
    return TrainingSettings.of(run)


def _more(data: ReadSet) -> dict[str, Any]:
    methods = {method: _(name) for method, name in NAMES.items()}
    which = {
        "attention": _("queries and values"),
        "whole_attention": _("all of attention"),
        "mlp": "MLP",
        "all": _("all linear layers"),
    }
    longest = max((len(text.input_ids) for text in data.texts), default=1)
    most = max(1, min(state.settings().max_batch_size, state.settings().max_batch_tokens // longest))
    first, second, third = st.columns(3)
    with first:
        method = choose_from_list("fin_method", methods, _("What is trained"))
        alpha = number_field("lora_alpha", 1, 128, DEFAULTS["fin_alpha"], key="fin_alpha")
        best = st.checkbox(
            _("Keep the best step"), DEFAULTS["fin_best"], **setting("fin_best", DEFAULTS["fin_best"]),
            help=_("Keeps the adapter with the lowest held-out loss; otherwise that of the last step."),
        )  # fmt: skip
    with second:
        modules = choose_from_list("fin_modules", which, _("Target modules"))
        dropout = number_field("lora_dropout", 0.0, 0.5, DEFAULTS["fin_dropout"], 0.05, key="fin_dropout")
    with third:
        most_used = min(most, DEFAULTS["fin_batch"])
        batch = number_field(_("Examples per step"), 1, most, most_used, key="fin_batch")
        seed = number_field(_("Seed"), 0, 9_999, 0, key="fin_seed")
        sizes = {"virtual": DEFAULTS["fin_virtual"], "bottleneck": DEFAULTS["fin_bottleneck"]}
        low, high = FinetuneSettings.LIMITS["num_virtual_tokens"]
        if method in VIRTUAL:
            sizes["virtual"] = number_field(
                _("Virtual tokens"), low, high, DEFAULTS["fin_virtual"], key="fin_virtual",
                help=_("Positions before every text that no word stands for. They take that much context."),
            )  # fmt: skip
        low, high = FinetuneSettings.LIMITS["bottleneck"]
        if method == "bottleneck":
            sizes["bottleneck"] = number_field(
                _("Width of the bottleneck"), low, high, DEFAULTS["fin_bottleneck"], key="fin_bottleneck"
            )
    return {
        "method": method, "modules": modules, "batch": batch, "alpha": alpha, "dropout": dropout,
        "seed": seed, "best": best, **sizes,
    }  # fmt: skip


def take_preset() -> None:
    """Callback of the presets: everything else goes back to its default."""
    preset = st.session_state["fin_preset"]
    if preset in PRESETS:
        for key, value in {**DEFAULTS, **PRESETS[preset]}.items():
            st.session_state[key] = value
        st.session_state["fin_preset"] = None


def cost(data: ReadSet, model: ModelInfo, chosen: TrainingSettings, s_a_token: float | None) -> str:
    """One line: how many numbers are trained, how much memory and time that will take."""
    read, computed = data.tokens_a_step(chosen.run.batch_size)
    known = compute.training().linears(data.base_id)
    activations = sum(one.d_out + one.d_in for one in known) * 4 * 1.35 * computed  # measured: 1.7 MB a token
    megabytes = (chosen.n_trained * BYTES_A_NUMBER + activations) / 1e6
    epochs = chosen.run.n_steps * chosen.run.batch_size / max(1, len(data.texts))
    words = [
        _("{n:,} numbers are trained, {share:.2%} of the model's {all}").format(
            n=chosen.n_trained, share=chosen.n_trained / model.n_parameters,
            all=large(model.n_parameters),
        ),
        _("about {n:.0f} MB of memory").format(n=megabytes),
    ]  # fmt: skip
    if s_a_token:
        n_tested = sum(len(text.input_ids) for text in (*data.held_out, *data.general)) * 12 / 3
        seconds = s_a_token * (chosen.run.n_steps * read + n_tested)
        words.append(_("about {n:.0f} s of work").format(n=seconds))
    words.append(_("every example is read {n:.1f} times").format(n=epochs))
    return plain(" · ".join(words))
