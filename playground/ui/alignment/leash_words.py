"""The words of the leash: what the closed form says here, and how a trained policy stands beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from playground.core.policy.outcomes import Outcomes
from playground.ui.text import _, plain

SHOWN_CHARS = 40


def reading(choice: Outcomes, labels: Sequence[str]) -> str:
    """The ends of the slider in words: which outcome a long leash leads to, and where a short one stays."""
    everything = np.concatenate([choice.rewards, choice.rest_rewards])
    before = np.concatenate([choice.probs, choice.rest_probs])
    most = everything[before > 0].max()
    if most == everything[before > 0].min():
        return _("Every outcome has the same reward here, so no leash moves anything.")
    best = before[everything == most].sum()
    named = [label for label, reward in zip(labels, choice.rewards, strict=True) if reward == most]
    name = f" ({plain(named[0][:SHOWN_CHARS])})" if named else ""
    told = _(
        "Without a leash all probability goes to the outcomes with the most reward, {most:.3g}{name}, of "
        "which the reference has a probability of {share:.2g}; that costs {kl:.2f} nats of KL."
    )
    return told.format(most=most, name=name, share=best, kl=-np.log(best))


def explanation() -> str:
    """The closed form in words, beside training."""
    return _(
        "The picture needs no training: the policy with the most reward less β · KL is the reference times "
        "exp(reward / β), normalised. A run of policy gradient climbs towards that policy in small steps; "
        "no policy over these outcomes lies above the curve. DPO turns the formula round and reads a reward "
        "off the policy."
    )
