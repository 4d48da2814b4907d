"""The page `scaling`; what it draws stands in `playground/ui/scaling/page.py`."""

from playground.ui import frame
from playground.ui.scaling import page

frame.draw_page("scaling", page.draw)
