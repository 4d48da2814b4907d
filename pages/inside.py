"""The page `inside`; what it draws stands in `playground/ui/inside/page.py`."""

from playground.ui import frame
from playground.ui.inside import page

frame.draw_page("inside", page.draw)
