"""A policy that learns from its own answers: the shipped hack, then a reward of the reader's own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from playground.core.hacking_judged import FAR, judged
from playground.core.preferences.pair import PreferencePair
from playground.core.reward_hacking import MeasuredRollout
from playground.core.rewards import TextReward
from playground.core.tables import alignment_policy as frames
from playground.engine.contract.hacking_runs import (
    KL_BETA,
    LEARNING_RATE,
    MAX_NEW_TOKENS,
    N_ANSWERS,
    N_STEPS,
    N_UPDATES,
    RANK,
    measured_rollout,
)
from playground.engine.contract.policies import HeadReward, PolicyObservation, PolicyRequest, PolicySettings
from playground.engine.contract.training import TrainingState
from playground.errors import InputError
from playground.ui import preferences, show
from playground.ui.alignment import hack, rewarded, rewarding, rl_code, tuning
from playground.ui.alignment.said import or_sentence
from playground.ui.alignment.tuning import Learned
from playground.ui.components.rollouts import rollouts
from playground.ui.number import number_field, slider
from playground.ui.panels import Later
from playground.ui.prompted import context_of
from playground.ui.runs import is_still
from playground.ui.state import PageContext
from playground.ui.text import _, plain, sentence
from playground.ui.url import setting

BETAS = (0.01, 0.03, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
RATES = (1e-4, 3e-4, 1e-3, 2e-3, 4e-3, 8e-3, 2e-2)
RANKS = (1, 2, 4, 8, 16, 32)
EPSILON = 0.2
MOST_ROLLOUTS, MAX_PROMPT = 40, 200
LIMITS = PolicySettings.LIMITS


@dataclass(frozen=True, slots=True)
class Chosen:
    """Values of the widgets.

    Attributes:
        reward: Judge of the answers.
        prompt: The prompt.
        kl_beta: Reward that a nat costs, 0 without a leash.
        epsilon: Distance at which PPO clips, infinite without a clip.
        n_steps, learning_rate, r, n_answers, max_new_tokens, n_updates, seed: As in `PolicySettings`.
    """

    reward: TextReward | HeadReward
    prompt: str
    kl_beta: float
    epsilon: float
    n_steps: int
    learning_rate: float
    r: int
    n_answers: int
    max_new_tokens: int
    n_updates: int
    seed: int

    @property
    def name(self) -> str:
        """Name of the run."""
        by = self.reward
        reward = _(rewarding.KINDS[by.kind]) if isinstance(by, TextReward) else _("the reward model")
        leash = f"β {self.kl_beta:g}" if self.kl_beta else _("no leash")
        clip = "" if math.isfinite(self.epsilon) else " · " + _("no clip")
        return _("policy gradient") + f" · {reward} · {leash}{clip}"


@or_sentence
def panel(context: PageContext) -> Later | None:
    """Draw the shipped hack, then settings, button and run of the reader's own."""
    st.markdown(f"## {_('What does a reward really reward?')}")
    hack.picture(context)
    st.markdown(f"## {_('Train it yourself: your reward, with and without the leash')}")
    base = context_of(context, tuning.base_of(context))
    _ask(base)
    tuning.pick(context, PolicySettings, "al_rl")
    live = tuning.shown(context, PolicySettings)
    if live is None:
        st.caption(
            _(
                "In each rollout the model writes answers, the reward judges them, and what was better than "
                "the others becomes more probable."
            )
        )
        return None
    tuning.follow(context, PolicySettings, "al_rl", partial(_draw, context))
    _under(context, live)
    tuning.open_elsewhere(context, live, "al_rl")
    return None


def _ask(base: PageContext) -> None:
    """Draw settings and button; what cannot be asked is a sentence above the run, which stays."""
    try:
        chosen = _settings(base)
    except InputError as error:
        st.error(sentence(error))
        return
    st.button(
        _("Start training"), type="primary", key="al_rl_start", icon=":material/play_arrow:",
        on_click=tuning.start, args=(partial(request, base, chosen), PolicySettings),
        disabled=not chosen.prompt.strip(),
    )  # fmt: skip
    if not chosen.prompt.strip():
        st.info(_("Type a prompt."))
    tuning.show_start_error(PolicySettings)


def _settings(base: PageContext) -> Chosen:
    """Reward, prompt, leash and clip; a button that opens the other settings."""
    heads = {
        one.head_id: _("run {number}").format(number=one.run)
        for one in preferences.heads(base)
        if one.settings.model == base.model.model_id
    }
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = hack.FIRST_PROMPT
        prompt = st.text_input(_("Prompt"), first, max_chars=MAX_PROMPT, **setting("al_asked", first))
        picked = rewarding.choose_text_reward(hack.FIRST_REWARD, heads)
    reward = HeadReward(picked) if isinstance(picked, str) else picked
    with st.container(horizontal=True, vertical_alignment="center"):
        is_leashed = st.toggle(_("KL leash"), True, **setting("al_leashed", True))
        is_clipped = st.toggle(_("PPO's clip"), True, **setting("al_clipped", True))
    with st.container(key="below_picture_al_rl"):
        left, right = st.columns(2)
        with left:
            beta = slider(
                _("β: reward that a nat of KL costs"), BETAS, KL_BETA, key="al_kl_beta",
                disabled=not is_leashed,
            )  # fmt: skip
        with right:
            n_steps = slider(_("Rollouts"), range(1, MOST_ROLLOUTS + 1), N_STEPS, key="al_rl_steps")
        with st.popover(_("More settings"), icon=":material/tune:", width="content"):
            rate = slider(_("Learning rate"), RATES, LEARNING_RATE, key="al_rl_rate")
            r = slider(_("Rank r"), RANKS, RANK, key="al_rl_r")
            n_answers = number_field(
                _("Answers per rollout"), *LIMITS["n_answers"], N_ANSWERS, key="al_rl_answers"
            )
            tokens = number_field(
                _("Tokens at most"), *LIMITS["max_new_tokens"], MAX_NEW_TOKENS, key="al_rl_tokens"
            )
            n_updates = number_field(
                _("Updates per rollout"), *LIMITS["n_updates"], N_UPDATES, key="al_rl_updates"
            )
            seed = number_field(_("Seed"), 0, 9_999, 0, key="al_rl_seed_own")
    return Chosen(
        reward, prompt, float(beta) if is_leashed else 0.0, EPSILON if is_clipped else math.inf, int(n_steps),
        float(rate), int(r), int(n_answers), int(tokens), int(n_updates), int(seed),
    )  # fmt: skip


def request(base: PageContext, chosen: Chosen) -> tuple[PolicyRequest, Learned]:
    """The run that this asks for, and its texts.

    Args:
        base: Context of the model without an adapter.
        chosen: What the widgets ask for.
    """
    model_id = base.model.model_id
    settings = PolicySettings(
        model_id, chosen.name, chosen.n_steps, chosen.learning_rate, 1, chosen.seed,
        lora=tuning.lora_of(model_id, chosen.r), reward=chosen.reward, epsilon=chosen.epsilon,
        kl_beta=chosen.kl_beta, n_answers=chosen.n_answers, max_new_tokens=chosen.max_new_tokens,
        n_updates=chosen.n_updates,
    )  # fmt: skip
    prompts = preferences.prompts(base, [chosen.prompt])
    return PolicyRequest(settings, prompts, owner=base.owner), Learned((chosen.prompt,))


def settings_of(live: TrainingState) -> PolicySettings:
    """Settings of a run of this kind."""
    assert isinstance(live.settings, PolicySettings)
    return live.settings


def told_of(live: TrainingState) -> list[MeasuredRollout]:
    """The rollouts of a run so far."""
    return [measured_rollout(one) for one in live.observed if isinstance(one, PolicyObservation)]


def unit_of(settings: PolicySettings) -> str:
    """Name of a run's reward on an axis."""
    reward = settings.reward
    return rewarding.unit_of(reward) if isinstance(reward, TextReward) else _("Reward of the reward model")


def _draw(context: PageContext, live: TrainingState) -> None:
    told, settings = told_of(live), settings_of(live)
    if not told:
        if not is_still(live):
            st.caption(_("The first answers come in a moment: rollout 0 is the model as it was."))
        return
    with st.container(key="al_rl_picture"):
        rollouts(
            [hack.drawn(settings.name, "live", told)], unit=unit_of(settings), n_rollouts=settings.n_steps,
            key="al_rl_live", language=context.language,
        )  # fmt: skip
    st.markdown(reading(told, settings))


def reading(told: list[MeasuredRollout], settings: PolicySettings) -> str:
    """A run in words: what it gained, how far it went, and whether that is a hack."""
    found = judged(told)
    if found.is_flat and not any(one.spread for one in told):
        return _(
            "All answers so far have the reward {first:.2f}: nothing tells better from worse, so there is no "
            "gradient. Choose a reward that some answers have more of."
        ).format(first=found.first)
    said = _(
        "By rollout {n} the mean reward went from {first:.2f} to {last:.2f}, {kl:.1f} nats per answer away "
        "from the reference."
    ).format(first=found.first, last=found.last, n=len(told) - 1, kl=found.kl)
    if found.hacked_at is not None:
        more = _(
            "From rollout {at} on it is more than {far} standard deviations above the first answers: read "
            "them, the reward is hacked."
        )
        said += " " + more.format(at=found.hacked_at, far=FAR)
    elif settings.kl_beta:
        said += " " + _("On this leash no hack so far.")
    else:
        said += " " + _("No hack so far; without a leash more rollouts may bring it.")
    clipped = told[-1].clipped
    if clipped is not None and math.isfinite(settings.epsilon):
        said += " " + _("The clip held back {share:.1%} of the tokens in the last update.").format(
            share=clipped
        )
    return said


def _under(context: PageContext, live: TrainingState) -> None:
    settings, texts = settings_of(live), tuning.learned(live)
    prompt = texts.prompts[0] if texts.prompts else ""
    words = [settings.model, "“" + prompt + "”", unit_of(settings), _("trained in this session")]
    st.caption(plain(" · ".join(words)))

    def frame() -> pd.DataFrame:
        return frames.rollouts({settings.name: told_of(tuning.shown(context, PolicySettings) or live)})

    pairs, penalty = _judged_by(context, settings)
    if prompt and (pairs or isinstance(settings.reward, TextReward)):
        show.under_picture(
            "alignment_policy", frame=frame, code=lambda: rl_code.live_run(settings, prompt, pairs, penalty),
            picture="al_rl_picture",
        )  # fmt: skip


def _judged_by(context: PageContext, settings: PolicySettings) -> tuple[tuple[PreferencePair, ...], float]:
    """Pairs and C of the reward model of a run; no pairs where it is none, or they are forgotten."""
    if isinstance(settings.reward, TextReward):
        return (), 0.1
    wanted = settings.reward.head
    head = next((one for one in preferences.heads(context) if one.head_id == wanted), None)
    given = rewarded.given_of_head(context, head.run) if head is not None else None
    return (
        (given.train, head.settings.inverse_penalty) if head is not None and given is not None else ((), 0.1)
    )
