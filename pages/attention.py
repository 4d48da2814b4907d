"""Attention: which earlier tokens does a token look at, in which head, and does it matter?"""

from playground.ui import (
    ablation,
    bertviz_view,
    compute,
    frame,
    head_ranking,
    heads,
    rollout,
    two_masks,
)
from playground.ui.attention_tasks import tasks
from playground.ui.components.token_chips import token_chips

context = frame.page("attention", needs=["attentions"], reads_text=True)
token_chips(compute.tokenize(context), height=84)
view, panel = heads.heads(context)
match panel:
    case "off":
        if (measured := ablation.panel(view)) is not None:
            head_ranking.rank(measured)
    case "masks":
        two_masks.two_masks(context)
    case "flow":
        rollout.panel(view)
    case "bertviz":
        bertviz_view.panel(context, view.trace)
frame.end_of_page(context, tasks(view))
