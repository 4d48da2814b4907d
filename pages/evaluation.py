"""The page `evaluation`; what it draws stands in `playground/ui/evaluation/page.py`."""

from playground.ui import frame
from playground.ui.evaluation import page

frame.draw_page("evaluation", page.draw)
