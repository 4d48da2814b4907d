"""Attention: which earlier tokens does a token look at, in which head, and does it matter?"""

from playground.ui import (
    ablation,
    attention,
    bertviz_view,
    compute,
    frame,
    heads,
    rollout,
    two_masks,
)
from playground.ui.attention_tasks import tasks
from playground.ui.components.token_chips import token_chips

context = frame.page("attention", needs=["attentions"], reads_text=True)
token_chips(compute.tokenize(context), height=84)
attention.examples()
view, panel = heads.heads(context)
match panel:
    case "off":
        ablation.panel(view)
    case "masks":
        two_masks.two_masks(context)
    case "flow":
        rollout.panel(view)
    case "bertviz":
        bertviz_view.panel(context, view.trace)
frame.end_of_page(context, tasks(view))
