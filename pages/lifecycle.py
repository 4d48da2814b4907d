"""The page `lifecycle`; what it draws stands in `playground/ui/lifecycle/page.py`."""

from playground.ui import frame
from playground.ui.lifecycle import page

frame.draw_page("lifecycle", page.draw)
