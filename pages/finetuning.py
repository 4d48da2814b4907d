"""Fine-tuning: a model trained in front of the class."""

from playground.ui import frame
from playground.ui.finetuning import page, tasks

context = frame.page("finetuning", needs={"generate"}, needs_text=False)
chosen, go_on = page.draw(context)
frame.end_of_page(context, tasks.make(context, chosen))
if go_on is not None:
    go_on()
