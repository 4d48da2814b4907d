"""The run of the first pictures: one that comes with the playground, or one of this session."""

from __future__ import annotations

from playground.ui import state
from playground.ui.choose import choose_from_list
from playground.ui.pretraining import live, shipped
from playground.ui.pretraining.seen import Seen
from playground.ui.state import PageContext
from playground.ui.text import _


def every(context: PageContext) -> dict[str, Seen]:
    """Id -> every run that has been measured: that in the reader's language first, own ones last."""
    ours = sorted(shipped.RUNS, key=lambda one: one != state.language())
    found = {one: shipped.seen(one) for one in ours}
    own = (live.seen_of(one) for one in live.mine(context))
    return found | {one.run_id: one for one in own if one is not None and one.held_out}


def choose(context: PageContext) -> Seen:
    """Draw the list of runs; the chosen one."""
    found = every(context)
    picked = choose_from_list(live.PICKED, {key: one.name for key, one in found.items()}, _("Training run"))
    return found[picked]
