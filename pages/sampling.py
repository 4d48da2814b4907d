"""The page `sampling`; what it draws stands in `playground/ui/sampling/page.py`."""

from playground.ui import frame
from playground.ui.sampling import page

frame.draw_page("sampling", page.draw)
