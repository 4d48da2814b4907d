"""The page `agents`; what it draws stands in `playground/ui/agents/page.py`."""

from playground.ui import frame
from playground.ui.agents import page

frame.draw_page("agents", page.draw)
