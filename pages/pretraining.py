"""The page `pretraining`; what it draws stands in `playground/ui/pretraining/page.py`."""

from playground.ui import frame
from playground.ui.pretraining import page

frame.draw_page("pretraining", page.draw)
