"""The hack that comes with the playground: the same reward without a leash and on one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground.core.hacking_judged import FAR, judged
from playground.core.reward_hacking import HackingRun, HackingTable, MeasuredRollout, shipped
from playground.core.rewards import TextReward
from playground.core.tables import alignment_policy as frames
from playground.engine.contract.hacking_runs import PROMPTS, REWARD
from playground.ui import show
from playground.ui.alignment import rewarding, rl_code
from playground.ui.choose import choose
from playground.ui.components.rollouts import DrawnRun, Written, rollouts
from playground.ui.components.tilt import Trained
from playground.ui.state import PageContext
from playground.ui.text import _, plain

FIRST_PROMPT, FIRST_REWARD = PROMPTS[0], REWARD
N_ANSWERS = 6  # of a rollout that are shown


def picture(context: PageContext) -> None:
    """Draw both runs of a seed, the sentence that compares them, and what stands under a picture."""
    table = shipped()
    seeds = {str(seed): _("seed {seed}").format(seed=seed) for seed in table.seeds}
    seed = int(choose("al_rl_seed", seeds, _("Seed"))) if len(seeds) > 1 else table.seeds[0]
    free, held = _both(table, seed)
    named = {_("without a leash"): free, _("leash β = {beta:g}").format(beta=held.kl_beta): held}
    with st.container(key="al_hack_picture"):
        rollouts(
            [drawn(name, "leashed" if one.kl_beta else "free", one.rollouts) for name, one in named.items()],
            unit=rewarding.unit_of(table.reward), n_rollouts=free.n_steps, key="al_hack",
            language=context.language,
        )  # fmt: skip
    st.markdown(compared(free, held))
    _source(table, free, held)
    show.under_picture(
        "alignment_hack",
        frame=lambda: frames.rollouts({name: one.rollouts for name, one in named.items()}),
        code=lambda: rl_code.shipped_run(table, seed),
        picture="al_hack_picture",
    )


def _both(table: HackingTable, seed: int) -> tuple[HackingRun, HackingRun]:
    """The run without a leash and the one on the shortest."""
    free, held = table.run(0.0, seed), table.run(table.kl_betas[-1], seed)
    assert free is not None
    assert held is not None
    return free, held


def drawn(name: str, kind: str, told: Sequence[MeasuredRollout]) -> DrawnRun:
    """A run as the picture takes it."""
    return DrawnRun(
        name, kind, [one.reward for one in told], [one.kl for one in told],
        [[Written(said.text, said.reward) for said in one.answers[:N_ANSWERS]] for one in told],
    )  # fmt: skip


def compared(free: HackingRun, held: HackingRun) -> str:
    """Both runs in words: whether the reward was hacked, and whether the leash held that back."""
    of_free, of_held = judged(free.rollouts), judged(held.rollouts)
    values = {"first": of_free.first, "last": of_free.last, "kl": of_free.kl, "at": of_free.hacked_at}
    if of_free.hacked_at is None:
        told = _(
            "Without a leash the mean reward goes from {first:.2f} to {last:.2f}, and the policy is {kl:.1f} "
            "nats per answer away: no hack in these rollouts."
        )
    else:
        told = _(
            "Without a leash the reward is hacked: from rollout {at} on its mean is more than {far} standard "
            "deviations above the first answers. It ends at {last:.2f} instead of {first:.2f}, {kl:.1f} nats "
            "per answer away from the reference."
        )
    said = told.format(**values, far=FAR)
    values = {"last": of_held.last, "kl": of_held.kl, "at": of_held.hacked_at, "beta": held.kl_beta}
    if of_held.hacked_at is None:
        told = _("The leash (β = {beta:g}) holds: reward {last:.2f}, KL {kl:.1f} nats. Read both answers.")
        if of_free.hacked_at is None:
            told = _("With the leash (β = {beta:g}) it ends at {last:.2f} and {kl:.1f} nats.")
    else:
        told = _(
            "The leash (β = {beta:g}) does not hold it: hacked from rollout {at} on, reward {last:.2f}, KL "
            "{kl:.1f} nats."
        )
    return f"{said} {told.format(**values)}"


def _source(table: HackingTable, free: HackingRun, held: HackingRun) -> None:
    words = [
        table.model,
        _("revision {hash}").format(hash=table.revision[:12]),
        "“" + table.prompts[0] + "”",
        _("answers per rollout: {n}, tokens at most: {m}").format(n=table.n_answers, m=table.max_new_tokens),
        _("processor seconds: {a:.0f} and {b:.0f}").format(a=free.seconds, b=held.seconds),
        _("comes with the playground, in English"),
    ]
    st.caption(plain(" · ".join(words)))


def trained(asked: tuple[str, str], reward: TextReward) -> Sequence[Trained]:
    """The shipped policies beside the closed form, where model, prompt and reward are theirs.

    Args:
        asked: Model and prompt.
        reward: The reward.
    """
    table = shipped()
    if asked != (table.model, table.prompts[0]) or reward != table.reward:
        return ()
    free, held = _both(table, table.seeds[0])
    names = {_("trained without a leash"): free, _("trained on a leash"): held}
    return [Trained(name, [(one.kl, one.reward) for one in run.rollouts]) for name, run in names.items()]


def first_answers(asked: tuple[str, str]) -> list[str]:
    """Answers that the reference wrote at the beginning of the shipped runs; none for another question."""
    table = shipped()
    if asked != (table.model, table.prompts[0]):
        return []
    texts = [said.text for seed in table.seeds for said in _both(table, seed)[0].rollouts[0].answers]
    return texts
