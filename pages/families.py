"""The page `families`; what it draws stands in `playground/ui/families/page.py`."""

from playground.ui import frame
from playground.ui.families import page

frame.draw_page("families", page.draw)
