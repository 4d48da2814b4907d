"""The page `alignment`; what it draws stands in `playground/ui/alignment/page.py`."""

from playground.ui import frame
from playground.ui.alignment import page

frame.draw_page("alignment", page.draw)
