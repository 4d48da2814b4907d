"""Attention: which earlier tokens does a token look at, in which head, and does it matter?"""

from playground.ui import compute, frame
from playground.ui.attention import ablation, heads, rollout
from playground.ui.attention import bertviz as bertviz_view
from playground.ui.attention import masks as two_masks
from playground.ui.attention import ranking as head_ranking
from playground.ui.attention.tasks import tasks
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
