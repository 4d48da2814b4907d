"""The page `finetuning`; what it draws stands in `playground/ui/finetuning/page.py`."""

from playground.ui import frame
from playground.ui.finetuning import page

frame.draw_page("finetuning", page.draw)
