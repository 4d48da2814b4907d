"""The page `memory`; what it draws stands in `playground/ui/memory/page.py`."""

from playground.ui import frame
from playground.ui.memory import page

frame.draw_page("memory", page.draw)
