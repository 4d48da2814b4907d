"""The page `positions`; what it draws stands in `playground/ui/positions/page.py`."""

from playground.ui import frame
from playground.ui.positions import page

frame.draw_page("positions", page.draw)
