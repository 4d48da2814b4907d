"""DPO for real: pairs, settings, the run, and what it does to both answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import streamlit as st

from playground.core.preferences.dpo_run import DpoRun, shipped
from playground.core.preferences.pair import MIN_PROMPTS, PreferencePair, split
from playground.engine.contract.preference_runs import seen
from playground.engine.contract.preferences import MAX_HELD_OUT, DpoRequest, DpoSettings
from playground.engine.contract.training import TrainingState
from playground.ui import preferences, state
from playground.ui.alignment import constitution, dpo_pictures, learned, pool, tuning
from playground.ui.alignment.said import or_sentence
from playground.ui.alignment.tuning import Learned
from playground.ui.choose import choose
from playground.ui.number import number_field, slider
from playground.ui.panels import Later
from playground.ui.prompted import context_of
from playground.ui.runs import is_still
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain

BETAS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
RATES = (1e-5, 3e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2)
RANKS = (1, 2, 4, 8, 16, 32)
N_PROMPTS = 3  # held-out prompts that are continued before and after
DEFAULT = DpoSettings("", "")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Values of the widgets.

    Attributes:
        pairs, held_out: Pairs to learn from, and pairs that are only measured.
        name: Name of the run.
        n_steps, beta, r, learning_rate, batch_size, seed: As in `DpoSettings`.
    """

    pairs: tuple[PreferencePair, ...]
    held_out: tuple[PreferencePair, ...]
    name: str
    n_steps: int
    beta: float
    r: int
    learning_rate: float
    batch_size: int
    seed: int


@or_sentence
def panel(context: PageContext) -> Later | None:
    """Draw pairs and settings, the button, and the run: this session's, else the one that is shipped."""
    st.markdown(f"## {_('What does a model learn from pairs alone?')}")
    base = context_of(context, tuning.base_of(context))
    given = _pairs(context)
    if given is not None:
        chosen = _settings(*given)
        st.button(
            _("Start training"), type="primary", key="al_dpo_start", icon=":material/play_arrow:",
            on_click=tuning.start, args=(partial(request, base, chosen), DpoSettings),
        )  # fmt: skip
    tuning.show_start_error(DpoSettings)
    tuning.pick(context, DpoSettings, "al_dpo")
    live = tuning.shown(context, DpoSettings)
    if live is None:
        dpo_pictures.draw(shipped(), "al_dpo")
        dpo_pictures.under(shipped(), is_shipped=True)
        return None
    tuning.follow(context, DpoSettings, "al_dpo", partial(_draw, base))
    if live.observed:
        dpo_pictures.under(run_of(live, base))
    tuning.open_elsewhere(context, live, "al_dpo")
    return None


def _pairs(context: PageContext) -> tuple[str, list[PreferencePair]] | None:
    """The pairs to learn from, with their name; None, with a sentence, where they are too few."""
    sources = {"learned": _("votes or pairs of the panel Voting"), "kept": _("pairs of my constitution")}
    source = choose("al_dpo_pairs", sources, _("Pairs to learn from"))
    if source == "kept":
        kept = list(constitution.kept())
        if len({one.prompt_key for one in kept}) < MIN_PROMPTS:
            st.info(
                _(
                    "Keep pairs of two attacks at least in the panel A constitution: one to learn from, one "
                    "to test on."
                )
            )
            return None
        told = ngettext("{n} pair is kept.", "{n} pairs are kept.", len(kept)).format(n=len(kept))
        st.caption(told)
        return _("a constitution"), kept
    pool.whose()
    found = learned.learn_from(context)
    st.caption(found.told)
    return (_("votes") if found.is_voted else _("shipped pairs")), list(found.pairs)


def _settings(name: str, pairs: list[PreferencePair]) -> Chosen:
    """Three sliders, and a button that opens the other settings."""
    most = state.settings()
    with st.container(key="below_picture_al_dpo"):
        first, second, third = st.columns(3)
        with first:
            beta = slider(
                _("β: how short the leash is"), BETAS, DEFAULT.beta, key="al_beta",
                help=_("Nats of reward per nat of log-ratio: the larger, the less the model has to move."),
            )  # fmt: skip
        with second:
            n_steps = slider(
                _("Steps"), range(1, most.max_training_steps + 1), DEFAULT.n_steps, key="al_dpo_steps"
            )
        with third:
            r = slider(_("Rank r"), RANKS, DEFAULT.lora.r, key="al_dpo_r")
        with st.popover(_("More settings"), icon=":material/tune:", width="content"):
            rate = slider(_("Learning rate"), RATES, DEFAULT.learning_rate, key="al_dpo_rate")
            batch = number_field(
                _("Pairs per step"), 1, most.max_batch_size, min(DEFAULT.batch_size, most.max_batch_size),
                key="al_dpo_batch",
            )  # fmt: skip
            seed = number_field(_("Seed"), 0, 9_999, 0, key="al_dpo_seed")
    train, held_out = split(pairs)
    told = f"DPO · {name} · β {beta:g}"
    return Chosen(
        train, held_out[:MAX_HELD_OUT], told, int(n_steps), float(beta), int(r), float(rate), int(batch),
        int(seed),
    )  # fmt: skip


def request(base: PageContext, chosen: Chosen) -> tuple[DpoRequest, Learned]:
    """The run that this asks for, and its texts.

    Args:
        base: Context of the model without an adapter.
        chosen: What the widgets ask for.
    """
    prompts = tuple(dict.fromkeys(one.prompt for one in chosen.held_out))[:N_PROMPTS]
    settings = DpoSettings(
        base.model.model_id, chosen.name, chosen.n_steps, chosen.learning_rate, chosen.batch_size,
        chosen.seed, lora=tuning.lora_of(base.model.model_id, chosen.r), beta=chosen.beta,
    )  # fmt: skip
    asked = DpoRequest(
        settings, preferences.examples(base, chosen.pairs), preferences.examples(base, chosen.held_out),
        prompts=tuple(one.prompt_ids for one in preferences.prompts(base, prompts)), owner=base.owner,
    )  # fmt: skip
    return asked, Learned(prompts, chosen.pairs, chosen.held_out)


def run_of(live: TrainingState, base: PageContext) -> DpoRun:
    """A run of this session as the pictures show it."""
    texts = tuning.learned(live)
    return seen(live, texts.pairs, texts.held_out, texts.prompts, base.model.revision)


def _draw(base: PageContext, live: TrainingState) -> None:
    run = run_of(live, base)
    if not run.train and not run.milestones:
        if not is_still(live):
            st.caption(_("The first losses come in a moment; step 0 is the model as it was."))
        return
    dpo_pictures.draw(run, "al_dpo")
    st.caption(plain(_("{s:.2f} s per step").format(s=live.step_s)) if live.step_s else " ")
