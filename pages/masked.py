"""The page `masked`; what it draws stands in `playground/ui/masked/page.py`."""

from playground.ui import frame
from playground.ui.masked import page

frame.draw_page("masked", page.draw)
