"""Preferences: votes, a reward model, DPO, policy gradient, its leash, a constitution."""

from __future__ import annotations

from playground.ui.alignment import constitution, dpo, leash, pairs, reward, rl, tasks, vote
from playground.ui.frame import Drawn
from playground.ui.panels import Panel, pick
from playground.ui.state import PageContext
from playground.ui.text import _


def draw(context: PageContext) -> Drawn:
    """The one panel that the reader wants."""
    panels: dict[str, Panel[[PageContext]]] = {
        "vote": Panel(_("Voting"), vote.panel),
        "reward": Panel(_("Reward model"), reward.panel),
        "dpo": Panel(_("DPO"), dpo.panel),
        "rl": Panel(_("Policy gradient"), rl.panel),
        "leash": Panel(_("The leash"), leash.panel),
        "constitution": Panel(_("A constitution"), constitution.panel),
    }
    picked = pick("al_panel", panels, _("Picture"))
    if picked is not panels["vote"]:
        pairs.hold()
    later = picked.draw(context)
    return tasks.make(context), later
